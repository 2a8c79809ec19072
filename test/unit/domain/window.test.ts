import { describe, expect, it } from '@jest/globals';
import { DAY_MS, HOUR_MS, tile, windowsEndingIn } from '../../../src/domain/window.js';

describe('windows', () => {
  it('are aligned to the epoch and end after the first bound, up to and with the second', () => {
    const spec = { lengthMs: 2 * HOUR_MS, stepMs: HOUR_MS, latenessMs: 0 };
    expect(windowsEndingIn(spec, HOUR_MS, 3 * HOUR_MS)).toEqual([
      { startMs: 0, endMs: 2 * HOUR_MS },
      { startMs: HOUR_MS, endMs: 3 * HOUR_MS },
    ]);
  });

  it('are tiled by whole days with hours at the edges', () => {
    const buckets = tile({ startMs: 22 * HOUR_MS, endMs: 2 * DAY_MS + HOUR_MS });
    expect(buckets.map((bucket) => bucket.granularity)).toEqual(['hour', 'hour', 'day', 'hour']);
    expect(buckets.at(-1)?.endMs).toBe(2 * DAY_MS + HOUR_MS);
  });
});
