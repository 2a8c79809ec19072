import type { Grid, Profile } from './profile.js';
import type { NullModel } from './reference.js';
import type { Verdict, VerdictStatus } from './verdict.js';
import type { Window } from './window.js';

/** What a comparison takes a column for. Only `numeric`, `categorical` and `boolean` ones are tested. */
export type ComparedKind = 'numeric' | 'categorical' | 'boolean' | 'datetime' | 'identifier' | 'unknown';

/** What the counts of one column show, for pictures; null where the column could not be compared. */
export interface ComparedCounts {
  readonly grid: Grid;
  readonly reference: Profile;
  readonly current: Profile;
}

export interface ComparedColumn {
  readonly column: string;
  readonly kind: ComparedKind;
  /** Significance alone. */
  readonly status: VerdictStatus;
  /** Whether a drift is also large enough to matter. */
  readonly material: boolean;
  /** The test that decides about the column's shape; null where none could be made. */
  readonly primary: Verdict | null;
  readonly verdicts: readonly Verdict[];
  /** Shares of rows without a value; null where unknown. */
  readonly missing: { readonly reference: number | null; readonly current: number | null };
  readonly explanation: string;
  readonly counts: ComparedCounts | null;
}

/** Whether rows of both sides can be told apart by how their columns go together. */
export interface ComparedTogether {
  readonly verdict: Verdict;
  readonly explanation: string;
}

/** One window of the current side, or one segment of both. */
export interface ComparedPart {
  readonly name: string;
  /** Of a window of time; null for one of rows, and for a segment. */
  readonly window: Window | null;
  readonly referenceRows: number;
  readonly rows: number;
  readonly columns: readonly ComparedColumn[];
}

export interface Dataset {
  /** `drifted` when any column is, or how they go together, `undecided` when no column could be decided. */
  readonly status: VerdictStatus;
  readonly drifted: number;
  readonly undecided: number;
}

export interface Comparison {
  readonly reference: { readonly files: readonly string[]; readonly rows: number; readonly hash: string };
  readonly current: { readonly files: readonly string[]; readonly rows: number };
  readonly level: number;
  readonly columns: readonly ComparedColumn[];
  readonly dataset: Dataset;
  /** All rows; null where it was not asked for. */
  readonly together: ComparedTogether | null;
  /** Judged one by one; `temporal` where the reference showed how much its own windows differ. */
  readonly windows: { readonly null: NullModel['kind']; readonly parts: readonly ComparedPart[] } | null;
  readonly segments: { readonly column: string; readonly parts: readonly ComparedPart[] } | null;
  /** What the reader should know beside the table, for people. */
  readonly notes: readonly string[];
}
