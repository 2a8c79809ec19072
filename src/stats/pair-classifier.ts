import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import type { PairColumn, PairRows } from './pair-rows.js';
import { pairSignals, type Signal } from './pair-signals.js';
import { type RankAuc, rankAuc } from './rank-auc.js';
import { normalSf } from './special.js';

/** Below so many rows a half has too few to learn from, or to say what was learned. */
export const LEAST_PAIR_ROWS = 100;
/** Products of all pairs of so many signals are looked at; signals beyond it are left out. */
const MOST_SIGNALS = 128;
/** Pairs that the classifier is made of. */
const MOST_PAIRS = 32;
/** Share of chosen pairs that may be chance. */
const FALSE_SHARE = 0.5;
/** Rows of each training half that must have both values. */
const LEAST_BOTH = 20;
/** Pairs that are told. */
const TOLD_PAIRS = 3;

/** Where a pair's part lies: a column, one category of it, or whether it has a value. */
export interface PairPart {
  readonly feature: string;
  readonly category?: string;
  readonly missing?: true;
}

/** Two parts that go together otherwise than they did. */
export interface PairChange {
  readonly parts: readonly [PairPart, PairPart];
  /** Correlation in each sample (of numbers: of their normal scores). */
  readonly reference: number;
  readonly current: number;
  /** Its part of what tells the held-out rows apart, in (0, 1]. */
  readonly share: number;
}

export interface PairComparison extends RankAuc {
  /** Rows that gave the AUC; as many others trained. */
  readonly heldOut: { readonly reference: number; readonly current: number };
  /** Pairs that the classifier was made of, out of how many. */
  readonly chosen: number;
  readonly candidates: number;
  /** Signals that were left out because there were too many. */
  readonly leftOut: number;
  /** Those that tell most, at most three. */
  readonly pairs: readonly PairChange[];
}

export type NotComparable = 'too_few_rows' | 'not_applicable';

export interface PairInput {
  readonly columns: readonly PairColumn[];
  /** Rows in random order: every second one trains. */
  readonly reference: PairRows;
  readonly current: PairRows;
}

interface Pair {
  readonly first: Signal;
  readonly second: Signal;
  /** Mean of the product where both are there, current less reference, over its standard error; training rows. */
  readonly t: number;
  readonly difference: number;
  /** What a row without both values gets: the pooled mean, which tells nothing. */
  readonly fill: number;
}

/**
 * Whether two samples of rows can be told apart by how their columns go together: a linear discriminant on products of two columns'
 * scores, trained on every second row; the others give its AUC, whose null is a permutation's. Products that the training rows tell to
 * be more than chance are chosen (Benjamini & Hochberg 1995 at ½; the best one at least, 32 at most). What a single column shows is in
 * no product. Pure: the same rows give the same answer.
 */
export function comparePairs({ columns, reference, current }: PairInput): PairComparison | NotComparable {
  if (reference.rows < LEAST_PAIR_ROWS || current.rows < LEAST_PAIR_ROWS) return 'too_few_rows';
  const found = pairSignals(columns, reference, current, isTraining);
  const signals = found.slice(0, MOST_SIGNALS);
  const sizes = { reference: reference.rows, current: current.rows };
  const candidates = pairsOf(signals, sizes);
  const pairs = choose(candidates);
  if (pairs.length === 0) return 'not_applicable';
  const products = pairs.map((pair) => productOf(pair, reference.rows + current.rows));
  const weights = discriminant(pairs, products, sizes);
  const scoresOf = (from: number, rows: number) => {
    const scores = new Float64Array(rows >> 1);
    products.forEach((product, k) => {
      for (let i = 1; i < rows; i += 2)
        scores[i >> 1] = (scores[i >> 1] as number) + (weights[k] as number) * (product[from + i] as number);
    });
    return scores;
  };
  const held = { reference: scoresOf(0, reference.rows), current: scoresOf(reference.rows, current.rows) };
  return {
    ...rankAuc(held.current, held.reference),
    heldOut: { reference: held.reference.length, current: held.current.length },
    chosen: pairs.length,
    candidates: candidates.length,
    leftOut: found.length - signals.length,
    pairs: changesOf(columns, { pairs, products, weights, sizes }),
  };
}

const isTraining = (row: number) => row % 2 === 0;

interface Sizes {
  readonly reference: number;
  readonly current: number;
}

function pairsOf(signals: readonly Signal[], sizes: Sizes): Pair[] {
  const pairs: Pair[] = [];
  for (const [at, first] of signals.entries())
    for (let other = at + 1; other < signals.length; other++) {
      const second = signals[other] as Signal;
      // What one column says twice is no news of two.
      if (first.column === second.column) continue;
      const was = momentsOf(first, second, 0, sizes.reference);
      const is = momentsOf(first, second, sizes.reference, sizes.current);
      if (was.count < LEAST_BOTH || is.count < LEAST_BOTH) continue;
      const error = Math.sqrt(was.variance / was.count + is.variance / is.count);
      if (!(error > 0)) continue;
      const difference = is.mean - was.mean;
      pairs.push({
        first,
        second,
        difference,
        t: difference / error,
        fill: (was.mean * was.count + is.mean * is.count) / (was.count + is.count),
      });
    }
  return pairs;
}

