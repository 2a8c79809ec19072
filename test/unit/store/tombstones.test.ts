import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createTargetReader } from '../../../src/collectors/formats/message-targets.js';
import { NO_MAPPING } from '../../../src/domain/mapping.js';
import type { StoreClient } from '../../../src/store/client.js';
import { createTombstones } from '../../../src/store/tombstones.js';
import { rejectedRow } from '../../support/rows.js';

interface Stone {
  readonly model: string;
  readonly kind: string;
  readonly tag: string;
  readonly hash: string;
  readonly revision: number;
}

/** A table of tombstones in memory, which counts how often it is read. */
function setUp() {
  const stones: Stone[] = [];
  let reads = 0;
  const client = {
    query: async (sql: string) => {
      if (sql.includes('tombstone_keys')) return [{ key: '00' }];
      if (sql.includes('GROUP BY')) {
        reads += 1;
        return stones.map((stone) => ({ ...stone, ms: 1_000 }));
      }
      return [{ n: stones.length, sum: stones.map(({ hash }) => hash).join() }];
    },
    insert: async (_: string, rows: readonly object[]) => {
      stones.push(...(rows as Stone[]));
    },
  };
  let revision = 0;
  const nextRevision = () => {
    revision += 1;
    return revision;
  };
  return {
    tombstones: createTombstones(client as unknown as StoreClient, nextRevision, () => 1_000),
    client,
    stones,
    reads: () => reads,
  };
}

describe('a message without a model', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('is read once for all models, of each of which something was erased', async () => {
    const { tombstones } = setUp();
    for (let model = 0; model < 50; model += 1)
      await tombstones.bury(`m${model}`, { kind: 'prediction', predictionId: 'gone' }, [], ['gone'], 1_000);
    const erased = await tombstones.erasedRows(
      createTargetReader((model) => ({ ...NO_MAPPING, version: '1', predictionId: `key_${model}` })),
    );
    const parse = jest.spyOn(JSON, 'parse');
    expect(erased?.rejected(rejectedRow({ payload: '{"key_m7":"here"}' }))).toBe(false);
    expect(parse.mock.calls.length).toBeLessThanOrEqual(2);
    expect(erased?.rejected(rejectedRow({ payload: '{"key_m7":"gone"}' }))).toBe(true);
  });

  test('with more events than are looked at is found by what stands in quotes', async () => {
    const { tombstones } = setUp();
    await tombstones.bury('m', { kind: 'prediction', predictionId: 'gone' }, [], ['gone'], 1_000);
    const erased = await tombstones.erasedRows(
      createTargetReader(() => ({ ...NO_MAPPING, version: '1', predictionId: 'key' })),
    );
    const events = (id: string) => `[{"key":"${id}"}${',{"x":1}'.repeat(30_000)}]`;
    expect(erased?.rejected(rejectedRow({ payload: events('gone') }))).toBe(true);
    expect(erased?.rejected(rejectedRow({ payload: events('here') }))).toBe(false);
    const values = (id: string) => `{"a":[${'1234,'.repeat(250_000)}"${id}"],"b":{"id":"${id}"}}`;
    expect(erased?.rejected(rejectedRow({ payload: values('gone') }))).toBe(true);
    expect(erased?.rejected(rejectedRow({ payload: values('here') }))).toBe(false);
  });
});
