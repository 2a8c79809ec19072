import { describe, expect, test } from '@jest/globals';
import { explainWindow, withReasons } from '../../../src/detectors/why.js';
import type { Influence } from '../../../src/domain/explanation.js';
import type { Grid, Profile } from '../../../src/domain/profile.js';
import { draws, gridsOf, judge, modelOf, normals, profilesOf } from '../../support/judge-fixture.js';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const MODEL = modelOf(Object.fromEntries(NAMES.map((name) => [name, 'numeric' as const])));
const side = (seed: number, shift: number) =>
  Object.fromEntries(
    [...NAMES, 'prediction'].map((name, i) => [
      name,
      normals(seed + i, 1_000, i === 5 ? 0 : shift * (i + 1)),
    ]),
  );
const REFERENCE = side(1, 0);
const CURRENT = side(100, 0.5);
const grids = gridsOf(MODEL, REFERENCE);
const input = {
  model: MODEL,
  grids,
  referenceProfiles: profilesOf(grids, REFERENCE),
  currentProfiles: profilesOf(grids, CURRENT),
  influence: null,
};

describe('withReasons', () => {
  const { verdicts, outcomes } = judge(MODEL, REFERENCE, CURRENT);

  test('gives a drifted outcome at most three sentences about its own drivers, of at most 300 characters', () => {
    const [drift] = withReasons(outcomes, { ...input, verdicts });
    expect(drift?.why?.map((sentence) => sentence.slice(0, 3))).toEqual(['e: ', 'd: ', 'c: ']);
    const long = 'x'.repeat(400);
    const rename = <T extends { feature: string }>(all: readonly T[]) =>
      all.map((each) => (each.feature === 'e' ? { ...each, feature: long } : each));
    const model = modelOf({ [long]: 'numeric' });
    const named = withReasons(
      outcomes.map((outcome) => ({ ...outcome, drivers: rename(outcome.drivers) })),
      {
        model,
        grids: rename(grids),
        referenceProfiles: rename(input.referenceProfiles),
        currentProfiles: rename(input.currentProfiles),
        verdicts: rename(verdicts),
        influence: null,
      },
    );
    expect(named[0]?.why).toHaveLength(1);
    expect(named[0]?.why?.[0]).toHaveLength(300);
  });

  test('leaves outcomes that are not drifted as they are', () => {
    const same = judge(MODEL, REFERENCE, REFERENCE);
    expect(withReasons(same.outcomes, { ...input, verdicts: same.verdicts })).toEqual(same.outcomes);
  });
});

describe('explainWindow', () => {
  test('tells a class by the points that its share would move', () => {
    const model = modelOf({ carrier: 'categorical' }, 'multiclass');
    const reference = {
      carrier: draws(1, 2_000, { UA: 1, EV: 1 }),
      prediction: draws(2, 2_000, { late: 1, early: 2, fine: 3 }),
    };
    const current = { ...reference, carrier: draws(3, 2_000, { UA: 3, EV: 1 }) };
    const own = gridsOf(model, reference);
    const carrier = own.find((grid) => grid.feature === 'carrier');
    const late = carrier?.kind === 'categorical' && carrier.categories[0] === 'UA' ? [0.6, 0] : [0, 0.6];
    const influence: Influence = {
      column: 'prediction',
      classes: ['early', 'late'],
      rows: 2_000,
      means: [0.4, 0.3],
      features: [
        {
          feature: 'carrier',
          explains: 0.25,
          ends: [1, 2, 3],
          means: [
            [0.4, late[0] ?? 0],
            [0.4, late[1] ?? 0],
            [0.4, 0.3],
          ],
          missing: [0.4, 0.3],
        },
      ],
    };
    const { features } = explainWindow({
      model,
      grids: own,
      referenceProfiles: profilesOf(own, reference),
      currentProfiles: profilesOf(own, current),
      verdicts: judge(model, reference, current).verdicts,
      influence,
    });
    const share = (values: readonly string[]) =>
      values.filter((value) => value === 'UA').length / values.length;
    expect(features[0]?.shiftClass).toBe('late');
    expect(features[0]?.predictionShift).toBeCloseTo(
      0.6 * (share(current.carrier) - share(reference.carrier)),
      12,
    );
    expect(features[0]?.sentence).toMatch(
      /alone it would raise the share of "late" by 1\d(\.\d)? points \(it explains 25 % of the prediction\)\.$/,
    );
  });

  test('has the exact mean of a prediction between cut points, from the cells’ sums', () => {
    const model = modelOf({});
    const grid: Grid = { kind: 'numeric', feature: 'prediction', cutPoints: [0, 1], quantum: 0.25 };
    const profile = (counts: number[], offsets: number[]): Profile => ({
      feature: 'prediction',
      kind: 'numeric',
      rows: counts.reduce((a, b) => a + b),
      missing: 0,
      nonFinite: 0,
      mistyped: 0,
      counts,
      offsets,
      min: null,
      max: null,
    });
    const { prediction } = explainWindow({
      model,
      grids: [grid],
      // −0.5, 0, 0.5, 0.75, 1, 2: the sums of offsets from 0, 0, 0, 1, 1 in quarters.
      referenceProfiles: [profile([1, 1, 2, 1, 1], [-2, 0, 5, 0, 4])],
      currentProfiles: [profile([0, 0, 0, 2, 0], [0, 0, 0, 0, 0])],
      verdicts: [],
      influence: { column: 'prediction', classes: [], rows: 6, means: [0.625], features: [] },
    });
    expect(prediction).toEqual({ column: 'prediction', class: null, reference: 3.75 / 6, current: 1 });
  });
});
