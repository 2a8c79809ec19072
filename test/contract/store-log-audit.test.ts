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
    const stored = (fromOffset: number, toOffset: number) =>
      backend.store.storedRange({ ...log, fromOffset, toOffset });
    const { offsets, lists } = await stored(10, 20);
    expect([...offsets.keys()].sort()).toEqual([10, 14, 15, 16]);
    expect(offsets.get(10)).toEqual(new Set([0, 7]));
    expect([...lists].sort()).toEqual(['halves', 'labels', 'predictions', 'rejected']);
    const newest = await stored(last, last);
    expect([...newest.offsets.keys()]).toEqual([last]);
    expect([...newest.lists]).toEqual(['predictions']);
    const none = await stored(100, 200);
    expect([none.offsets.size, none.lists.size]).toEqual([0, 0]);
  });

  test('keeps out rejected rows of a batch that arrive later, and those alone', async () => {
    const source = (offset: number) => ({
      source: { kind: 'kafka', topic: 'void@id', partition: 0, offset },
    });
    const stored = async () => {
      const { offsets } = await backend.store.storedRange({
        topic: 'void@id',
        partition: 0,
        fromOffset: 0,
        toOffset: 99,
      });
      return [...offsets.keys()].sort();
    };
    const insert = (token: string, offset: number) =>
      backend.store.insertRows({
        predictions: [predictionRow(`void-${offset}`, source(offset + 10))],
        labels: [],
        rejected: [rejectedRow(source(offset))],
        token,
      });
    const before = await backend.store.totals();
    await backend.store.voidRejected('void-late');
    await backend.store.voidRejected('void-late');
    expect(await backend.store.totals()).toEqual(before);
    await insert('void-late', 1);
    expect(await stored()).toEqual([11]);
    await insert('void-there', 2);
    await backend.store.voidRejected('void-there');
    expect(await stored()).toEqual([11, 12, 2]);
  });

  test('tells whether an insert of a batch is under way', async () => {
    const token = 'cluster/the_topic/0/e1/0-9';
    const { insertUnderWay } = backend.store;
    expect(await insertUnderWay(token)).toBe(false);
    let ended = false;
    const insert = backend.store
      .insertRows({
        predictions: Array.from({ length: 200_000 }, (_, id) => predictionRow(`slow-${id}`)),
        labels: [],
        rejected: [],
        token,
      })
      .finally(() => {
        ended = true;
      });
    let seen = false;
    while (!ended && !seen) seen = await insertUnderWay(token);
    await insert;
    expect(seen).toBe(true);
    expect(await insertUnderWay(token)).toBe(false);
  });
});
