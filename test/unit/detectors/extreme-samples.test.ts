import { describe, expect, test } from '@jest/globals';
import { COLUMN_DETECTORS } from '../../../src/detectors/registry.js';
import type { FeatureKind } from '../../../src/domain/model.js';
import type { Grid, Profile } from '../../../src/domain/profile.js';
import { gridOf, profileOf } from '../../support/count-profiles.js';

const SIZES = [2, 3, 50, 1_000, 10_000_000];

/** Shares of the cells 1 … 6, by name: no drift between a law and itself. */
const LAWS: Readonly<Record<string, readonly number[]>> = {
  even: [1, 1, 1, 1, 1, 1],
  moved: [1, 1, 1, 1, 1, 1.2],
  atom: [97, 1, 1, 0, 0, 1],
  far: [0, 0, 0, 1, 1, 9],
  low: [1, 0, 0, 0, 0, 0],
  high: [0, 0, 0, 0, 0, 1],
};

function gridFor(kind: FeatureKind): Grid {
  return gridOf('x', kind, kind === 'numeric' ? [1, 2, 3, 4, 5, 6] : ['1', '2', '3', '4', '5', '6']);
}

/** `rows` rows by a law, as whole numbers: the largest cell takes what rounding leaves. */
function profileBy(kind: FeatureKind, grid: Grid, law: readonly number[], rows: number): Profile {
  const all = law.reduce((sum, part) => sum + part, 0);
  const parts = law.map((part) => Math.floor((part / all) * rows));
  const largest = law.indexOf(Math.max(...law));
  parts[largest] = (parts[largest] ?? 0) + rows - parts.reduce((sum, part) => sum + part, 0);
  const profile = profileOf(grid, []);
  const counts = profile.counts.map((_, cell) =>
    kind === 'categorical' ? (parts[cell] ?? 0) : cell % 2 === 1 ? (parts[(cell - 1) / 2] ?? 0) : 0,
  );
  const used = parts.flatMap((part, i) => (part > 0 ? [i + 1] : []));
  const ends = kind === 'numeric' ? { min: Math.min(...used), max: Math.max(...used) } : {};
  return { ...profile, ...ends, rows, counts };
}

const CASES = COLUMN_DETECTORS.flatMap((detector) => detector.accepts.map((kind) => ({ detector, kind })));

describe('samples of 2 to 10,000,000 rows, ties, atoms and constants', () => {
  test.each(CASES)(
    '$detector.name of $kind columns: a p-value for each, or a reason',
    ({ detector, kind }) => {
      const grid = gridFor(kind);
      for (const before of Object.values(LAWS))
        for (const now of Object.values(LAWS))
          for (const n of SIZES)
            for (const m of SIZES) {
              const reference = profileBy(kind, grid, before, m);
              const current = profileBy(kind, grid, now, n);
              const found = detector.measure({ grid, reference, current });
              if (typeof found === 'string') continue;
              const p = found.iidPValueOf(found.statistic);
              const right = p >= 0 && p <= 1 && Number.isFinite(found.statistic);
              expect({ before, now, n, m, p, right }).toMatchObject({ right: true });
              // Of so few rows no arrangement is rare, and laws for large samples are off by a factor of 2.5 at most: there are six of two and two, ten of two and three, twenty of three and three.
              if (n <= 3 && m <= 3)
                expect(p).toBeGreaterThan(0.4 / (n + m === 4 ? 6 : n + m === 5 ? 10 : 20));
            }
    },
  );

  test.each(CASES)('$detector.name of $kind columns: alike samples are no evidence at any size', (each) => {
    const grid = gridFor(each.kind);
    for (const law of Object.values(LAWS))
      for (const n of SIZES) {
        const sample = profileBy(each.kind, grid, law, n);
        const found = each.detector.measure({ grid, reference: sample, current: sample });
        if (typeof found === 'string' || found.vacuous !== null) continue;
        expect(found.iidPValueOf(found.statistic)).toBeGreaterThan(0.5);
      }
  });
});
