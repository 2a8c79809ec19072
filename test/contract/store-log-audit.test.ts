import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { labelRow, predictionRow, rejectedRow } from '../support/rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

describe.each(BACKENDS)('the audit of log offsets in the %s store', (kind) => {
  let backend: StoreBackend;
  beforeAll(async () => {
    backend = await openBackend(kind);
  });
  afterAll(() => backend.close());

  test('finds offsets of a partition in all tables of rows, and only those', async () => {
    const from = (offset: number, over: object = {}) => ({
      source: { kind: 'kafka', topic: "p'@id", partition: 2, offset, ...over },
    });
    const last = Number.MAX_SAFE_INTEGER;
    await backend.store.insertRows({
      predictions: [
        predictionRow('a', from(10)),
        predictionRow('a', { ...from(10), rowIndex: 7 }),
        predictionRow('b', from(11, { partition: 3 })),
        predictionRow('c', from(12, { topic: 'p' })),
        predictionRow('d', from(13, { kind: 'file' })),
        predictionRow('e', from(last)),
      ],
      labels: [labelRow('a', from(14))],
      rejected: [rejectedRow(from(15)), rejectedRow(from(9)), rejectedRow(from(21))],
      halves: [{ call: 'c', side: 'request', timestampMs: 0, model: 'm', payload: '{}', ...from(16) }],
      token: 'audit',
    });
    const log = { topic: "p'@id", partition: 2 };
    const found = await backend.store.storedOffsets({ ...log, fromOffset: 10, toOffset: 20 });
    expect([...found.keys()].sort()).toEqual([10, 14, 15, 16]);
    expect(found.get(10)).toEqual(new Set([0, 7]));
    expect([
      ...(await backend.store.storedOffsets({ ...log, fromOffset: last, toOffset: last })).keys(),
    ]).toEqual([last]);
    expect((await backend.store.storedOffsets({ ...log, fromOffset: 100, toOffset: 200 })).size).toBe(0);
  });
});