/** Of the product, over the training rows that have both values. */
function momentsOf(
  { values: a, present: inA }: Signal,
  { values: b, present: inB }: Signal,
  from: number,
  rows: number,
) {
  let count = (rows + 1) >> 1;
  if (inA !== null || inB !== null) {
    count = 0;
    for (let i = from; i < from + rows; i += 2)
      if ((inA === null || inA[i] === 1) && (inB === null || inB[i] === 1)) count++;
  }
  let sum = 0;
  let squares = 0;
  // Where either has no value the product is 0.
  for (let i = from; i < from + rows; i += 2) {
    const product = (a[i] as number) * (b[i] as number);
    sum += product;
    squares += product * product;
  }
  const mean = sum / count;
  const variance = squares / count - mean * mean;
  return { count, mean, variance: Math.max(0, variance) };
}

function hasBoth({ first, second }: Pair, row: number): boolean {
  return (
    (first.present === null || first.present[row] === 1) &&
    (second.present === null || second.present[row] === 1)
  );
}

function choose(candidates: readonly Pair[]): Pair[] {
  const ordered = [...candidates].sort((a, b) => Math.abs(b.t) - Math.abs(a.t));
  let chosen = Math.min(1, ordered.length);
  ordered.forEach(({ t }, i) => {
    if (2 * normalSf(Math.abs(t)) <= (FALSE_SHARE * (i + 1)) / ordered.length) chosen = i + 1;
  });
  return ordered.slice(0, Math.min(chosen, MOST_PAIRS));
}

function productOf(pair: Pair, rows: number): Float64Array {
  const product = new Float64Array(rows);
  const { values: a } = pair.first;
  const { values: b } = pair.second;
  for (let i = 0; i < rows; i++)
    product[i] = hasBoth(pair, i) ? (a[i] as number) * (b[i] as number) : pair.fill;
  return product;
}

/** Weights (S + λI)⁻¹·d: S the products' covariance within the samples, λ what chance of the rows gives d·dᵀ on its diagonal. */
function discriminant(
  pairs: readonly Pair[],
  products: readonly Float64Array[],
  { reference, current }: Sizes,
): Float64Array {
  const training = [
    { from: 0, rows: reference, count: (reference + 1) >> 1 },
    { from: reference, rows: current, count: (current + 1) >> 1 },
  ];
  const count = training.reduce((sum, side) => sum + side.count, 0);
  const centred = products.map((product) => {
    const values = new Float64Array(count);
    let at = 0;
    for (const side of training) {
      let sum = 0;
      for (let i = 0; i < side.rows; i += 2) sum += product[side.from + i] as number;
      for (let i = 0; i < side.rows; i += 2)
        values[at++] = (product[side.from + i] as number) - sum / side.count;
    }
    return values;
  });
  const covariance = Matrix.zeros(pairs.length, pairs.length);
  for (let i = 0; i < pairs.length; i++)
    for (let j = 0; j <= i; j++) {
      const a = centred[i] as Float64Array;
      const b = centred[j] as Float64Array;
      let sum = 0;
      for (let row = 0; row < count; row++) sum += (a[row] as number) * (b[row] as number);
      covariance.set(i, j, sum / count);
      covariance.set(j, i, sum / count);
    }
  const [a = training[0], b = training[1]] = training;
  const information = ((a?.count ?? 1) * (b?.count ?? 1)) / count;
  const ridge = covariance.trace() / information;
  const cholesky = new CholeskyDecomposition(
    Matrix.add(covariance, Matrix.eye(pairs.length, pairs.length, ridge)),
  );
  return Float64Array.from(
    cholesky.solve(Matrix.columnVector(pairs.map((pair) => pair.difference))).to1DArray(),
  );
}

/** Each pair's part of the distance between the held-out rows' mean scores; those that bring them nearer tell nothing. */
function changesOf(
  columns: readonly PairColumn[],
  made: {
    readonly pairs: readonly Pair[];
    readonly products: readonly Float64Array[];
    readonly weights: Float64Array;
    readonly sizes: Sizes;
  },
): PairChange[] {
  const { sizes } = made;
  const parts = made.pairs.map((pair, k) => {
    const product = made.products[k] as Float64Array;
    const distance =
      heldOutMean(product, sizes.reference, sizes.current) - heldOutMean(product, 0, sizes.reference);
    return { pair, part: (made.weights[k] as number) * distance };
  });
  const telling = parts.filter(({ part }) => part > 0).sort((a, b) => b.part - a.part);
  const whole = telling.reduce((sum, { part }) => sum + part, 0);
  return telling.slice(0, TOLD_PAIRS).map(({ pair, part }) => ({
    parts: [partOf(columns, pair.first), partOf(columns, pair.second)],
    reference: correlation(pair, 0, sizes.reference),
    current: correlation(pair, sizes.reference, sizes.current),
    share: part / whole,
  }));
}

function heldOutMean(product: Float64Array, from: number, rows: number): number {
  let sum = 0;
  for (let i = 1; i < rows; i += 2) sum += product[from + i] as number;
  return sum / (rows >> 1);
}

function partOf(columns: readonly PairColumn[], { column, of }: Signal): PairPart {
  const feature = columns[column]?.name ?? '';
  if (of === null) return { feature };
  return of === 'missing' ? { feature, missing: true } : { feature, category: of.category };
}

/** Within one sample, over all rows that have both values; 0 where either is one value there. */
function correlation(pair: Pair, from: number, rows: number): number {
  let count = 0;
  let [a, b, aa, bb, ab] = [0, 0, 0, 0, 0];
  for (let i = from; i < from + rows; i++) {
    if (!hasBoth(pair, i)) continue;
    const x = pair.first.values[i] as number;
    const y = pair.second.values[i] as number;
    count++;
    a += x;
    b += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  const spread = Math.sqrt((aa - (a * a) / count) * (bb - (b * b) / count));
  return spread > 0 ? Math.max(-1, Math.min(1, (ab - (a * b) / count) / spread)) : 0;
}
