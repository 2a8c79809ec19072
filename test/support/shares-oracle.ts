import { readFileSync } from 'node:fs';

interface Expected {
  readonly value: number;
  readonly pValue: number;
}

interface SharesOracle {
  /** Hits, n, m, P(at least so many hits). */
  readonly exceedance: readonly [number, number, number, number][];
  readonly rarefaction: readonly {
    readonly name: string;
    readonly totals: number[];
    readonly sampled: number;
    readonly draws: number;
    readonly mean: number;
    /** Number of cells, share of draws with at least and at most so many. */
    readonly tails: readonly [number, number, number][];
  }[];
  /** Rows in the category, n, m, of them in the window, P(at least), P(at most). */
  readonly oneCategory: readonly [number, number, number, number, number, number][];
  /** x, degrees of freedom, P(X ≥ x). */
  readonly largeChiSquare: readonly [number, number, number][];
  readonly divergence: readonly {
    readonly name: string;
    readonly reference: number[];
    readonly current: number[];
    readonly cells: number;
    readonly psi: Expected;
    readonly jensenShannon: Expected;
    readonly hellinger: Expected;
  }[];
  readonly permutation: readonly {
    readonly name: string;
    readonly totals: number[];
    readonly sampled: number;
    readonly draws: number;
    readonly mean: number;
    readonly variance: number;
    readonly third: number;
    /** Statistic, share of draws that reach it. */
    readonly tail: readonly [number, number][];
  }[];
  /** z, skewness, P(Z ≥ z). */
  readonly gamma: readonly [number, number, number][];
}

/** Vectors of test/oracle/generate-shares.py. */
export function sharesOracle(): SharesOracle {
  return JSON.parse(readFileSync('test/oracle/shares.json', 'utf8')) as SharesOracle;
}
