import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { StoredCallHalf } from '../../../src/domain/kept-ports.js';
import type { RowBatch } from '../../../src/domain/ports.js';
import { createCallPairing, pairUp } from '../../../src/jobs/pair-calls.js';
import { predictionRow } from '../../support/rows.js';

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;
const SOURCE = { kind: 'http', topic: '', partition: -1, offset: -1 };

const half = (
  call: string,
  side: StoredCallHalf['side'],
  minute: number,
  ingested = minute,
): StoredCallHalf => ({
  call,
  side,
  timestampMs: minute * MINUTE,
  ingestedAtMs: ingested * MINUTE,
  model: 'm',
  payload: `${call}/${side}/${minute}`,
  source: SOURCE,
});

function pairingOf(halves: readonly StoredCallHalf[], nowMs = NOW) {
  const open = new Set(halves);
  const batches: RowBatch[] = [];
  let failing = false;
  const pairing = createCallPairing({
    store: {
      settledHalves: async ({ sinceMs, expiredBeforeMs }) => {
        const looked = [...open].filter(({ ingestedAtMs }) => ingestedAtMs >= sinceMs);
        const sides = (call: string) =>
          new Set(looked.filter((one) => one.call === call).map(({ side }) => side));
        const isExpired = (call: string) =>
          looked.some((one) => one.call === call && one.ingestedAtMs < expiredBeforeMs);
        return looked.filter(({ call }) => sides(call).size === 2 || isExpired(call));
      },
      closeHalves: async (done) => {
        if (failing) throw new Error('killed here');
        for (const one of done) open.delete(one);
      },
    },
    read: (request, response) => [
      { kind: 'prediction', row: predictionRow(`${request.payload}+${response.payload}`) },
    ],
    write: async (batch) => {
      batches.push(batch);
    },
    wallClock: () => nowMs,
    withinMs: 10 * MINUTE,
  });
  return {
    pairing,
    open,
    batches,
    fail: (on: boolean) => {
      failing = on;
    },
    ids: () => batches.flatMap(({ predictions }) => [...predictions].map(({ predictionId }) => predictionId)),
  };
}

describe('pairing', () => {
  it('joins the sides of a call, whichever came first, and leaves the others open', async () => {
    const it = pairingOf([
      half('a', 'request', 995),
      half('a', 'response', 996),
      half('b', 'response', 994),
      half('b', 'request', 995),
      half('c', 'request', 999),
    ]);
    expect(await it.pairing.run()).toEqual({ paired: 2, expired: 0 });
    expect(it.ids()).toEqual(['a/request/995+a/response/996', 'b/request/995+b/response/994']);
    expect([...it.open].map(({ call }) => call)).toEqual(['c']);
  });

  it('keeps calls apart that reuse an id: the nearest answer belongs to a request, within the bound', async () => {
    const it = pairingOf([
      half('a', 'request', 970, 995),
      half('a', 'response', 971, 995),
      half('a', 'request', 994),
      half('a', 'response', 995),
      half('far', 'request', 970, 995),
      half('far', 'response', 994),
    ]);
    expect(await it.pairing.run()).toEqual({ paired: 2, expired: 0 });
    expect(it.ids()).toEqual(['a/request/970+a/response/971', 'a/request/994+a/response/995']);
    expect([...it.open].map(({ call }) => call)).toEqual(['far', 'far']);
  });

  it('gives an answer to the request that is nearest, not to one before it whose call failed', async () => {
    const it = pairingOf([
      half('a', 'request', 990),
      half('a', 'request', 995),
      half('a', 'response', 996),
      half('b', 'response', 990),
      half('b', 'request', 992),
      half('b', 'response', 994),
    ]);
    expect(await it.pairing.run()).toEqual({ paired: 2, expired: 0 });
    expect(it.ids()).toEqual(['a/request/995+a/response/996', 'b/request/992+b/response/994']);
  });

  it('takes of all pairs the nearest first, also of many of one id', () => {
    const halves = fc.array(
      fc.record({ side: fc.constantFrom('request', 'response'), at: fc.nat({ max: 60 }) }),
      { maxLength: 14 },
    );
    const span = ([one, other]: readonly [StoredCallHalf, StoredCallHalf]) =>
      Math.abs(one.timestampMs - other.timestampMs) / MINUTE;
    fc.assert(
      fc.property(halves, (drawn) => {
        // Of different times, and different distances: what is nearest is not in doubt.
        const places = [...new Set(drawn.map(({ at }) => at))];
        const sides = places.map((at, index) =>
          half('x', drawn[index]?.side as 'request', at + at ** 2 / 1e4),
        );
        const open = new Set(sides);
        const expected: (readonly [StoredCallHalf, StoredCallHalf])[] = [];
        for (;;) {
          const [nearest] = [...open]
            .flatMap((one) => [...open].map((other) => [one, other] as const))
            .filter(([one, other]) => one.side === 'request' && other.side === 'response')
            .filter((pair) => span(pair) <= 20)
            .sort((one, other) => span(one) - span(other));
          if (nearest === undefined) break;
          expected.push(nearest);
          for (const side of nearest) open.delete(side);
        }
        const found = pairUp(sides, 20 * MINUTE);
        expect(new Set(found.map((pair) => pair.map(({ payload }) => payload).join()))).toEqual(
          new Set(expected.map((pair) => pair.map(({ payload }) => payload).join())),
        );
      }),
    );
  });

  it('keeps what stays alone as rejected, once', async () => {
    const it = pairingOf([half('a', 'request', 980), half('b', 'response', 985), half('c', 'request', 991)]);
    expect(await it.pairing.run()).toEqual({ paired: 0, expired: 2 });
    expect(
      it.batches.flatMap(({ rejected }) => rejected.map((row) => [row.reason, row.payload, row.model])),
    ).toEqual([
      ['unpaired', 'a/request/980', 'm'],
      ['unpaired', 'b/response/985', 'm'],
    ]);
    expect(await it.pairing.run()).toEqual({ paired: 0, expired: 0 });
    expect(it.batches).toHaveLength(1);
  });

  it('repeats a batch under its token when it was cut off before it closed it', async () => {
    const it = pairingOf([half('a', 'request', 995), half('a', 'response', 996), half('b', 'request', 900)]);
    it.fail(true);
    await expect(it.pairing.run()).rejects.toThrow('killed here');
    it.fail(false);
    await it.pairing.run();
    expect(it.batches.map(({ token }) => token)).toEqual([it.batches[0]?.token, it.batches[0]?.token]);
    expect(it.open.size).toBe(0);
  });
});
