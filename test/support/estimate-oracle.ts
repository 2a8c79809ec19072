import { readFileSync } from 'node:fs';
import type { BusinessValue } from '../../src/stats/estimate/expected-performance.js';

/** Score and label. */
export type BinaryRow = readonly [number, number];
export interface OracleFigure {
  readonly estimated?: number;
  readonly samplingError?: number;
  readonly realised: number;
}
interface Chunk<Row> {
  readonly rows: readonly Row[];
  readonly figures: Readonly<Record<string, OracleFigure>>;
}

interface BinaryOracle {
  readonly threshold: number;
  readonly values: BusinessValue;
  readonly reference: readonly BinaryRow[];
  readonly chunks: readonly Chunk<BinaryRow>[];
  readonly isotonic: readonly (readonly [number, number])[];
}

/** Values in the order of the columns, then the label. */
export type RegressionRow = readonly (number | string)[];
interface RegressionOracle {
  readonly columns: readonly string[];
  readonly reference: readonly RegressionRow[];
  readonly chunks: readonly Chunk<RegressionRow>[];
}

interface Oracle {
  readonly binary: BinaryOracle;
  readonly regression: { readonly additive: RegressionOracle; readonly interaction: RegressionOracle };
}

let vectors: Oracle | undefined;

function read(): Oracle {
  vectors ??= JSON.parse(readFileSync('test/oracle/estimate.json', 'utf8')) as Oracle;
  return vectors;
}

/** Vectors of test/oracle/estimate.py. */
export const binaryOracle = () => read().binary;
export const regressionOracle = () => read().regression;
