import type { RowBatch, RowStore } from '../../src/domain/ports.js';
import type { LabelRow, PredictionRow, RejectedRow } from '../../src/domain/prediction.js';
import { AppError } from '../../src/errors.js';
import { PLAIN_LISTS } from '../support/rows.js';

const identity = (row: PredictionRow | LabelRow) =>
  JSON.stringify([row.model, row.modelVersion, row.predictionId, row.rowIndex]);
const labelIdentity = (row: LabelRow) => JSON.stringify([identity(row), row.timestampMs, row.label]);

export interface MemoryTables extends RowStore {
  readonly predictions: PredictionRow[];
  readonly labels: LabelRow[];
  readonly rejected: RejectedRow[];
  /** Tokens in the order of their inserts, repeats included. */
  readonly tokens: string[];
  /** Inserts wait for it: a slow store. */
  gate: Promise<void>;
  /** What every call answers with while it is set: a store that is down. */
  failure: AppError | null;
}

/**
 * Rows in memory, as the port promises them: a token inserts nothing twice, and duplicates are what is stored, not what is on
 * its way (so that only a writer that waits its turn keeps two equal rows apart).
 */
export function createMemoryTables(): MemoryTables {
  const known = new Set<string>();
  const spent = new Set<string>();
  const positions = <Row>(rows: readonly Row[], keyOf: (row: Row) => string) => {
    const before = new Set<string>();
    return new Set(
      rows.flatMap((row, index) => {
        const key = keyOf(row);
        if (known.has(key) || before.has(key)) return [index];
        before.add(key);
        return [];
      }),
    );
  };
  const fail = () => {
    if (store.failure !== null) throw store.failure;
  };
  const store: MemoryTables = {
    ...PLAIN_LISTS,
    predictions: [],
    labels: [],
    rejected: [],
    tokens: [],
    gate: Promise.resolve(),
    failure: null,
    findDuplicatePredictions: async (rows, settled) => {
      await settled?.();
      fail();
      return positions([...rows], identity);
    },
    findDuplicateLabels: async (rows, settled) => {
      await settled?.();
      fail();
      return positions(rows, labelIdentity);
    },
    insertRows: async (batch: RowBatch) => {
      await store.gate;
      fail();
      store.tokens.push(batch.token);
      if (spent.has(batch.token)) return;
      spent.add(batch.token);
      for (const row of batch.predictions) known.add(identity(row));
      for (const row of batch.labels) known.add(labelIdentity(row));
      store.predictions.push(...batch.predictions);
      store.labels.push(...batch.labels);
      store.rejected.push(...batch.rejected);
    },
  };
  return store;
}

/** What a store says while it cannot be reached. */
export const storeDown = () =>
  new AppError('store_unavailable', 'the store does not answer', { retryable: true });
