import type { PairColumn, PairRows } from './pair-rows.js';
import { normalHalfWidth } from './special.js';

/** One number per row, mean 0 and variance 1 over both samples. */
export interface Signal {
  /** The column that it is made of. */
  readonly column: number;
  /** Its category, `null` for a number, `missing` for whether there is a value at all. */
  readonly of: { readonly category: string } | 'missing' | null;
  /** Of the reference's rows, then of the current ones; 0 where the column has no value. */
  readonly values: Float64Array;
  /** 1 where it has one; null where all rows do. */
  readonly present: Uint8Array | null;
}

/** Rows off the most frequent value that training halves need on both sides, for a signal to vary. */
const LEAST_VARYING = 10;
const LEAST_VARYING_SHARE = 0.02;

/** A column of both samples. */
interface Pooled {
  readonly values: Float64Array;
  readonly present: Uint8Array | null;
  readonly presentRows: number;
  /** 0 for rows that do not train, 1 for the reference's that do, 2 for the current ones. */
  readonly training: Uint8Array;
}

/**
 * What goes together with what is looked for among these: normal scores of the pooled midranks of a number, whether a row has a
 * category, whether it has a value at all. Both samples are turned into numbers together, so that under one distribution no row's
 * numbers tell which sample it is of. Those that do not vary in the training rows of either sample are left out.
 */
export function pairSignals(
  columns: readonly PairColumn[],
  reference: PairRows,
  current: PairRows,
  isTraining: (row: number) => boolean,
): Signal[] {
  const training = new Uint8Array(reference.rows + current.rows);
  for (let row = 0; row < reference.rows; row++) if (isTraining(row)) training[row] = 1;
  for (let row = 0; row < current.rows; row++) if (isTraining(row)) training[reference.rows + row] = 2;
  const signals: Signal[] = [];
  columns.forEach((column, at) => {
    const pooled = pool(columns.length, at, reference, current, training);
    const { present } = pooled;
    const add = (of: Signal['of'], values: Float64Array | null, mask: Uint8Array | null) => {
      if (values !== null) signals.push({ column: at, of, values, present: mask });
    };
    if (column.kind === 'numeric') add(null, normalScores(pooled), present);
    else
      column.categories.forEach((category, code) => {
        // Of two categories one says it all.
        if (column.categories.length === 2 && code === 1 && !pooled.values.includes(2)) return;
        add({ category }, indicator(pooled, code), present);
      });
    if (present !== null) {
      const gaps = Float64Array.from(present);
      add('missing', indicator({ values: gaps, present: null, presentRows: gaps.length, training }, 0), null);
    }
  });
  return signals;
}

function pool(
  width: number,
  column: number,
  reference: PairRows,
  current: PairRows,
  training: Uint8Array,
): Pooled {
  const values = new Float64Array(training.length);
  const present = new Uint8Array(training.length);
  let presentRows = 0;
  let at = 0;
  for (const { values: from, rows } of [reference, current])
    for (let row = 0; row < rows; row++, at++) {
      const value = from[row * width + column] as number;
      // NaN is neither.
      if (!(value >= 0 || value < 0)) continue;
      values[at] = value;
      present[at] = 1;
      presentRows++;
    }
  return { values, present: presentRows === training.length ? null : present, presentRows, training };
}

/** Whether enough of a side's training rows are off the most frequent value; both sides by number, 0 unused. */
function varies(rows: readonly number[], longest: readonly number[]): boolean {
  return [1, 2].every((side) => {
    const count = rows[side] ?? 0;
    return count - (longest[side] ?? 0) >= Math.max(LEAST_VARYING, LEAST_VARYING_SHARE * count);
  });
}

/** 1 where the value is `code`, standardised; null where it does not vary. */
function indicator({ values, present, presentRows, training }: Pooled, code: number): Float64Array | null {
  const rows = [0, 0, 0];
  const hits = [0, 0, 0];
  let all = 0;
  for (let i = 0; i < values.length; i++) {
    if (present !== null && present[i] === 0) continue;
    const side = training[i] as number;
    rows[side] = (rows[side] as number) + 1;
    if (values[i] !== code) continue;
    hits[side] = (hits[side] as number) + 1;
    all++;
  }
  if (
    !varies(rows, hits) ||
    !varies(
      rows,
      rows.map((count, side) => count - (hits[side] as number)),
    )
  )
    return null;
  const share = all / presentRows;
  const deviation = Math.sqrt(share * (1 - share));
  const hit = (1 - share) / deviation;
  const miss = -share / deviation;
  const made = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++)
    if (present === null || present[i] === 1) made[i] = values[i] === code ? hit : miss;
  return made;
}

/** Normal quantiles of midranks, Φ⁻¹((rank − ½)/n) with ties at their mean rank, standardised; null where they do not vary. */
function normalScores({ values, present, presentRows, training }: Pooled): Float64Array | null {
  const order = new Int32Array(presentRows);
  let next = 0;
  for (let i = 0; i < values.length; i++) if (present === null || present[i] === 1) order[next++] = i;
  order.sort((a, b) => (values[a] as number) - (values[b] as number));
  const rows = [0, 0, 0];
  const longest = [0, 0, 0];
  const scores = new Float64Array(values.length);
  let sum = 0;
  let squares = 0;
  for (let from = 0; from < presentRows; ) {
    const value = values[order[from] as number];
    const run = [0, 0, 0];
    let to = from;
    for (; to < presentRows && values[order[to] as number] === value; to++) {
      const side = training[order[to] as number] as number;
      run[side] = (run[side] as number) + 1;
    }
    const share = (from + to) / (2 * presentRows);
    const score = share < 0.5 ? -normalHalfWidth(1 - 2 * share) : normalHalfWidth(2 * share - 1);
    for (let at = from; at < to; at++) scores[order[at] as number] = score;
    sum += (to - from) * score;
    squares += (to - from) * score * score;
    for (let side = 0; side < 3; side++) {
      rows[side] = (rows[side] as number) + (run[side] as number);
      if ((run[side] as number) > (longest[side] as number)) longest[side] = run[side] as number;
    }
    from = to;
  }
  if (!varies(rows, longest)) return null;
  const mean = sum / presentRows;
  const deviation = Math.sqrt(squares / presentRows - mean * mean);
  for (let at = 0; at < presentRows; at++) {
    const i = order[at] as number;
    scores[i] = ((scores[i] as number) - mean) / deviation;
  }
  return scores;
}
