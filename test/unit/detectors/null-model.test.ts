import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mergeProfiles, withoutPart } from '../../../src/detectors/merge-profiles.js';
import { fitNullModel, fitNullModelInTurns, usablePieces } from '../../../src/detectors/null-model.js';
import { movingColumns, type NullModel } from '../../../src/domain/reference.js';
import { DAY_MS } from '../../../src/domain/window.js';
import { gridOf, profileOf, type Value } from '../../support/count-profiles.js';
import {
  type Columns,
  detectorsFor,
  draws,
  find,
  gridsOf,
  judge,
  modelOf,
  normals,
  profilesOf,
} from '../../support/judge-fixture.js';

const model = modelOf({ x: 'numeric', plan: 'categorical' });
const PIECES = 30;
const ROWS = 200;

/** Days whose numeric column moves by a day effect; each row of `days` is one day. */
function days(seed: number, count: number, daySpread: number): Columns[] {
  const effects = normals(seed, count, 0, daySpread);
  return effects.map((effect, day) => ({
    x: normals(seed + 1 + day, ROWS, effect),
    plan: draws(seed + 500 + day, ROWS, { a: 5, b: 3, c: 1 }),
    prediction: normals(seed + 900 + day, ROWS),
  }));
}

function concat(list: readonly Columns[]): Columns {
  const of = (name: string): Value[] => list.flatMap((columns) => columns[name] ?? []);
  return { x: of('x'), plan: of('plan'), prediction: of('prediction') };
}

function learn(list: readonly Columns[]) {
  const grids = gridsOf(model, concat(list));
  const pieces = list.map((columns, i) => ({
    window: { startMs: i * DAY_MS, endMs: (i + 1) * DAY_MS },
    profiles: profilesOf(grids, columns),
  }));
  return fitNullModel({ grids, pieces, pieceMs: DAY_MS });
}

const spreadOf = (nullModel: NullModel, feature: string, detector: string) => {
  const spread = nullModel.spreads.find((s) => s.feature === feature && s.detector === detector);
  if (spread === undefined) throw new RangeError(`no spread of ${feature}.${detector}`);
  return spread;
};

