import { chiSquareStatistic, LEAST_EXPECTED } from './chi-square.js';
import { chiSquareCdf, chiSquareSf } from './special.js';

/** A statistic's first three cumulants under permutation of the rows. */
export interface Cumulants {
  readonly mean: number;
  readonly variance: number;
  readonly third: number;
}

/** X² of a 2×k table whose rare cells are tested apart: see `splitChiSquare`. */
export interface SplitChiSquare {
  /** X² of the frequent cells and the pool, plus `weight` times X² inside the pool. */
  readonly statistic: number;
  readonly null: Cumulants;
  /** Unweighted X² less its expectation, which the true difference of the shares adds to, and its variance without any. */
  readonly excess: number;
  readonly excessVariance: number;
  /** Cells with a count. */
  readonly cells: number;
  /** Cells in the pool; 0 where every cell is frequent and `statistic` is plain X². */
  readonly rareCells: number;
  readonly weight: number;
}

interface Cell {
  readonly current: number;
  readonly both: number;
}

/**
 * Pearson's X² for tables with many or thin cells. Cells whose expected count in the smaller sample, by the pooled counts of
 * both samples, is below 5 (Cochran 1954) form a pool. X² falls into two nearly independent parts (Kimball 1954, Biometrics
 * 10:452): frequent cells against the pool, about χ², and cells inside the pool, whose moments under permutation are
 * known. A thin cell's part varies so much that plain X² would drown a change among frequent cells, so the second part is
 * scaled down to the first one's spread. The weight is ruled by the margins alone, so it cannot choose the test by the data.
 */
export function splitChiSquare(reference: readonly number[], current: readonly number[]): SplitChiSquare {
  if (reference.length !== current.length)
    throw new RangeError(`cell counts have lengths ${reference.length} and ${current.length}: use one grid`);
  const cells = filledCells(reference, current);
  const { current: n, both: all } = poolOf(cells);
  if (!(n > 0 && n < all)) throw new RangeError(`sample sizes are ${n} and ${all - n}: both need a row`);
  const frequent = frequentCells(cells, Math.min(n, all - n) / all);
  const rare = cells.slice(frequent);
  const pool = poolOf(rare);
  const outer = rare.length > 0 ? [...cells.slice(0, frequent), pool] : cells;
  const between = outer.length > 1 ? statisticOf(outer) : 0;
  const degrees = outer.length - 1;
  const isSplit = rare.length > 1 && pool.current > 0 && pool.current < pool.both;
  if (!isSplit) {
    return {
      statistic: between,
      null: { mean: degrees, variance: 2 * degrees, third: 8 * degrees },
      excess: between - degrees,
      excessVariance: 2 * degrees,
      cells: cells.length,
      rareCells: rare.length,
      weight: 0,
    };
  }
  const inner = permutationCumulants(
    rare.map((cell) => cell.both),
    pool.current,
    pool.both,
  );
  const within = statisticOf(rare);
  const weight = degrees === 0 ? 1 : Math.min(1, Math.sqrt((2 * degrees) / inner.variance));
  return {
    statistic: between + weight * within,
    null: {
      mean: degrees + weight * inner.mean,
      variance: 2 * degrees + weight ** 2 * inner.variance,
      third: 8 * degrees + weight ** 3 * inner.third,
    },
    excess: between - degrees + within - inner.mean,
    excessVariance: 2 * degrees + inner.variance,
    cells: cells.length,
    rareCells: rare.length,
    weight,
  };
}

/** Cells with a count, most frequent first; of two alike the one that comes first. */
function filledCells(reference: readonly number[], current: readonly number[]): Cell[] {
  const size = reference.length;
  // One number per cell sorts natively; sums of counts are far below 2⁵³ over the number of cells.
  const keys = new Float64Array(size);
  for (let i = 0; i < size; i++)
    keys[i] = ((reference[i] as number) + (current[i] as number)) * size + (size - 1 - i);
  keys.sort();
  const cells: Cell[] = [];
  for (let k = size - 1; k >= 0; k--) {
    const key = keys[k] as number;
    if (key < size) break;
    const at = size - 1 - (key % size);
    cells.push({ current: current[at] as number, both: Math.floor(key / size) });
  }
  return cells;
}

/** How many of the cells, most frequent first, stand for themselves: the rest is one cell or none, and no thin one. */
function frequentCells(cells: readonly Cell[], smallerShare: number): number {
  let frequent = cells.length;
  let rare = 0;
  const isThin = (count: number) => count * smallerShare < LEAST_EXPECTED;
  while (frequent > 0) {
    const least = cells[frequent - 1] as Cell;
    const inPool = cells.length - frequent;
    // Of cells that are alike none is taken before the others: the order of cells must not matter.
    const isApart = cells[frequent]?.both !== least.both;
    if (isApart && !isThin(least.both) && (inPool === 0 || (inPool > 1 && !isThin(rare)))) break;
    rare += least.both;
    frequent--;
  }
  return frequent;
}

function poolOf(cells: readonly Cell[]): Cell {
  let current = 0;
  let both = 0;
  for (const cell of cells) {
    current += cell.current;
    both += cell.both;
  }
  return { current, both };
}

