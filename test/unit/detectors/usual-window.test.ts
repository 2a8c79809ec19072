import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { usualWindow } from '../../../src/detectors/usual-window.js';
import type { Profile } from '../../../src/domain/profile.js';
import { cellDistance, total } from '../../../src/stats/cells.js';

const profiles = fc
  .record({
    counts: fc.array(fc.nat(200), { minLength: 3, maxLength: 9 }),
    missing: fc.nat(50),
    nonFinite: fc.nat(5),
    mistyped: fc.nat(5),
  })
  .filter(({ counts }) => total(counts) > 0)
  .map(
    ({ counts, missing, nonFinite, mistyped }): Profile => ({
      feature: 'age',
      kind: 'numeric',
      rows: total(counts) + missing + nonFinite + mistyped,
      missing,
      nonFinite,
      mistyped,
      counts,
      offsets: counts.map((count) => 10 * count),
      min: 0,
      max: 9,
    }),
  );

test('has the rows asked for, and is as close to the reference as whole rows can be', () => {
  fc.assert(
    fc.property(profiles, fc.integer({ min: 1, max: 3_000 }), (reference, rows) => {
      const [window] = usualWindow([reference], rows) as [Profile];
      const present = total(window.counts);
      expect(present + window.missing + window.nonFinite + window.mistyped).toBe(rows);
      expect(Math.abs(window.missing - (reference.missing * rows) / reference.rows)).toBeLessThanOrEqual(1);
      if (present > 0)
        expect(cellDistance(window.counts, reference.counts).distance).toBeLessThanOrEqual(1.01 / present);
      for (const [i, count] of window.counts.entries()) expect(window.offsets[i]).toBe(10 * count);
    }),
  );
});

test('of a column without rows nothing is made', () => {
  const empty = {
    feature: 'a',
    kind: 'categorical',
    rows: 0,
    missing: 0,
    nonFinite: 0,
    mistyped: 0,
  } as const;
  expect(usualWindow([{ ...empty, counts: [0, 0], offsets: [], min: null, max: null }], 10)).toMatchObject([
    { rows: 10, counts: [0, 0], missing: 0 },
  ]);
});
