import { readFileSync } from 'node:fs';

interface Oracle {
  readonly special: {
    readonly chiSquare: readonly [number, number, number][];
    readonly f: readonly [number, number, number, number][];
    readonly normal: readonly [number, number][];
    readonly normalHalfWidth: readonly [number, number][];
    readonly kolmogorov: readonly [number, number][];
  };
  readonly ks: {
    readonly cases: readonly {
      readonly name: string;
      readonly a: number[];
      readonly b: number[];
      readonly d: number;
      readonly exact: number;
    }[];
    /** D, n, m, p. */
    readonly large: readonly [number, number, number, number][];
  };
  readonly psi: readonly {
    readonly name: string;
    readonly reference: (number | null)[];
    readonly current: number[];
    readonly psi: number;
    readonly cells: number;
    readonly pValue: number;
  }[];
  readonly chiSquare: readonly {
    readonly name: string;
    readonly reference: number[];
    readonly current: number[];
    readonly statistic: number;
    readonly df: number;
    readonly pValue: number;
    readonly v: number;
  }[];
  readonly proportion: readonly {
    readonly current: [number, number];
    readonly reference: [number, number];
    readonly fisher: number;
    readonly zSquared: number;
  }[];
  readonly multiple: {
    readonly pValues: number[];
    readonly holm: number[];
    readonly benjaminiHochberg: number[];
  };
}

/** Vectors of test/oracle/generate.py. */
export function oracle(): Oracle {
  return JSON.parse(readFileSync('test/oracle/statistics.json', 'utf8')) as Oracle;
}

export interface FlightOracle {
  readonly month: number;
  readonly feature: string;
  readonly kind: 'numeric' | 'categorical';
  readonly d?: number;
  readonly psi?: number | null;
  readonly chiSquare?: number;
  readonly df?: number;
}

/** scipy's figures of March–May against the reference; made by test/oracle/generate.py. */
export function flightOracle(): FlightOracle[] {
  return JSON.parse(readFileSync('test/oracle/flights-statistics.json', 'utf8')) as FlightOracle[];
}
