import { readFileSync } from 'node:fs';

interface Expected {
  readonly value: number;
  readonly pValue: number;
}

interface SharesOracle {
  readonly divergence: readonly {
    readonly name: string;
    readonly reference: number[];
    readonly current: number[];
    readonly cells: number;
    readonly psi: Expected;
    readonly jensenShannon: Expected;
    readonly hellinger: Expected;
  }[];
}

/** Vectors of test/oracle/generate-shares.py. */
export function sharesOracle(): SharesOracle {
  return JSON.parse(readFileSync('test/oracle/shares.json', 'utf8')) as SharesOracle;
}
