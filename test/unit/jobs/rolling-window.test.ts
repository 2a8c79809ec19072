import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mergeProfiles } from '../../../src/detectors/merge-profiles.js';
import type { Profile } from '../../../src/domain/profile.js';
import { createRollingWindow } from '../../../src/jobs/rolling-window.js';

const profile = (feature: string) =>
  fc
    .record({
      counts: fc.array(fc.nat(20), { minLength: 5, maxLength: 5 }),
      missing: fc.nat(5),
      low: fc.nat(9),
    })
    .map(
      ({ counts, missing, low }): Profile => ({
        feature,
        kind: 'numeric',
        rows: counts.reduce((sum, count) => sum + count, missing),
        missing,
        nonFinite: 0,
        mistyped: 0,
        counts,
        offsets: [],
        min: low,
        max: low + 1,
      }),
    );
const piece = fc
  .tuple(fc.option(profile('a')), fc.option(profile('b')))
  .map((pair) => pair.filter((p) => p !== null));

test('holds what merging the last pieces gives', () => {
  fc.assert(
    fc.property(
      fc.array(piece, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      (pieces, length) => {
        const rolling = createRollingWindow(length);
        for (const [i, next] of pieces.entries()) {
          rolling.push(next);
          expect(rolling.isFull()).toBe(i + 1 >= length);
          if (!rolling.isFull()) continue;
          const held = pieces.slice(i + 1 - length, i + 1).flat();
          const expected = ['a', 'b'].flatMap((feature) => {
            const own = held.filter((known) => known.feature === feature);
            return own.length === 0 ? [] : [{ ...mergeProfiles(own), offsets: [] }];
          });
          const found = rolling.profiles().toSorted((x, y) => (x.feature < y.feature ? -1 : 1));
          expect(found).toEqual(expected);
        }
      },
    ),
  );
});
