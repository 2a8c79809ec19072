import { readFileSync } from 'node:fs';

interface NumericOracle {
  readonly smooth: {
    readonly cases: readonly {
      readonly name: string;
      readonly current: number[];
      readonly reference: number[];
      readonly kruskal: number;
      /** Q of degree 1 … 4, and the share of permutations that reach it. */
      readonly q: number[];
      readonly permutation?: number[];
    }[];
    readonly binary: readonly {
      readonly current: number[];
      readonly reference: number[];
      readonly p: number;
    }[];
  };
  readonly hypergeometric: readonly {
    readonly all: number;
    readonly marked: number;
    readonly draws: number;
    readonly pmf: number[];
  }[];
  readonly moments: readonly {
    readonly name: string;
    readonly current: number[];
    readonly reference: number[];
    readonly t: number | null;
    readonly levene: number | null;
    readonly wasserstein: number;
    /** Standard deviation of the reference. */
    readonly spread: number;
  }[];
  readonly large: readonly {
    readonly current: number[];
    readonly reference: number[];
    readonly q: number;
    readonly p: number;
  }[];
}

/** Vectors of test/oracle/generate-numeric.py. */
export function numericOracle(): NumericOracle {
  return JSON.parse(readFileSync('test/oracle/numeric.json', 'utf8')) as NumericOracle;
}
