import { describe, expect, test } from '@jest/globals';
import type { Verdict } from '../../../src/domain/verdict.js';
import { detectorsFor, draws, find, judge, modelOf, normals } from '../../support/judge-fixture.js';

const model = modelOf({ x: 'numeric', plan: 'categorical' });
const reference = {
  x: normals(1, 2_000),
  plan: draws(2, 2_000, { free: 6, pro: 3, team: 1 }),
  prediction: normals(3, 2_000),
};
const same = {
  x: normals(11, 400),
  plan: draws(12, 400, { free: 6, pro: 3, team: 1 }),
  prediction: normals(13, 400),
};
const plain = (verdicts: readonly Verdict[]) =>
  verdicts.map((v) => [v.feature, v.detector, v.status, v.reason]);

describe('judgeWindow', () => {
  test('has one verdict per column and detector, in the order of the schema', () => {
    const { verdicts, outcomes } = judge(model, reference, same);
    expect(plain(verdicts)).toEqual([
      ...detectorsFor('numeric').map((name) => ['x', name, 'stable', null]),
      ...detectorsFor('categorical').map((name) => ['plan', name, 'stable', null]),
      ...detectorsFor('numeric').map((name) => ['prediction', name, 'stable', null]),
    ]);
    expect(outcomes.map((o) => [o.category, o.state])).toEqual([
      ['drift', 'clean'],
      ['dataQuality', 'clean'],
    ]);
  });

  test('finds a shift, a changed mix, missing and unseen values, and names the worst first', () => {
    const current = {
      x: normals(21, 400, 0.8),
      plan: draws(22, 400, { free: 1, pro: 3, team: 5, trial: 1 }),
      prediction: normals(23, 400).map((value, i) => (i % 10 === 0 ? null : value)),
    };
    const { verdicts, outcomes } = judge(model, reference, current);
    const drifted = verdicts.filter((v) => v.status === 'drifted' && v.role === 'primary');
    expect(drifted.map((v) => `${v.feature}.${v.detector}`)).toEqual([
      'x.neyman',
      'plan.chiSquare',
      'plan.unseen',
      'prediction.missing',
    ]);
    expect(drifted.every((v) => v.material)).toBe(true);
    const drift = outcomes.find((o) => o.category === 'drift');
    expect(drift?.state).toBe('drifted');
    const sizes = drift?.drivers.map((v) => (v.effect?.value ?? 0) / v.minimumEffect) ?? [];
    expect(sizes.length).toBe(2);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(find(verdicts, 'prediction', 'missing').effect?.value).toBeCloseTo(0.1, 12);
  });

  test('a significant but small effect is drifted and not material, and leaves the outcome clean', () => {
    const wide = { ...reference, x: normals(1, 60_000), plan: [], prediction: [] };
    const { verdicts, outcomes } = judge(
      modelOf({ x: 'numeric' }),
      { x: wide.x, prediction: normals(3, 60_000) },
      { x: normals(31, 60_000, 0.1), prediction: normals(32, 60_000) },
    );
    const verdict = find(verdicts, 'x', 'ks');
    expect(verdict.status).toBe('drifted');
    expect(verdict.material).toBe(false);
    expect(outcomes.find((o) => o.category === 'drift')?.state).toBe('clean');
  });

  test('the threshold is where the status turns: drifted exactly when the statistic reaches it', () => {
    for (let seed = 0; seed < 40; seed++) {
      const { verdicts } = judge(model, reference, {
        x: normals(100 + seed, 150, 0.01 * seed),
        plan: draws(200 + seed, 150, { free: 6 - seed / 10, pro: 3, team: 1 + seed / 10 }),
        prediction: normals(300 + seed, 150).map((v, i) => (i < seed / 4 ? null : v)),
      });
      for (const v of verdicts) {
        expect(v.threshold).not.toBeNull();
        expect([v.feature, v.detector, seed, v.status]).toEqual([
          v.feature,
          v.detector,
          seed,
          (v.statistic ?? 0) >= (v.threshold ?? 0) ? 'drifted' : 'stable',
        ]);
      }
    }
  });

  test('a window without rows is undecided in every verdict and outcome', () => {
    const { verdicts, outcomes } = judge(model, reference, {});
    expect(verdicts).toHaveLength(2 * detectorsFor('numeric').length + detectorsFor('categorical').length);
    expect(new Set(verdicts.map((v) => `${v.status} ${v.reason}`))).toEqual(new Set(['undecided no_data']));
    expect(outcomes.map((o) => o.state)).toEqual(['undecided', 'undecided']);
  });

  test('a column that lost all its values is undecided for drift and drifted for missing', () => {
    const { verdicts } = judge(model, reference, { ...same, x: same.x.map(() => null) });
    expect(find(verdicts, 'x', 'ks')).toMatchObject({ status: 'undecided', reason: 'no_data' });
    expect(find(verdicts, 'x', 'missing')).toMatchObject({ status: 'drifted', material: true, statistic: 1 });
  });

  test('NaN, ±Infinity and text in a numeric column count as missing, never into D', () => {
    const broken = same.x.map((v, i) =>
      i % 4 === 0 ? Number.NaN : i % 4 === 1 ? Number.POSITIVE_INFINITY : i % 4 === 2 ? 'oops' : v,
    );
    const { verdicts } = judge(model, reference, { ...same, x: broken });
    expect(find(verdicts, 'x', 'ks').currentRows).toBe(100);
    expect(find(verdicts, 'x', 'missing').statistic).toBeCloseTo(0.75, 12);
  });

  test('a constant column that stays so is undecided; one that changes its value is drifted', () => {
    const constant = modelOf({ x: 'numeric', plan: 'categorical' });
    const before = {
      x: reference.x.map(() => 7),
      plan: reference.plan.map(() => 'a'),
      prediction: reference.prediction,
    };
    const stays = judge(constant, before, {
      ...same,
      x: same.x.map(() => 7),
      plan: same.plan.map(() => 'a'),
    });
    for (const [feature, detector] of [
      ['x', 'ks'],
      ['x', 'psi'],
      ['plan', 'chiSquare'],
      ['plan', 'psi'],
    ] as const)
      expect(find(stays.verdicts, feature, detector)).toMatchObject({
        status: 'undecided',
        reason: 'constant_column',
      });
    const moves = judge(constant, before, {
      ...same,
      x: same.x.map(() => 8),
      plan: same.plan.map(() => 'b'),
    });
    expect(find(moves.verdicts, 'x', 'ks')).toMatchObject({ status: 'drifted', statistic: 1 });
    expect(find(moves.verdicts, 'plan', 'chiSquare').status).toBe('drifted');
    expect(find(moves.verdicts, 'plan', 'unseen').statistic).toBe(1);
  });

  test('one row is too few; two hold no visible effect, and say so', () => {
    const one = judge(model, reference, { x: [0], plan: ['free'], prediction: [0] });
    expect(find(one.verdicts, 'x', 'ks').reason).toBe('too_few_rows');
    expect(find(one.verdicts, 'x', 'psi').reason).toBe('too_few_rows');
    const five = judge(
      modelOf({ x: 'numeric' }),
      { x: [1, 2, 3, 4], prediction: [1, 2, 3, 4] },
      { x: [9, 9], prediction: [9, 9] },
    );
    expect(find(five.verdicts, 'x', 'ks')).toMatchObject({
      reason: 'not_visible_at_window_length',
      statistic: 1,
      pValue: null,
    });
  });

  test('a column without grid or reference profile has no reference', () => {
    const { verdicts } = judge(model, { x: reference.x, prediction: reference.prediction }, same);
    expect(find(verdicts, 'plan', 'chiSquare').reason).toBe('no_data');
    const grown = modelOf({ x: 'numeric', extra: 'numeric' });
    const later = judge(grown, reference, same);
    expect(find(later.verdicts, 'extra', 'ks').reason).toBe('no_data');
  });

  test('is the same byte for byte, and holds no NaN', () => {
    const text = JSON.stringify(judge(model, reference, same));
    expect(JSON.stringify(judge(model, reference, same))).toBe(text);
    const walk = (value: unknown): void => {
      if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
      else if (value !== null && typeof value === 'object') Object.values(value).forEach(walk);
    };
    walk(judge(model, reference, same));
    walk(judge(model, reference, {}));
    walk(judge(model, reference, { x: [1, null], plan: ['zzz', null], prediction: [null, null] }));
  });

  test('verdicts about whole rows join the family and are judged in it', () => {
    const base = find(judge(model, reference, same).verdicts, 'x', 'neyman');
    const outliers: Verdict = {
      ...base,
      feature: '',
      detector: 'isolationForest',
      category: 'outliers',
      pValue: 1e-9,
      adjustedPValue: null,
      minimumEffect: 0.01,
      effect: { value: 0.05, low: 0.03, high: 0.08 },
    };
    const { verdicts, outcomes } = judge(model, reference, same, { extra: [outliers] });
    const judged = find(verdicts, '', 'isolationForest');
    const familySize = Number(judged.parameters.familySize);
    expect(familySize).toBe(
      Number(find(judge(model, reference, same).verdicts, 'x', 'ks').parameters.familySize) + 1,
    );
    expect(judged).toMatchObject({ status: 'drifted', material: true });
    expect(judged.adjustedPValue).toBeCloseTo(1e-9 * familySize, 18);
    expect(outcomes.find((o) => o.category === 'outliers')?.state).toBe('drifted');
    const undecided: Verdict = { ...outliers, status: 'undecided', reason: 'no_data', pValue: null };
    const other = judge(model, reference, same, { extra: [undecided] });
    expect(find(other.verdicts, '', 'isolationForest')).toEqual(undecided);
    expect(other.outcomes.find((o) => o.category === 'outliers')?.state).toBe('undecided');
  });

  test('false alarms: of 200 windows without drift at most the level has any flag', () => {
    let flagged = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { verdicts } = judge(
        model,
        {
          x: normals(5_000 + seed, 500),
          plan: draws(6_000 + seed, 500, { a: 5, b: 3, c: 1 }),
          prediction: normals(7_000 + seed, 500),
        },
        {
          x: normals(8_000 + seed, 100),
          plan: draws(9_000 + seed, 100, { a: 5, b: 3, c: 1 }),
          prediction: normals(9_500 + seed, 100),
        },
        { level: 0.2 },
      );
      if (verdicts.some((v) => v.role === 'primary' && v.status === 'drifted')) flagged++;
    }
    // Binomial(200, 0.2) stays below 58 with probability 0.999; Holm and ties make it conservative.
    expect(flagged).toBeLessThanOrEqual(58);
    expect(flagged).toBeGreaterThan(5);
  });

  test('a level outside (0, 1) is a bug', () => {
    expect(() => judge(model, reference, same, { level: 0 })).toThrow(/level is 0/);
  });
});
