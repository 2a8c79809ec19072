import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CallHalf } from '../../src/domain/prediction.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const MINUTE = 60_000;
/** Of today: halves expire by the engine's clock. */
const START = Math.floor(Date.now() / MINUTE) * MINUTE - 60 * MINUTE;

const half = (call: string, side: CallHalf['side'], over: Partial<CallHalf> = {}): CallHalf => ({
  call,
  side,
  timestampMs: START,
  model: 'm',
  payload: `{"of":"${call}"}`,
  source: { kind: 'kafka', topic: 't@1', partition: 3, offset: 17 },
  ...over,
});

describe.each(BACKENDS)('halves of calls in the %s store', (kind) => {
  let backend: StoreBackend;
  let nowMs = START;
  beforeAll(async () => {
    backend = await openBackend(kind, () => nowMs);
  });
  afterAll(() => backend.close());

  const insert = async (minute: number, ...halves: CallHalf[]) => {
    nowMs = START + minute * MINUTE;
    const batch = { predictions: [], labels: [], rejected: [], halves, token: `t${minute}` };
    await backend.store.insertRows(batch);
    await backend.store.insertRows(batch);
  };
  const settled = async (over: object = {}) => {
    const query = { sinceMs: 0, expiredBeforeMs: START, maxCalls: 100, maxBytes: 1_000_000, ...over };
    return backend.store.settledHalves(query);
  };

  test('are settled when both sides are there or time is up, closed for good, and kept once', async () => {
    await insert(0, half('a', 'request'), half('lone', 'request'));
    await insert(1, half('a', 'response', { timestampMs: START + 5, payload: '{"é":"\\u0000"}' }));
    await insert(2, half('b', 'response'), half('b', 'request'), half('later', 'response'));
    const found = await settled();
    expect(found.map(({ call, side }) => [call, side])).toEqual([
      ['a', 'request'],
      ['a', 'response'],
      ['b', 'request'],
      ['b', 'response'],
    ]);
    expect(found[1]).toEqual({
      ...half('a', 'response', { timestampMs: START + 5, payload: '{"é":"\\u0000"}' }),
      ingestedAtMs: START + MINUTE,
    });
    expect((await settled({ maxCalls: 1 })).map(({ call }) => call)).toEqual(['a', 'a']);
    expect((await settled({ maxBytes: 1 })).map(({ call }) => call)).toEqual(['a', 'a']);
    expect((await settled({ sinceMs: START + 2 * MINUTE })).map(({ call }) => call)).toEqual(['b', 'b']);
    expect((await settled({ expiredBeforeMs: START + MINUTE })).map(({ call }) => call)).toEqual(
      expect.arrayContaining(['lone']),
    );
    await backend.store.closeHalves(found);
    expect(await settled()).toEqual([]);
    await backend.reopen();
    expect(await settled()).toEqual([]);
    expect((await settled({ expiredBeforeMs: START + 9 * MINUTE })).map(({ call }) => call)).toEqual([
      'later',
      'lone',
    ]);
  });

  test('are gone with their model', async () => {
    expect(await backend.store.deleteModel('m')).toHaveProperty('call_halves');
    expect(await settled({ expiredBeforeMs: START + 9 * MINUTE })).toEqual([]);
  });
});
