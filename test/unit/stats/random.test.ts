import { describe, expect, it } from '@jest/globals';
import { createRandom } from '../../../src/stats/random.js';

function draw(seed: number, count: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random());
}

/** Straight transcription of PractRand's sfc32 in unsigned 64-bit arithmetic, as an independent oracle. */
function sfc32(seed: number, count: number): number[] {
  const mask = 0xffffffffn;
  let a = BigInt(seed) & mask;
  let b = (BigInt(seed) >> 32n) & mask;
  let c = 0x9e3779b9n;
  let counter = 1n;
  const numbers: number[] = [];
  for (let i = 0; i < 15 + count; i++) {
    const sum = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = ((((c << 21n) | (c >> 11n)) & mask) + sum) & mask;
    if (i >= 15) numbers.push(Number(sum) / 2 ** 32);
  }
  return numbers;
}

describe('createRandom', () => {
  it.each([0, 1, 42, -7, 2 ** 40 + 3, Number.MAX_SAFE_INTEGER])('equals sfc32 for seed %p', (seed) => {
    expect(draw(seed, 200)).toEqual(sfc32(seed, 200));
  });

  it('repeats itself for a seed and differs between seeds, also beyond 32 bits', () => {
    expect(draw(5, 50)).toEqual(draw(5, 50));
    expect(draw(5, 50)).not.toEqual(draw(6, 50));
    expect(draw(5, 50)).not.toEqual(draw(5 + 2 ** 32, 50));
  });

  it('is uniform: chi-square over 100 bins of 100,000 numbers within its 99.9 % range', () => {
    const counts = new Array<number>(100).fill(0);
    for (const x of draw(11, 100_000)) {
      expect(x >= 0 && x < 1).toBe(true);
      const bin = Math.floor(x * 100);
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // scipy.stats.chi2.ppf([0.0005, 0.9995], 99)
    expect(chiSquare).toBeGreaterThan(59.0);
    expect(chiSquare).toBeLessThan(151.9);
  });

  it('refuses a seed that is no whole number', () => {
    expect(() => createRandom(0.5)).toThrow(RangeError);
    expect(() => createRandom(Number.NaN)).toThrow(RangeError);
  });
});