describe('fitNullModel', () => {
  test.each(['x', 'plan'])(
    'a column of nothing but nulls (%s) leaves the others what they learn',
    (empty) => {
      const usual = days(1, PIECES, 0.5);
      const other = empty === 'x' ? 'plan' : 'x';
      const test = empty === 'x' ? 'chiSquare' : 'ks';
      const without = learn(usual.map((day) => ({ ...day, [empty]: (day[empty] ?? []).map(() => null) })));
      expect(without.kind).toBe('temporal');
      expect(spreadOf(without, other, test)).toEqual(spreadOf(learn(usual), other, test));
      for (const spread of without.spreads)
        for (const value of [spread.excess, spread.shape, spread.effectivePieces])
          expect(value === undefined || Number.isFinite(value)).toBe(true);
    },
  );

  test('learns that one column moves from day to day and the other does not', () => {
    const nullModel = learn(days(1, PIECES, 0.5));
    expect(nullModel).toMatchObject({ kind: 'temporal', pieceMs: DAY_MS });
    const moving = spreadOf(nullModel, 'x', 'ks');
    const calm = spreadOf(nullModel, 'prediction', 'ks');
    const information = (ROWS * ROWS * (PIECES - 1)) / (ROWS * PIECES);
    expect(1 + moving.excess * information).toBeGreaterThan(8);
    expect(1 + calm.excess * information).toBeLessThan(1.5);
    expect(moving.pieces).toBe(PIECES);
    expect(nullModel.spreads.map((s) => `${s.feature}.${s.detector}`)).toEqual([
      ...detectorsFor('numeric').map((name) => `x.${name}`),
      ...detectorsFor('categorical').map((name) => `plan.${name}`),
      ...detectorsFor('numeric').map((name) => `prediction.${name}`),
    ]);
  });

  test('is iid with fewer than ten usable pieces', () => {
    expect(learn(days(1, 9, 0.5))).toEqual({ kind: 'iid', pieceMs: 0, spreads: [] });
    expect(fitNullModel({ grids: [], pieces: [], pieceMs: DAY_MS }).kind).toBe('iid');
  });

  test('leaves out a partial first day', () => {
    const list = days(1, PIECES, 0.5);
    const [first] = list;
    const short: Columns = {
      x: first?.x?.slice(0, 50) ?? [],
      plan: first?.plan?.slice(0, 50) ?? [],
      prediction: first?.prediction?.slice(0, 50) ?? [],
    };
    expect(spreadOf(learn([short, ...list.slice(1)]), 'x', 'ks').pieces).toBe(PIECES - 1);
    expect(usablePieces([])).toEqual([]);
  });

  test('days that differ: the temporal null keeps an ordinary new day silent, the iid null does not', () => {
    const reference = days(1, PIECES, 0.5);
    const nullModel = learn(reference);
    const fresh = days(10_000, 40, 0.5);
    const whole = concat(reference);
    const flagged = (list: readonly Columns[], options: Parameters<typeof judge>[3]) =>
      list.filter((day) =>
        judge(model, whole, day, options).verdicts.some(
          (v) => v.role === 'primary' && v.status === 'drifted' && v.material,
        ),
      ).length;
    expect(flagged(fresh.slice(0, 20), {})).toBeGreaterThan(8);
    // Binomial(40, 0.05) stays below 7 with probability 0.997.
    expect(flagged(fresh, { nullModel })).toBeLessThanOrEqual(6);
  });

  test('and a day far outside what days are like is still drifted, with its design effect told', () => {
    const reference = days(1, PIECES, 0.5);
    const day = {
      x: normals(77, ROWS, 4),
      plan: draws(78, ROWS, { a: 5, b: 3, c: 1 }),
      prediction: normals(79, ROWS),
    };
    const { verdicts } = judge(model, concat(reference), day, { nullModel: learn(reference) });
    const verdict = find(verdicts, 'x', 'ks');
    expect(verdict).toMatchObject({ status: 'drifted', material: true, null: 'temporal' });
    expect(verdict.designEffect).toBeGreaterThan(8);
    expect(verdict.effectiveCurrentRows).toBeCloseTo(ROWS / verdict.designEffect, 9);
    expect(verdict.parameters).toMatchObject({ pieces: PIECES });
    expect(find(verdicts, 'prediction', 'ks').status).toBe('stable');
  });

  test('one category per window can never look like the reference: not visible at this window length', () => {
    const reference = days(1, PIECES, 0).map((day, i) => ({
      ...day,
      plan: (day.plan ?? []).map(() => ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][i % 7] ?? ''),
    }));
    const [monday] = reference;
    const { verdicts } = judge(model, concat(reference), monday ?? {}, { nullModel: learn(reference) });
    expect(find(verdicts, 'plan', 'chiSquare')).toMatchObject({
      status: 'undecided',
      reason: 'not_visible_at_window_length',
      pValue: null,
    });
    expect(find(verdicts, 'plan', 'unseen').status).toBe('stable');
  });

  test('a total outage is visible though a single piece had a few missing values', () => {
    const reference = days(1, PIECES, 0.2).map((day, i) => ({
      ...day,
      x: (day.x ?? []).map((v, row) => (i === 4 && row < 6 ? null : v)),
    }));
    const nullModel = learn(reference);
    const [day] = days(9_000, 1, 0.2);
    const clean = judge(model, concat(reference), day ?? {}, { nullModel });
    expect(find(clean.verdicts, 'x', 'missing').status).toBe('stable');
    const outage = judge(
      model,
      concat(reference),
      { ...day, x: (day?.x ?? []).map(() => null) },
      { nullModel },
    );
    expect(find(outage.verdicts, 'x', 'missing')).toMatchObject({ status: 'drifted', material: true });
  });

  test('a column without a spread has no reference to be judged by', () => {
    const reference = days(1, PIECES, 0.5);
    const nullModel = learn(reference);
    const spreads = nullModel.spreads.filter((s) => s.feature !== 'x');
    const { verdicts } = judge(model, concat(reference), reference[0] ?? {}, {
      nullModel: { ...nullModel, spreads },
    });
    expect(find(verdicts, 'x', 'ks')).toMatchObject({ status: 'undecided', reason: 'no_reference' });
  });
});

