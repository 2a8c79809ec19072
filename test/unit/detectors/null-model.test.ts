import { describe, expect, test } from '@jest/globals';
import { fitNullModel, fitNullModelInTurns, usablePieces } from '../../../src/detectors/null-model.js';
import { DAY_MS } from '../../../src/domain/window.js';
import { concat, days, learn, model, PIECES, ROWS, spreadOf } from '../../support/day-pieces.js';
import {
  type Columns,
  detectorsFor,
  draws,
  find,
  gridsOf,
  judge,
  normals,
  profilesOf,
} from '../../support/judge-fixture.js';

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
