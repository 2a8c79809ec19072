import { describe, expect, test } from '@jest/globals';
import { explainColumn } from '../../../src/detectors/explain.js';
import { judgeWindow } from '../../../src/detectors/judge-window.js';
import type { Grid, Profile } from '../../../src/domain/profile.js';

function profile(grid: Grid, counts: readonly number[], missing = 0): Profile {
  return {
    feature: 'x',
    kind: grid.kind,
    rows: counts.reduce((sum, count) => sum + count, missing),
    missing,
    nonFinite: 0,
    mistyped: 0,
    counts,
    offsets: grid.kind === 'numeric' ? counts.map(() => 0) : [],
    min: null,
    max: null,
  };
}

function explain(grid: Grid, reference: Profile, current: Profile): string {
  const { verdicts } = judgeWindow({
    model: {
      model: 'm',
      modelVersion: '1',
      schema: { task: 'regression', features: [{ name: 'x', kind: grid.kind }] },
      registeredAtMs: 0,
    },
    window: { startMs: 0, endMs: 3_600_000 },
    reference: {
      model: 'm',
      modelVersion: '1',
      hash: 'h',
      rows: reference.rows,
      period: null,
      provenance: '',
      createdAtMs: 0,
      nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
      forest: null,
    },
    grids: [grid],
    referenceProfiles: [reference],
    currentProfiles: [current],
    level: 0.05,
  });
  const own = verdicts.filter((verdict) => verdict.feature === 'x');
  return explainColumn({ name: 'age', grid, reference, current, verdicts: own });
}

const NUMBERS: Grid = { kind: 'numeric', feature: 'x', cutPoints: [10, 20, 30, 40], quantum: 1 };
const WORDS: Grid = { kind: 'categorical', feature: 'x', categories: ['red', 'blue', 'rare'], headSize: 2 };
const even = (count: number) => [0, count, 0, count, 0, count, 0, count, 0];

describe('explainColumn', () => {
  test('tells the medians and where the values went', () => {
    const current = profile(NUMBERS, [0, 20, 0, 30, 0, 50, 0, 300, 0]);
    expect(explain(NUMBERS, profile(NUMBERS, even(100)), current)).toBe(
      'age drifted: its median went from 20 to 40, and 50 % of values moved, most from at or below 30 (75 % → 25 %) to above 30 (25 % → 75 %).',
    );
  });

  test('does not name a median that lies outside of what the reference knew', () => {
    const current = profile(NUMBERS, [0, 0, 0, 0, 0, 0, 0, 100, 300]);
    expect(explain(NUMBERS, profile(NUMBERS, even(100)), current)).toContain('from 20 to above 40');
  });

  test('tells a change that is too little to matter', () => {
    const current = profile(NUMBERS, [0, 23_000, 0, 25_000, 0, 25_000, 0, 27_000, 0]);
    expect(explain(NUMBERS, profile(NUMBERS, even(25_000)), current)).toMatch(
      /^age drifted, but too little to matter: .*2 % of values moved, most from at or below 10 \(25 % → 23 %\) to above 30 \(25 % → 27 %\)\.$/,
    );
  });

  test('tells gaps by themselves', () => {
    const current = profile(NUMBERS, even(100), 200);
    expect(explain(NUMBERS, profile(NUMBERS, even(100), 4), current)).toBe(
      'age drifted: rows without a usable value went from 0.99 % to 33.3 %.',
    );
  });

  test('tells the categories that moved, rare and new ones by what they are', () => {
    const current = profile(WORDS, [900, 50, 40, 10]);
    const text = explain(WORDS, profile(WORDS, [500, 490, 10, 0]), current);
    expect(text).toContain(
      '"blue" −44 points (49 % → 5 %), "red" +40 points (50 % → 90 %) and the rare values +3 points (1 % → 4 %)',
    );
    expect(text).toContain('1 % of values are ones that the reference never had');
  });

  test('tells what it would have taken where nothing was found', () => {
    const same = profile(NUMBERS, even(100));
    expect(explain(NUMBERS, same, same)).toMatch(
      /^age shows no drift: \w+ 0, where [\d.]+ would be significant\.$/,
    );
  });

  test('tells why nothing can be said', () => {
    const one = profile(NUMBERS, [0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(explain(NUMBERS, profile(NUMBERS, even(100)), one)).toMatch(/^age is undecided: /);
    const constant = profile(NUMBERS, [0, 100, 0, 0, 0, 0, 0, 0, 0]);
    expect(explain(NUMBERS, constant, constant)).toMatch(/one and the same value on both sides\.$/);
  });
});
