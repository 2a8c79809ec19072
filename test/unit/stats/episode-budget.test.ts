import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { createEpisodeBudget, type FamilyModel } from '../../../src/stats/episode-budget.js';

interface Case extends Omit<FamilyModel, 'scaleDegrees'> {
  readonly name: string;
  readonly scaleDegrees: number | null;
  readonly level: number;
  readonly byCategory: number[];
  readonly standardErrors: number[];
}

/** Brute force in numpy: test/oracle/episode-budget.py. */
const CASES = JSON.parse(readFileSync('test/oracle/episode-budget.json', 'utf8')) as Case[];
const budget = createEpisodeBudget();
const familyOf = (known: Case): FamilyModel => ({
  ...known,
  scaleDegrees: known.scaleDegrees ?? Number.POSITIVE_INFINITY,
});
const HOURLY: FamilyModel = {
  tests: [20, 5],
  sharedVariance: 1 / 512,
  overlap: 1,
  scaleDegrees: Number.POSITIVE_INFINITY,
  windowsPer30Days: 720,
  rule: { openCount: 2, openWindows: 2, closeCount: 2, cooldownWindows: 0 },
};

describe('false episodes per 30 days', () => {
  test.each(CASES)('as brute force counts them: $name', async (known) => {
    const rates = (await budget.ratesOf(familyOf(known), known.level)).byCategory(known.level);
    for (const [category, expected] of known.byCategory.entries()) {
      // Ours has at least a third of the brute force's references, so at most twice its standard error.
      const tolerance = 4 * Math.hypot(1, 2) * (known.standardErrors[category] ?? 0);
      expect(Math.abs((rates[category] ?? 0) - expected)).toBeLessThan(tolerance + 0.02 * expected);
    }
  });

  test('rise with the level, and a budget gets the last level that keeps it', async () => {
    const rates = await budget.ratesOf(HOURLY, 0.05);
    const levels = [0.1, 0.5, 1].map((allowed) => rates.levelFor(allowed, 0.05));
    expect(levels).toEqual([...levels].sort((a, b) => a - b));
    for (const [i, allowed] of [0.1, 0.5].entries()) {
      const level = levels[i] ?? 0;
      expect(rates.total(level)).toBeLessThanOrEqual(allowed);
      expect(rates.total(level + (level < 0.01 ? 0.0001 : 0.001))).toBeGreaterThan(allowed);
    }
    expect(rates.levelFor(1_000, 0.05)).toBe(0.05);
    // What was found is remembered, by budget and by the greatest level allowed.
    expect([0.1, 0.5, 1].map((allowed) => rates.levelFor(allowed, 0.05))).toEqual(levels);
    expect(rates.levelFor(1_000, 0.01)).toBe(0.01);
  });

  test('grow with what the windows share: the reference, and rows', async () => {
    const at = async (change: Partial<FamilyModel>) =>
      (await budget.ratesOf({ ...HOURLY, ...change }, 0.05)).total(0.02);
    expect(await at({ sharedVariance: 0.25 })).toBeGreaterThan(1.2 * (await at({})));
    expect(await at({ overlap: 24 })).toBeGreaterThan(3 * (await at({})));
    expect(await at({ scaleDegrees: 10 })).toBeGreaterThan(await at({}));
  });

  test('are the same on every run, and for inputs that differ by a row', async () => {
    const again = await createEpisodeBudget().ratesOf({ ...HOURLY, sharedVariance: 0.99 / 512 }, 0.05);
    expect(again.byCategory(0.03)).toEqual((await budget.ratesOf(HOURLY, 0.05)).byCategory(0.03));
  });

  test('a model without a test raises nothing', async () => {
    const rates = await budget.ratesOf({ ...HOURLY, tests: [0] }, 0.05);
    expect([rates.total(0.05), rates.levelFor(1, 0.05)]).toEqual([0, 0.05]);
  });

  test.each([
    [{ tests: [-1] }, /tests are -1/],
    [{ sharedVariance: 1 }, /shared variance is 1/],
    [{ overlap: 1.5 }, /overlap is 1.5/],
    [{ scaleDegrees: 0 }, /degrees are 0/],
    [{ windowsPer30Days: 0 }, /30 days are 0/],
  ])('%j is a bug', (change, message) => {
    expect(() => budget.ratesOf({ ...HOURLY, ...change }, 0.05)).toThrow(message);
  });

  test('a level beyond the simulated ones is a bug', async () => {
    const rates = await budget.ratesOf(HOURLY, 0.05);
    expect(() => rates.total(0.1)).toThrow(/0.1 was not simulated/);
    expect(() => budget.ratesOf(HOURLY, 0.6)).toThrow(/largest level is 0.6/);
  });
});
