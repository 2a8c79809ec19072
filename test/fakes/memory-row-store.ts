import type { RowBatch, RowStore } from '../../src/domain/ports.js';

/** Rows in memory, with the duplicate rules of the real store. `gate` holds inserts back, `failure` makes them fail. */
export function createMemoryRowStore() {
  const ids = new Set<string>();
  const batches: RowBatch[] = [];
  const control: { gate: Promise<void>; failure: Error | null } = { gate: Promise.resolve(), failure: null };
  const keyOf = (row: { model: string; modelVersion: string; predictionId: string; rowIndex: number }) =>
    JSON.stringify([row.model, row.modelVersion, row.predictionId, row.rowIndex]);
  const store: RowStore = {
    findDuplicatePredictions: async (rows) =>
      new Set(rows.flatMap((row, index) => (ids.has(keyOf(row)) ? [index] : []))),
    findDuplicateLabels: async () => new Set<number>(),
    insertRows: async (batch) => {
      await control.gate;
      if (control.failure !== null) throw control.failure;
      batches.push(batch);
      for (const row of batch.predictions) ids.add(keyOf(row));
    },
  };
  return {
    store,
    control,
    predictions: () => batches.flatMap((batch) => batch.predictions),
    labels: () => batches.flatMap((batch) => batch.labels),
    rejected: () => batches.flatMap((batch) => batch.rejected),
  };
}
