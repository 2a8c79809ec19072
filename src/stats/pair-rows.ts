/** A column of rows as they come. */
export interface SourceColumn {
  readonly name: string;
  readonly kind: 'numeric' | 'categorical';
}

/** A column of rows as numbers: a numeric value, or the number of a category. */
export interface PairColumn extends SourceColumn {
  /** Categories with a number of their own, the most frequent first; all others share the number after the last. */
  readonly categories: readonly string[];
}

/** Rows as numbers, row-major, NaN where a value is missing. */
export interface PairRows {
  readonly values: Float64Array;
  readonly rows: number;
}

type Cell = number | string | null | undefined;

const MOST_CATEGORIES = 8;
/** A rarer category goes with nothing in a way that could be seen. */
const LEAST_SHARE = 0.02;

/** Chooses from reference rows which categories get a number. */
export function fitPairColumns(
  columns: readonly SourceColumn[],
  rows: readonly (readonly Cell[])[],
): PairColumn[] {
  return columns.map(({ name, kind }, at) => {
    if (kind === 'numeric') return { name, kind, categories: [] };
    const counts = new Map<string, number>();
    for (const row of rows) {
      const value = row[at];
      if (typeof value === 'string') counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const categories = [...counts]
      .filter(([, count]) => count >= LEAST_SHARE * rows.length)
      .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
      .slice(0, MOST_CATEGORIES)
      .map(([category]) => category);
    return { name, kind, categories };
  });
}

/** Turns rows, in the order of `columns`, into numbers: what is not finite, or text in a numeric column, is missing. */
export function encodePairRows(
  columns: readonly PairColumn[],
  rows: readonly (readonly Cell[])[],
  into: Float64Array = new Float64Array(rows.length * columns.length),
): PairRows {
  const numbers = columns.map(({ categories }) => new Map(categories.map((category, i) => [category, i])));
  rows.forEach((row, i) => {
    columns.forEach(({ kind, categories }, at) => {
      const cell = row[at];
      let value = Number.NaN;
      if (kind === 'numeric') {
        if (typeof cell === 'number' && Number.isFinite(cell)) value = cell;
      } else if (typeof cell === 'string') value = numbers[at]?.get(cell) ?? categories.length;
      into[i * columns.length + at] = value;
    });
  });
  return { values: into, rows: rows.length };
}