describe('a reference whose days are not independent', () => {
  /** Days whose numeric and categorical columns follow the given states. */
  const daysOf = (states: readonly number[]): Columns[] =>
    states.map((state, day) => ({
      x: normals(3_000 + day, ROWS, state),
      plan: draws(4_000 + day, ROWS, { a: 5 * Math.exp(state / 2), b: 3, c: 1 }),
      prediction: normals(5_000 + day, ROWS),
    }));
  const independent = normals(11, PIECES, 0, 0.4);

  test('tells a trend apart: which columns move, by how much, and those that do not', () => {
    const nullModel = learn(daysOf(independent.map((state, day) => state + (2 * day) / (PIECES - 1) - 1)));
    // From one standard deviation below to one above, beside days of 0.4: D between the ends is 2Φ(1) − 1 = 0.68 at most.
    const { trend, autocorrelation } = spreadOf(nullModel, 'x', 'neyman');
    expect(trend?.change).toBeGreaterThan(0.5);
    expect(trend?.change).toBeLessThan(0.8);
    expect(trend?.pValue).toBeLessThan(1e-4);
    expect(autocorrelation).toBeGreaterThan(0.4);
    expect(movingColumns(nullModel)).toEqual(['x', 'plan']);
    expect(spreadOf(nullModel, 'prediction', 'neyman').trend).toMatchObject({ material: false });
    expect(spreadOf(nullModel, 'x', 'ks').trend).toBeUndefined();
    expect(movingColumns(learn(daysOf(independent)))).toEqual([]);
  });

  test('tells a trend of missing values in their share', () => {
    const list = daysOf(independent).map((day, i) => ({
      ...day,
      x: (day.x ?? []).map((v, row) => (row < i ? null : v)),
    }));
    expect(spreadOf(learn(list), 'x', 'missing').trend).toMatchObject({ material: true, pValue: 0 });
    // From none to 29 of 200.
    expect(spreadOf(learn(list), 'x', 'missing').trend?.change).toBeCloseTo(29 / 200, 9);
  });

  test('counts days that last for fewer, and expects more of a new one', () => {
    const sorted = [...independent].sort((a, b) => a - b);
    // The same days in another order: as they lie, and slowly going up and down again.
    const wave = [...sorted.filter((_, i) => i % 2 === 0), ...sorted.filter((_, i) => i % 2 === 1).reverse()];
    const [lying, lasting] = [independent, wave].map((states) => spreadOf(learn(daysOf(states)), 'x', 'ks'));
    if (lying === undefined || lasting === undefined) throw new RangeError('two spreads expected');
    expect(lying.autocorrelation).toBeLessThan(0.3);
    expect(lying.effectivePieces).toBeGreaterThan(0.8 * PIECES);
    expect(lasting.autocorrelation).toBeGreaterThan(0.8);
    expect(lasting.effectivePieces).toBeLessThan(0.4 * PIECES);
    expect(lasting.excess / lying.excess).toBeGreaterThan(1.5);
  });

  test('and says so in the verdict', () => {
    const list = daysOf(independent);
    const nullModel = learn(list);
    const { verdicts } = judge(model, concat(list), list[0] ?? {}, { nullModel });
    const spread = spreadOf(nullModel, 'x', 'neyman');
    expect(spread.trend).toBeDefined();
    expect(find(verdicts, 'x', 'neyman').parameters).toMatchObject({
      effectivePieces: spread.effectivePieces,
      autocorrelation: spread.autocorrelation,
      referenceTrend: spread.trend?.change,
      referenceTrendPValue: spread.trend?.pValue,
    });
  });
});

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

describe('fitNullModel with phases', () => {
  /** Weeks of days whose numeric column follows the weekday. */
  const weeks = (count: number) =>
    Array.from(
      { length: 7 * count },
      (_, day): Columns => ({
        x: normals(7_000 + day, ROWS, day % 7),
        plan: draws(8_000 + day, day % 7 === 6 ? 20 : ROWS, { a: 5, b: 3, c: 1 }),
        prediction: normals(9_000 + day, ROWS),
      }),
    );
  const list = weeks(5);
  const grids = gridsOf(model, concat(list));
  const pieces = list.map((columns, i) => ({
    window: { startMs: i * DAY_MS, endMs: (i + 1) * DAY_MS },
    profiles: profilesOf(grids, columns),
  }));

  test('a season inside the phases is no spread between pieces', () => {
    const flat = fitNullModel({ grids, pieces, pieceMs: DAY_MS });
    const phased = fitNullModel({
      grids,
      pieces,
      pieceMs: DAY_MS,
      phaseOf: ({ startMs }) => startMs % (7 * DAY_MS),
    });
    const inflation = (nullModel: typeof flat, others: number) =>
      1 + spreadOf(nullModel, 'x', 'ks').excess * ((ROWS * ROWS * others) / (ROWS * (others + 1)));
    expect(inflation(flat, 34)).toBeGreaterThan(50);
    expect(inflation(phased, 4)).toBeLessThan(1.5);
    expect(spreadOf(phased, 'x', 'ks').pieces).toBe(35);
  });

  test('a quiet phase is not left out for being quieter than the others', () => {
    const small = pieces.map((piece) => ({
      ...piece,
      profiles: piece.profiles.filter(({ feature }) => feature === 'plan'),
    }));
    const phased = fitNullModel({
      grids,
      pieces: small,
      pieceMs: DAY_MS,
      phaseOf: ({ startMs }) => startMs % (7 * DAY_MS),
    });
    expect(spreadOf(phased, 'plan', 'chiSquare').pieces).toBe(35);
    const flat = fitNullModel({ grids, pieces: small, pieceMs: DAY_MS });
    expect(spreadOf(flat, 'plan', 'chiSquare').pieces).toBe(30);
  });
});

test('with a pause after each test of each column learns the same', async () => {
  const list = days(77, 12, 0.2);
  const grids = gridsOf(model, concat(list));
  const pieces = list.map((columns, i) => ({
    window: { startMs: i * DAY_MS, endMs: (i + 1) * DAY_MS },
    profiles: profilesOf(grids, columns),
  }));
  const input = { grids, pieces, pieceMs: DAY_MS };
  let pauses = 0;
  const learned = await fitNullModelInTurns(input, async () => {
    pauses += 1;
  });
  expect(learned).toEqual(fitNullModel(input));
  expect(pauses).toBeGreaterThanOrEqual(learned.spreads.length);
  expect(learned.spreads.length).toBeGreaterThan(0);
});
