import type { PairColumn, PairRows } from './pair-rows.js';
import { normalHalfWidth } from './special.js';

/** One number per row, mean 0 and variance 1 over both samples; NaN where the column has no value. */
export interface Signal {
  /** The column that it is made of. */
  readonly column: number;
  /** Its category, `null` for a number, `missing` for whether there is a value at all. */
  readonly of: { readonly category: string } | 'missing' | null;
  /** Of the reference's rows, then of the current ones. */
  readonly values: Float64Array;
}

/** Rows off the most frequent value that training halves need on both sides, for a signal to vary. */
const LEAST_VARYING = 10;
const LEAST_VARYING_SHARE = 0.02;

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
  const all = reference.rows + current.rows;
  const signals: Signal[] = [];
  const training = [
    trainingRows(0, reference.rows, isTraining),
    trainingRows(reference.rows, current.rows, isTraining),
  ];
  columns.forEach(({ kind, categories }, column) => {
    const values = new Float64Array(all);
    for (let i = 0; i < reference.rows; i++)
      values[i] = reference.values[i * columns.length + column] as number;
    for (let i = 0; i < current.rows; i++)
      values[reference.rows + i] = current.values[i * columns.length + column] as number;
    const add = (of: Signal['of'], made: Float64Array) => {
      if (training.every((rows) => varies(made, rows)) && standardise(made))
        signals.push({ column, of, values: made });
    };
    if (kind === 'numeric') add(null, normalScores(values));
    else
      categories.forEach((category, code) => {
        // Of two categories one says it all.
        if (categories.length === 2 && code === 1 && !values.includes(2)) return;
        add(
          { category },
          values.map((value) => (Number.isNaN(value) ? value : Number(value === code))),
        );
      });
    add(
      'missing',
      values.map((value) => Number(Number.isNaN(value))),
    );
  });
  return signals;
}

function trainingRows(from: number, rows: number, isTraining: (row: number) => boolean): Int32Array {
  const chosen: number[] = [];
  for (let row = 0; row < rows; row++) if (isTraining(row)) chosen.push(from + row);
  return Int32Array.from(chosen);
}

/** Whether enough rows are off the most frequent value. */
function varies(values: Float64Array, rows: Int32Array): boolean {
  const present = Float64Array.from(rows, (row) => values[row] as number)
    .filter((value) => !Number.isNaN(value))
    .sort();
  let longest = 0;
  for (let from = 0; from < present.length; ) {
    let to = from;
    while (to < present.length && present[to] === present[from]) to++;
    longest = Math.max(longest, to - from);
    from = to;
  }
  return present.length - longest >= Math.max(LEAST_VARYING, LEAST_VARYING_SHARE * present.length);
}

/** Normal quantiles of midranks: Φ⁻¹((rank − ½)/n), ties at their mean rank. */
function normalScores(values: Float64Array): Float64Array {
  const order = new Int32Array(values.length);
  let present = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i])) order[present++] = i;
  const sorted = order.subarray(0, present).sort((a, b) => (values[a] as number) - (values[b] as number));
  const scores = new Float64Array(values.length).fill(Number.NaN);
  for (let from = 0; from < present; ) {
    let to = from;
    while (to < present && values[sorted[to] as number] === values[sorted[from] as number]) to++;
    const share = (from + to) / (2 * present);
    const score = share < 0.5 ? -normalHalfWidth(1 - 2 * share) : normalHalfWidth(2 * share - 1);
    for (let at = from; at < to; at++) scores[sorted[at] as number] = score;
    from = to;
  }
  return scores;
}

/** Makes mean 0 and variance 1 of the values that are there, in place; false where they are all one. */
function standardise(values: Float64Array): boolean {
  let count = 0;
  let sum = 0;
  for (const value of values)
    if (!Number.isNaN(value)) {
      count++;
      sum += value;
    }
  const mean = sum / count;
  let squares = 0;
  for (const value of values) if (!Number.isNaN(value)) squares += (value - mean) ** 2;
  const deviation = Math.sqrt(squares / count);
  if (!(deviation > 0)) return false;
  for (let i = 0; i < values.length; i++) values[i] = ((values[i] as number) - mean) / deviation;
  return true;
}
