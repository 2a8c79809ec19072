import { expect, test } from '@jest/globals';
import { primaryFamily } from '../../../src/detectors/primary-family.js';
import type { PerformanceBaseline } from '../../../src/domain/performance.js';
import type { NullModel } from '../../../src/domain/reference.js';
import { gridsOf, IID, modelOf, profilesOf, referenceOf } from '../../support/judge-fixture.js';

const model = modelOf({ age: 'numeric', plan: 'categorical', flat: 'numeric' });
const rows = 200;
const columns = {
  age: Array.from({ length: rows }, (_, i) => (i % 10 === 0 ? null : i)),
  plan: Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? 'pro' : 'free')),
  flat: new Array<number>(rows).fill(1),
  prediction: Array.from({ length: rows }, (_, i) => i / 7),
};
const grids = gridsOf(model, columns);
const referenceProfiles = profilesOf(grids, columns);

test('counts the tests that an ordinary window could decide', () => {
  const { tests, scaleDegrees } = primaryFamily({
    model,
    reference: { ...referenceOf(rows), forest: '{}' },
    grids,
    referenceProfiles,
  });
  // age, plan and the prediction can drift, a constant cannot; only age is ever missing
  expect(tests.get('drift')).toBe(3);
  expect(tests.get('dataQuality')).toBe(1);
  expect(tests.get('outliers')).toBe(1);
  expect(scaleDegrees).toBe(Number.POSITIVE_INFINITY);
});

test('a temporal null has the tests that it learned, with the median of their degrees of freedom', () => {
  const spread = { pieces: 20, excess: 0.01 };
  const detectors = [
    { feature: 'age', detector: 'neyman', shape: 2 },
    { feature: 'plan', detector: 'chiSquare', shape: 1 },
    { feature: 'prediction', detector: 'psi', shape: 0.1 },
    { feature: 'prediction', detector: 'neyman', shape: 0.5 },
  ];
  const { tests, scaleDegrees } = primaryFamily({
    model,
    reference: referenceOf(rows, {
      kind: 'temporal',
      pieceMs: 1,
      spreads: detectors.map((known) => ({ ...spread, ...known })),
    }),
    grids,
    referenceProfiles,
  });
  expect([...tests]).toEqual([['drift', 3]]);
  expect(scaleDegrees).toBe(20);
});

test('columns without counts in the reference have no test', () => {
  const { tests } = primaryFamily({ model, reference: referenceOf(rows), grids, referenceProfiles: [] });
  expect(tests.size).toBe(0);
});

test('performance counts where the reference, or production, tells how windows differ, of segments too', () => {
  const figure = { figure: 'rocAuc', value: 0.8, variance: 1e-4, rows, spread: null } as const;
  const temporal = { kind: 'temporal', pieceMs: 1, spreads: [] } as const;
  const learned = { ...temporal, learned: { startMs: 0, endMs: 1 } };
  const testsOf = (nullModel: NullModel, spread: PerformanceBaseline['spread'] = null) => {
    const reference = { ...referenceOf(rows, nullModel), performance: [{ ...figure, spread }] };
    const part = { reference, referenceProfiles: [], segment: { column: 'plan', value: 'pro' } };
    const family = primaryFamily({ model, reference, grids, referenceProfiles: [], segments: [part] });
    return { tests: family.tests.get('performance') ?? 0, degrees: family.scaleDegrees };
  };
  expect(testsOf(IID).tests).toBe(2);
  expect(testsOf(temporal).tests).toBe(0);
  expect(testsOf(learned).tests).toBe(2);
  const spread = { pieces: 30, variance: 1e-4, effectivePieces: 12.5, autocorrelation: 0.5 };
  expect(testsOf(temporal, spread)).toEqual({ tests: 2, degrees: 11.5 });
});

test('the tests of segments join the family, but for those of their own column', () => {
  const reference = { ...referenceOf(rows), forest: '{}' };
  const part = { reference: referenceOf(rows / 2), referenceProfiles };
  const segments = [
    { ...part, segment: { column: 'plan', value: 'pro' } },
    { ...part, segment: { column: 'tags.region', value: 'eu' } },
  ];
  const { tests } = primaryFamily({ model, reference, grids, referenceProfiles, segments });
  // Of the plan's: age and prediction; of the tag's: plan as well. Outliers are of whole rows.
  expect([...tests].sort()).toEqual([
    ['dataQuality', 3],
    ['drift', 8],
    ['outliers', 1],
  ]);
});