function statisticOf(cells: readonly Cell[]): number {
  return chiSquareStatistic({
    reference: cells.map((cell) => cell.both - cell.current),
    current: cells.map((cell) => cell.current),
  }).statistic;
}

/**
 * Cumulants of X² when `sampled` of all `rows` rows are drawn without return, so that both margins stay. Mean and variance
 * are exact. The third cumulant takes the drawn counts as independent binomials given their sum: it is that of Σ(f − β·s) for
 * f = s²/v, β the regression of X² on the sum (Holst 1972, Biometrika 59:137), less the degree of freedom that fixing
 * the sum takes, and scaled by how far off the same reasoning is for the variance.
 *
 * @param totals counts of both samples by cell, each above 0; at least two cells
 */
export function permutationCumulants(totals: readonly number[], sampled: number, rows: number): Cumulants {
  const share = sampled / rows;
  const r = share * (1 - share);
  const lean = 1 - 2 * share;
  const cells = totals.length;
  const beta = (cells * lean) / (rows * r);
  let spread = 0;
  let third = 0;
  let last = 0;
  let lastSpread = 0;
  let lastThird = 0;
  for (const count of totals) {
    // Thin cells are often alike.
    if (count === last) {
      spread += lastSpread;
      third += lastThird;
      continue;
    }
    const v = count * r;
    // Cumulants of a binomial count, then its central moments.
    const k3 = v * lean;
    const k4 = v * (1 - 6 * r);
    const k5 = v * lean * (1 - 12 * r);
    const k6 = v * (1 - 30 * r + 120 * r * r);
    const m4 = k4 + 3 * v * v;
    const m5 = k5 + 10 * k3 * v;
    const m6 = k6 + 15 * k4 * v + 10 * k3 * k3 + 15 * v * v * v;
    last = count;
    lastSpread = m4 / (v * v) - 1;
    lastThird =
      m6 / (v * v * v) -
      (3 * m4) / (v * v) +
      2 -
      3 * beta * (m5 / (v * v) - (2 * k3) / v) +
      3 * beta * beta * (m4 / v - v) -
      beta * beta * beta * k3;
    spread += lastSpread;
    third += lastThird;
  }
  spread -= (cells * lean) ** 2 / (rows * r);
  const kept = (cells - 1) / cells;
  const nearly = Math.max(spread - 2, spread * kept * kept);
  const variance = Math.max(permutationVariance(totals, sampled, rows), LEAST_VARIANCE);
  return {
    mean: ((cells - 1) * rows) / (rows - 1),
    variance,
    third: Math.max(third - 8, third * kept ** 3, LEAST_VARIANCE) * (variance / nearly) ** 1.5,
  };
}

/** Where all cells hold one row X² cannot vary. */
const LEAST_VARIANCE = 1e-9;

/** Exact variance of X², from the factorial moments E[(a)ₖ(b)ₗ] = (s)ₖ(t)ₗ·(n)ₖ₊ₗ/(N)ₖ₊ₗ of the drawn counts. */
function permutationVariance(totals: readonly number[], n: number, rows: number): number {
  const cells = totals.length;
  const h1 = n / rows;
  const h2 = (h1 * (n - 1)) / (rows - 1);
  const h3 = rows > 2 ? (h2 * (n - 2)) / (rows - 2) : 0;
  const h4 = rows > 3 ? (h3 * (n - 3)) / (rows - 3) : 0;
  let squares = 0;
  let fourth = 0;
  for (const t of totals) {
    squares += (t - 1) * (t - 1);
    fourth += ((t - 1) * ((t - 2) * ((t - 3) * h4 + 6 * h3) + 7 * h2) + h1) / t;
  }
  const less = rows - cells;
  // X² is N²/(nm) times y = Σ a²/t, less a constant.
  const mean = less * h2 + cells * h1;
  const pairs = (less * less - squares) * h4 + 2 * (cells - 1) * less * h3 + cells * (cells - 1) * h2;
  return (fourth + pairs - mean * mean) * ((rows * rows) / (n * (rows - n))) ** 2;
}

/** Below this skewness a gamma is a normal distribution in all but name, and its shape would grow without bound. */
const LEAST_SKEWNESS = 2e-3;

/** P(X ≥ x) of the shifted gamma distribution (Pearson type III) with these cumulants; exactly χ²'s for χ²'s. */
export function gammaTail(x: number, cumulants: Cumulants): number {
  const { y, df } = chiSquareScale(x, cumulants);
  return chiSquareSf(y, df);
}

/** P(X ≤ x) of the same law. */
export function gammaLowerTail(x: number, cumulants: Cumulants): number {
  const { y, df } = chiSquareScale(x, cumulants);
  return chiSquareCdf(y, df);
}

/** The same number on the scale of χ² with the same skewness. */
function chiSquareScale(x: number, { mean, variance, third }: Cumulants): { y: number; df: number } {
  const deviation = Math.sqrt(variance);
  const shape = 4 / Math.max(third / (variance * deviation), LEAST_SKEWNESS) ** 2;
  return { y: 2 * shape + (2 * Math.sqrt(shape) * (x - mean)) / deviation, df: 2 * shape };
}
