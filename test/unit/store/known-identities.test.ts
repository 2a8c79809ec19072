import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Logger } from '../../../src/domain/ports.js';
import { createKnownIdentities } from '../../../src/store/known-identities.js';
import { nativeBlock } from '../../../src/store/native-block.js';
import { createWordColumn } from '../../../src/store/native-numbers.js';
import { until } from '../../support/until.js';

const halvesOf = (...hashes: readonly number[]) =>
  Uint32Array.from(hashes.flatMap((hash) => [hash, (hash * 7) % 2 ** 32]));

/** Identities of two partitions; pages are cut by the high half as the query asks. */
function fakeTable(first: readonly number[], second: readonly number[] = []) {
  const state = { first: [...first], second: [...second], failure: null as Error | null, pages: 0 };
  const rowsOf = (id: unknown) => (id === 'first' ? state.first : state.second);
  const client = {
    query: async <T>(): Promise<T[]> => {
      if (state.failure !== null) throw state.failure;
      return ['first', 'second'].map((id) => ({ id, stored: rowsOf(id).length })) as T[];
    },
    queryNative: async (_sql: string, params: Readonly<Record<string, unknown>> = {}) => {
      state.pages += 1;
      const within = rowsOf(params.id).filter((hash) => {
        const value = (BigInt(hash) << 32n) | BigInt((hash * 7) % 2 ** 32);
        return value >= BigInt(String(params.from)) && value <= BigInt(String(params.to));
      });
      const [high, low] = [createWordColumn('UInt32'), createWordColumn('UInt32')];
      for (const hash of within) {
        high.append(hash);
        low.append((hash * 7) % 2 ** 32);
      }
      return Buffer.concat(nativeBlock(within.length, { high, low }));
    },
  };
  return { state, client };
}

function setUp(
  table: ReturnType<typeof fakeTable>,
  limits: { maxIdentities?: number; pageRows?: number } = {},
) {
  const warnings: object[] = [];
  /** How often everything was read to its end. */
  let reads = 0;
  const untilRead = (times = 1) => until(() => reads >= times);
  const logger: Logger = {
    debug: () => {
      reads += 1;
    },
    info: () => undefined,
    warn: (fields) => warnings.push(fields),
    error: () => undefined,
    child: () => logger,
  };
  const time = { nowMs: 0 };
  const known = createKnownIdentities({
    client: table.client,
    table: 'predictions',
    column: 'identity',
    logger,
    wallClock: () => time.nowMs,
    ...limits,
  });
  return { known, warnings, untilRead, time };
}

describe('known identities', () => {
  test('cannot tell before what is stored is read, and tells exactly from then on', async () => {
    const table = fakeTable([1, 2, 0x7fffffff, 0xfffffff], [9, 10]);
    const { known, untilRead } = setUp(table, { pageRows: 1 });
    expect(known.note(halvesOf(20))).toBeNull();
    known.settled();
    await untilRead();
    expect(table.state.pages).toBe(6);
    // 20 was noted while nothing was known; 30 comes twice in one list.
    expect(known.note(halvesOf(1, 30, 10, 20, 31, 30, 0x7fffffff))).toEqual([0, 2, 3, 5, 6]);
    expect(known.note(halvesOf(30, 32))).toEqual([0]);
    await known.close();
    expect(known.note(halvesOf(40))).toBeNull();
  });

  test('reads nothing before it is told that nothing is on its way', async () => {
    const table = fakeTable([1]);
    const { known } = setUp(table);
    known.note(halvesOf(2));
    await sleep(5);
    expect(known.note(halvesOf(2))).toBeNull();
    expect(table.state.pages).toBe(0);
    await known.close();
  });

  test('asks the table while it cannot be read, says so, and tries again a minute later', async () => {
    const table = fakeTable([1]);
    const { known, warnings, time, untilRead } = setUp(table);
    table.state.failure = new Error('planned');
    known.note(halvesOf(2));
    known.settled();
    await until(() => warnings.length > 0);
    expect(warnings).toEqual([{ table: 'predictions', reason: 'planned' }]);
    table.state.failure = null;
    expect(known.note(halvesOf(3))).toBeNull();
    known.settled();
    await sleep(5);
    expect(table.state.pages).toBe(0);
    time.nowMs = 60_000;
    expect(known.note(halvesOf(4))).toBeNull();
    known.settled();
    await untilRead();
    expect(known.note(halvesOf(1, 4, 5))).toEqual([0, 1]);
    await known.close();
  });

  test('keeps nothing of a table that is too large', async () => {
    const table = fakeTable([1, 2, 3, 4]);
    const { known } = setUp(table, { maxIdentities: 5 });
    known.note(halvesOf(5));
    known.settled();
    await sleep(5);
    expect(known.note(halvesOf(6))).toBeNull();
    expect(table.state.pages).toBe(0);
    await known.close();
  });

  test('reads anew when too many came, once what was on its way is stored', async () => {
    const table = fakeTable([]);
    const { known, untilRead } = setUp(table, { maxIdentities: 4 });
    known.note(halvesOf(1));
    known.settled();
    await untilRead();
    expect(known.note(halvesOf(2, 3, 4, 5, 6))).toEqual([]);
    // Only 6 is left of them by now; while it was on its way nothing could be told.
    table.state.first.push(6);
    expect(known.note(halvesOf(7))).toBeNull();
    known.settled();
    await untilRead(2);
    expect(known.note(halvesOf(6, 7, 8))).toEqual([0, 1]);
    await known.close();
  });
});
