import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mergeProfiles, withoutPart } from '../../../src/detectors/merge-profiles.js';
import { gridOf, profileOf } from '../../support/count-profiles.js';

describe('profiles', () => {
  const values = fc.array(
    fc.oneof(
      fc.integer({ min: -9, max: 9 }),
      fc.constant(null),
      fc.constant('text'),
      fc.constant(Number.NaN),
      fc.constant(Number.POSITIVE_INFINITY),
    ),
    { maxLength: 40 },
  );
  const grid = gridOf('x', 'numeric', [-5, 0, 5]);

  test('merge is the profile of the union, in any order and grouping; taking a part out undoes it', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        const [p, q, r] = [profileOf(grid, a), profileOf(grid, b), profileOf(grid, c)];
        const union = profileOf(grid, [...a, ...b, ...c]);
        expect(mergeProfiles([p, q, r])).toEqual(union);
        expect(mergeProfiles([r, p, q])).toEqual(union);
        expect(mergeProfiles([mergeProfiles([q, r]), p])).toEqual(union);
        expect(withoutPart(union, p)).toEqual({ ...mergeProfiles([q, r]), min: null, max: null });
      }),
    );
  });

  test('different columns or grids do not merge', () => {
    expect(() => mergeProfiles([])).toThrow(/no profile/);
    const other = profileOf(gridOf('y', 'numeric', [1]), [1]);
    expect(() => mergeProfiles([profileOf(grid, [1]), other])).toThrow(/do not merge/);
    const wider = profileOf(gridOf('x', 'numeric', [1, 2]), [1]);
    expect(() => mergeProfiles([profileOf(grid, [1]), wider])).toThrow(/different cells/);
  });
});
