import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { RejectedCursor, StoredRejected } from '../../src/domain/kept-ports.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { HTTP_SOURCE, rejectedRow } from '../support/rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const ALL = { limit: 1_000, maxBytes: 1e6 };
const topic = (name: string, partition: number, offset: number) => ({
  kind: 'kafka',
  topic: name,
  partition,
  offset,
});

describe.each(BACKENDS)('rejected rows in the %s store', (kind) => {
  let backend: StoreBackend;
  let reader: StoreClient;
  beforeAll(async () => {
    backend = await openBackend(kind);
    reader = await createStoreClient(backend.location);
  });
  afterAll(async () => {
    await reader.close();
    await backend.close();
  });
  beforeEach(() => reader.command('TRUNCATE TABLE rejected'));

  const insert = (rows: readonly ReturnType<typeof rejectedRow>[], token: string) =>
    backend.store.insertRows({ predictions: [], labels: [], rejected: rows, token });

  test('are listed as they came, and page by page the same', async () => {
    const rows = [
      ...Array.from({ length: 30 }, (_, index) => rejectedRow({ rowIndex: index, payload: `http ${index}` })),
      rejectedRow({ source: topic('a.b-ü', 0, 9_007_199_254_740_991), payload: 'first topic, late' }),
      rejectedRow({ source: topic('z', 0, 2), rowIndex: 1, payload: 'second row' }),
      rejectedRow({ source: topic('z', 0, 2), rowIndex: 4_294_967_295, payload: 'last row' }),
      rejectedRow({ source: topic('z', 0, 10), payload: 'next record' }),
      rejectedRow({ source: topic('z', 2, 1), payload: 'next partition' }),
    ];
    await insert([...rows].reverse(), 'order');
    const payloads = (list: readonly StoredRejected[]) => list.map(({ payload }) => payload);
    const expected = rows.map(({ payload }) => payload);
    expect(payloads(await backend.store.listRejected(ALL))).toEqual(expected);
    const paged: string[] = [];
    for (let after: RejectedCursor | undefined; ; ) {
      const page = await backend.store.listRejected({ ...ALL, limit: 4, after });
      paged.push(...payloads(page));
      after = page.at(-1);
      if (after === undefined) break;
    }
    expect(paged).toEqual(expected);
    expect((await backend.store.listRejected(ALL))[0]?.source).toEqual(HTTP_SOURCE);
  });

  test('say anew why they are rejected, and keep their places', async () => {
    const rows = Array.from({ length: 5_000 }, (_, index) =>
      rejectedRow({ rowIndex: index, payload: `p${index}` }),
    );
    await insert(rows, 'reasons');
    const before = await backend.store.listRejected({ ...ALL, limit: 5_000 });
    const changed = before.slice(1).map((row, index) => ({
      row,
      reason: index === 0 ? ('too_deep' as const) : ('unmapped' as const),
      detail: `it's why: {x:String} \\ ${index}`,
    }));
    await backend.store.changeReasons(changed);
    await backend.store.changeReasons([]);
    const after = await backend.store.listRejected({ ...ALL, limit: 5_000 });
    expect(after).toEqual(
      before.map((row, index) => {
        const { reason, detail } = changed[index - 1] ?? row;
        return { ...row, reason, detail };
      }),
    );
    await backend.store.removeRejected(after.slice(2));
    expect(await backend.store.countRejected({})).toEqual([
      { model: '', kind: 'prediction', reason: 'malformed_json', rows: 1 },
      { model: '', kind: 'prediction', reason: 'too_deep', rows: 1 },
    ]);
  });
});
