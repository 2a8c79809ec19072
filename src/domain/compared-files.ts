import type { ColumnContent } from './reference-columns.js';

/** `mixed`: the files of one side disagree (numbers in one, text in another). `empty`: no file gives it a type. */
export type SideContent = ColumnContent | 'mixed' | 'empty';

export interface SideColumn {
  readonly name: string;
  readonly content: SideContent;
  /** Whole numbers in every file. */
  readonly integer: boolean;
  /** From CSV files alone, which do not say whether 01 is a text. */
  readonly untyped: boolean;
  /** Files of this side that lack the column. */
  readonly filesWithout: number;
}

/** Splits rows into numbered groups; a row that belongs to none has the group NO_GROUP. */
export type Grouping =
  /** Row i of the file's order has group ⌊i / windowRows⌋. */
  | { readonly by: 'rows'; readonly windowRows: number }
  /** Group ⌊ms since the epoch / lengthMs⌋; no group without a readable time in 1970–2199. */
  | { readonly by: 'time'; readonly column: string; readonly lengthMs: number }
  /** Group = position of the row's value in `values`; no group for other values. */
  | { readonly by: 'value'; readonly column: string; readonly values: readonly string[] };

export const NO_GROUP = 0xffff_ffff;

/** Some rows of a column; the arrays are overwritten when the next chunk is asked for. */
export interface NumberChunk {
  /** One per row; NaN where there is no number. */
  readonly values: Float64Array;
  /** One per row; empty when no grouping was asked for. */
  readonly groups: Uint32Array;
}

export interface GroupCount {
  readonly group: number;
  readonly rows: number;
}

/** The rows of one side of a comparison: one file, or several read as one. */
export interface ComparedSide {
  readonly files: readonly string[];
  readonly rows: number;
  readonly columns: readonly SideColumn[];
  /** A column as numbers; text is parsed, what does not parse is NaN. In the order of the files, or ascending with NaN last; to be read once. */
  numbers(column: string, grouping: Grouping | null, ascending: boolean): Promise<Iterable<NumberChunk>>;
  /** Rows per group whose text is neither a number nor a usual word for "missing". */
  mistyped(column: string, grouping: Grouping | null): Promise<GroupCount[]>;
  /** Whether all texts are numbers, without leading zeros, or usual words for "missing"; with some of either. */
  gappedNumbers(column: string): Promise<boolean>;
  /** Rows with a value and distinct values, of many columns at once. */
  distinct(columns: readonly string[]): Promise<ReadonlyMap<string, { present: number; distinct: number }>>;
  /** Distinct values as text, most frequent first, at most `limit`. */
  categories(column: string, limit: number): Promise<{ value: string; rows: number }[]>;
  /**
   * Rows per group and position in `categories`; `categories.length` stands for values outside of it, `NO_GROUP` for missing ones.
   */
  categoryCounts(
    column: string,
    categories: readonly string[],
    grouping: Grouping | null,
  ): Promise<(GroupCount & { readonly position: number })[]>;
  /**
   * Some rows, the same ones each time, in random order: a value for each asked column, null where there is none. Reads all rows of these
   * columns, in one thread.
   */
  sample(
    columns: readonly { readonly name: string; readonly kind: 'numeric' | 'categorical' }[],
    limit: number,
  ): Promise<(number | string | null)[][]>;
  /** Rows per group. */
  groupRows(grouping: Grouping): Promise<GroupCount[]>;
  /** First and last readable time of a column, ms, and the rows without one; null when there is none. */
  timeExtent(column: string): Promise<{ firstMs: number; lastMs: number; timeless: number } | null>;
}

export interface FileComparer {
  /**
   * Opens one side: files (Parquet, CSV, NDJSON) or patterns with `*`, `?` and `**`. Throws AppError `file_unreadable` with what to do:
   * no such file, no rows, not the format its name says, two columns of one name.
   */
  open(patterns: readonly string[]): Promise<ComparedSide>;
}
