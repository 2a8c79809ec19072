import { describe, expect, it } from '@jest/globals';
import { DAY_MS, HOUR_MS } from '../../../src/domain/window.js';
import { piecesOf } from '../../../src/jobs/read-estimates.js';

const at = (text: string) => Date.parse(`${text}Z`);
const starts = (...args: Parameters<typeof piecesOf>) =>
  piecesOf(...args).map(({ startMs }) => new Date(startMs).toISOString().slice(0, 13));

describe('the stretches of a period', () => {
  const period = { startMs: at('2013-02-27T22:00'), endMs: at('2013-04-02T03:00') };

  it('tile it, cut at its ends', () => {
    for (const length of ['hour', 'day', 'week', 'month', 'all', { ms: 6 * HOUR_MS }] as const) {
      const pieces = piecesOf(period, length, 10_000);
      expect(pieces[0]?.startMs).toBe(period.startMs);
      expect(pieces.at(-1)?.endMs).toBe(period.endMs);
      for (const [i, piece] of pieces.entries()) if (i > 0) expect(piece.startMs).toBe(pieces[i - 1]?.endMs);
    }
  });

  it('are months and weeks of UTC, weeks from Monday', () => {
    expect(starts(period, 'month', 100)).toEqual(['2013-02-27T22', '2013-03-01T00', '2013-04-01T00']);
    expect(starts(period, 'week', 100)).toEqual([
      '2013-02-27T22',
      '2013-03-04T00',
      '2013-03-11T00',
      '2013-03-18T00',
      '2013-03-25T00',
      '2013-04-01T00',
    ]);
    expect(piecesOf(period, 'all', 100)).toEqual([period]);
  });

  it('are one more than the most at the most, and none of an empty period', () => {
    expect(piecesOf({ startMs: 0, endMs: 1_000 * DAY_MS }, 'hour', 10)).toHaveLength(11);
    expect(piecesOf({ startMs: 5, endMs: 5 }, 'hour', 10)).toEqual([]);
  });
});
