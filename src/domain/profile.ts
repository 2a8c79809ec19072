import type { FeatureKind } from './model.js';

/**
 * The fixed cells that a feature's values are counted in, frozen when the model's first reference is registered.
 *
 * Numeric, k cut points c₀ < … < cₖ₋₁: cell 2i+1 is "equal to cᵢ", cell 2i is "strictly between cᵢ₋₁ and cᵢ"
 * (cell 0 below c₀, cell 2k above cₖ₋₁): 2k+1 cells, so both CDFs are exact at every cut point.
 * Categorical, K head categories: cells 0…K−1 are those categories, cell K is the pooled tail (known to the
 * reference, not in the head), cell K+1 is unseen values.
 */
export type Grid =
  | {
      readonly kind: 'numeric';
      readonly feature: string;
      readonly cutPoints: readonly number[];
      /** Unit of the quantised cell offsets: a profile's `offsets[i]` × quantum is the cell's exact Σ(x − c). */
      readonly quantum: number;
    }
  | {
      readonly kind: 'categorical';
      readonly feature: string;
      /** Most frequent first; the first `headSize` have a cell of their own. */
      readonly categories: readonly string[];
      readonly headSize: number;
      /**
       * Share of the values the grid was built from that occur there once: about the share of new categories that the next rows
       * would bring (Good 1953). 0 when left out.
       */
      readonly singletonShare?: number;
    };

/** Whether the grid was built from a column without a value: a later reference that has some brings its own. */
export function isEmptyGrid(grid: Grid): boolean {
  return grid.kind === 'numeric' ? grid.cutPoints.length === 0 : grid.categories.length === 0;
}

export function cellCount(grid: Grid): number {
  return grid.kind === 'numeric' ? 2 * grid.cutPoints.length + 1 : grid.headSize + 2;
}

/** Latencies come without a reference, so their cut points are fixed: 1 µs to 1 h, a step of 2.2 %. Units: ms. */
export function latencyGrid(feature: string): Grid {
  const [least, greatest, points] = [1e-3, 3.6e6, 1_000];
  const step = Math.log(greatest / least) / (points - 1);
  // Twelve digits: the same on every machine, whatever its exp() does with the last one.
  const cutPoints = Array.from({ length: points }, (_, i) =>
    Number((least * Math.exp(step * i)).toPrecision(12)),
  );
  return { kind: 'numeric', feature, cutPoints, quantum: 2 ** -10 };
}

const QUANTA_PER_RANGE = 2 ** 26;
/** A column that is 0 throughout says nothing about its scale. */
const RANGE_OF_ZERO = 1_024;

/**
 * Unit of a grid's offsets: the least power of two of which the reference's range holds at most 2^26, so that sums over half a
 * billion rows stay exact integers. A constant column's range is its size. Units: those of the feature.
 */
export function quantumFor(least: number, greatest: number): number {
  const width = greatest - least;
  const range = width > 0 ? Math.min(width, Number.MAX_VALUE) : Math.abs(least) || RANGE_OF_ZERO;
  return 2 ** Math.max(-1_000, Math.ceil(Math.log2(range / QUANTA_PER_RANGE)));
}

/** Places of cells, and their counts. */
export interface FilledCells {
  readonly cells: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
}

/**
 * Mergeable counts of one feature over some rows. Everything adds up, so buckets tile windows and shards merge in any order.
 * rows = present + missing + mistyped; for numeric features present = Σ counts + nonFinite, else present = Σ counts.
 */
export interface Profile {
  readonly feature: string;
  readonly kind: FeatureKind;
  /** All rows of the bucket, whether they carry the feature or not. */
  readonly rows: number;
  readonly missing: number;
  /** NaN and ±Infinity. */
  readonly nonFinite: number;
  /** A numeric feature that arrived as text. */
  readonly mistyped: number;
  /** Length cellCount(grid). */
  readonly counts: readonly number[];
  /** Numeric: Σ(x − c) per cell in units of the grid's quantum, c the cut point at the cell's lower end (c₀ for cell 0). */
  readonly offsets: readonly number[];
  /** Least and greatest finite value; null when there is none. */
  readonly min: number | null;
  readonly max: number | null;
  /** The cells with a count, ascending, where they are known by themselves: most of a short window's are empty. */
  readonly filled?: FilledCells | undefined;
}
