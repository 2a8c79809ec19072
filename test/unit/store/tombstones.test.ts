import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createTargetReader } from '../../../src/collectors/formats/message-targets.js';
import type { ErasedRows } from '../../../src/domain/erasure.js';
import { NO_MAPPING } from '../../../src/domain/mapping.js';
import type { StoreClient } from '../../../src/store/client.js';
import { createTombstones } from '../../../src/store/tombstones.js';
import { labelRow, rejectedRow } from '../../support/rows.js';
import { until } from '../../support/until.js';

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
  let slow: Promise<void> | null = null;
  const sumOf = (some: readonly Stone[]) => some.map(({ hash, revision }) => `${hash}${revision}`).join();
  const client = {
    query: async (sql: string) => {
      if (sql.includes('tombstone_keys')) return [{ key: '00' }];
      if (sql.includes('GROUP BY')) {
        reads += 1;
        const rows = stones.map((stone) => ({ ...stone, ms: 1_000 }));
        await slow;
        return rows;
      }
      const revisions = /revision IN \(([\d, ]+)\)/.exec(sql)?.[1]?.split(', ').map(Number);
      const others = stones.filter((stone) => revisions?.includes(stone.revision) !== true);
      const mineN = stones.length - others.length;
      return [{ n: stones.length, sum: sumOf(stones), mineN, othersSum: sumOf(others) }];
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
    stones,
    reads: () => reads,
    /** Reads that begin from now on end when the answer is called. */
    holdReads(): () => void {
      let release = (): void => undefined;
      slow = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
  };
}

const LATE = { model: 'm', predictionId: 'late' };
const buried = async () => {
  const all = setUp();
  const bury = (id: string) =>
    all.tombstones.bury('m', { kind: 'prediction', predictionId: id }, [], [id], 1_000);
  await bury('gone');
  const erased = await all.tombstones.erasedRows();
  if (erased === null) throw new Error('nothing was erased');
  return { ...all, bury, erased };
};

describe('what is refused', () => {
  test('while all is read stays refused in what was read', async () => {
    const { tombstones, holdReads, reads, bury, erased } = await buried();
    const release = holdReads();
    await bury('other');
    const reading = tombstones.erasedRows();
    await until(() => reads() === 2);
    await erased.refuse([LATE]);
    expect(erased.label(labelRow('late', { model: 'm' }))).toBe(true);
    release();
    const read = await reading;
    expect(read).not.toBe(erased);
    expect(read?.label(labelRow('late', { model: 'm' }))).toBe(true);
    expect(read?.label(labelRow('other', { model: 'm' }))).toBe(true);
  });

  test('by this process is not read again, by another is', async () => {
    const { tombstones, stones, reads, erased } = await buried();
    await erased.refuse([LATE, LATE]);
    await erased.refuse([{ model: 'm', predictionId: 'later' }]);
    expect(await tombstones.erasedRows()).toBe(erased);
    expect(await tombstones.erasedRows()).toBe(erased);
    expect(reads()).toBe(1);
    await erased.refuse([{ model: 'm', predictionId: 'last' }]);
    stones.push({ ...(stones[0] as Stone), hash: 'of another process' });
    expect(await tombstones.erasedRows()).not.toBe(erased);
    expect(reads()).toBe(2);
    await tombstones.erasedRows();
    expect(reads()).toBe(2);
  });

  test('is read again where another process stored some under the same revision', async () => {
    const { tombstones, stones, reads, erased } = await buried();
    await erased.refuse([LATE]);
    stones.push({ ...(stones[1] as Stone), hash: 'of another process' });
    await tombstones.erasedRows();
    expect(reads()).toBe(2);
  });

  test('is known to who asks later, however long an earlier read takes', async () => {
    const { tombstones, holdReads, reads, bury } = await buried();
    let known: ErasedRows | null = null;
    const refresh = async () => {
      known = await tombstones.erasedRows();
    };
    const release = holdReads();
    await bury('a');
    const tick = refresh();
    await until(() => reads() === 2);
    await bury('b');
    const asked = [refresh(), refresh()];
    // The later one would be done by now if it did not wait.
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    expect(reads()).toBe(2);
    release();
    await Promise.all([tick, ...asked]);
    expect(reads()).toBe(3);
    expect((known as ErasedRows | null)?.label(labelRow('b', { model: 'm' }))).toBe(true);
  });
});

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
    expect(await erased?.rejected(rejectedRow({ payload: '{"key_m7":"here"}' }))).toBe(false);
    expect(parse.mock.calls.length).toBeLessThanOrEqual(2);
    expect(await erased?.rejected(rejectedRow({ payload: '{"key_m7":"gone"}' }))).toBe(true);
  });

  test('with more events than are looked at is found by what stands in quotes', async () => {
    const { tombstones } = setUp();
    await tombstones.bury('m', { kind: 'prediction', predictionId: 'gone' }, [], ['gone'], 1_000);
    const erased = await tombstones.erasedRows(
      createTargetReader(() => ({ ...NO_MAPPING, version: '1', predictionId: 'key' })),
    );
    const events = (id: string) => `[{"key":"${id}"}${',{"x":1}'.repeat(30_000)}]`;
    expect(await erased?.rejected(rejectedRow({ payload: events('gone') }))).toBe(true);
    expect(await erased?.rejected(rejectedRow({ payload: events('here') }))).toBe(false);
    const values = (id: string) => `{"a":[${'1234,'.repeat(250_000)}"${id}"],"b":{"id":"${id}"}}`;
    expect(await erased?.rejected(rejectedRow({ payload: values('gone') }))).toBe(true);
    expect(await erased?.rejected(rejectedRow({ payload: values('here') }))).toBe(false);
  });

  test('is found behind many texts, and not known where there are more than are looked at', async () => {
    const { tombstones } = setUp();
    for (let model = 0; model < 100; model += 1)
      await tombstones.bury(`m${model}`, { kind: 'prediction', predictionId: 'gone' }, [], ['gone'], 1_000);
    const erased = await tombstones.erasedRows();
    const wide = (id: string, features: number) =>
      rejectedRow({
        payload: `{"features":{${Array.from({ length: features }, (_, at) => `"f${at}":NaN,`).join('')}},"id":"${id}"}`,
      });
    for (const features of [100, 260, 900]) {
      expect(await erased?.rejected(wide('gone', features))).toBe(true);
      expect(await erased?.rejected(wide('here', features))).toBe(false);
    }
    expect(await erased?.rejected(wide('gone', 1_100))).toBe('unknown');
    expect(await erased?.rejected(wide('here', 1_100))).toBe('unknown');
  });

  test('gives the event loop turns while it is looked through', async () => {
    const { tombstones } = setUp();
    for (let model = 0; model < 100; model += 1)
      await tombstones.bury(`m${model}`, { kind: 'prediction', predictionId: 'gone' }, [], ['gone'], 1_000);
    const erased = await tombstones.erasedRows();
    let turns = 0;
    let isDone = false;
    const looked = erased?.rejected(
      rejectedRow({ payload: `[${Array.from({ length: 400 }, (_, id) => `{"id":${id}}`).join(',')}]` }),
    );
    const done = looked?.then(() => {
      isDone = true;
    });
    for (; !isDone; turns += 1) await nextTurn();
    await done;
    expect(turns).toBeGreaterThan(30);
  });

  test('is hashed for no more ids than a bound that the models share', async () => {
    const { tombstones } = setUp();
    for (let model = 0; model < 20; model += 1)
      await tombstones.bury(`m${model}`, { kind: 'prediction', predictionId: 'gone' }, [], ['gone'], 1_000);
    const erased = await tombstones.erasedRows();
    const hashed = jest.spyOn(JSON, 'stringify');
    const ids = (distinct: number) => Array.from({ length: 5_000 }, (_, at) => `{"id":${at % distinct}}`);
    expect(await erased?.rejected(rejectedRow({ payload: `[${ids(5_000)}]` }))).toBe('unknown');
    expect(hashed.mock.calls.length).toBe(50_000);
    // Each once.
    expect(await erased?.rejected(rejectedRow({ payload: `[${ids(5)}]` }))).toBe(false);
    expect(hashed.mock.calls.length).toBe(50_100);
  });
});
