import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createIdentitySet } from '../../../src/store/identity-set.js';

/** xorshift32: the same hashes each time. */
function randomWords(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

describe('identity set', () => {
  test('never takes a hash that was added for a new one, over many tables', () => {
    const next = randomWords(7);
    const hashes = Array.from({ length: 400_000 }, () => [next(), next()] as const);
    const set = createIdentitySet();
    const suspected = hashes.filter(([high, low]) => set.add(high, low)).length;
    // Of 400,000 hashes one would be taken for another about once in 2,500 runs; these are always the same.
    expect(suspected).toBe(0);
    expect(set.size).toBe(400_000);
    expect(hashes.every(([high, low]) => set.add(high, low))).toBe(true);
    expect(set.size).toBe(400_000);
    expect(set.bytes / set.size).toBeLessThan(10.7);
    expect(set.bytes / set.size).toBeGreaterThan(5.3);
  });

  test('tells hashes apart that differ in one half, but for a high half of 0 and 1', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 0xfffffff0, max: 0xffffffff })), { maxLength: 60 }),
        (pairs) => {
          const set = createIdentitySet();
          const known = new Set<string>();
          for (const [high, low] of pairs) {
            const suspected = set.add(high, low);
            if (known.has(`${high}/${low}`)) expect(suspected).toBe(true);
            known.add(`${high}/${low}`);
          }
          expect(set.size).toBeLessThanOrEqual(known.size);
        },
      ),
    );
  });

  test('has room for what was announced in one table', () => {
    const set = createIdentitySet();
    set.add(1, 1);
    set.reserve(300_000);
    const { bytes } = set;
    const next = randomWords(11);
    for (let index = 0; index < 300_000; index += 1) set.add(next(), next());
    expect(set.bytes).toBe(bytes);
    expect(set.add(1, 1)).toBe(true);
  });

  test('announces room for all that are kept of one table in 257 MiB', () => {
    for (const announced of [0, 1_000_000, 12_000_000, 36_000_000, 47_000_000]) {
      const set = createIdentitySet();
      set.add(1, 1);
      if (announced > 0) set.reserve(announced);
      expect(set.bytes).toBeLessThanOrEqual(257 * 2 ** 20);
    }
  });
});
