import { describe, expect, it } from '@jest/globals';
import { parseBudget } from '../../../src/cli/policy-commands.js';
import { tuningText, versionOf } from '../../../src/cli/tune.js';
import type { Tuning } from '../../../src/domain/tuning.js';

const TUNING: Tuning = {
  model: 'churn',
  modelVersion: '3',
  referenceHash: 'abc',
  referenceRows: 20_000,
  windowRows: 400,
  minimumRows: 0,
  windowMs: 3_600_000,
  stepMs: 3_600_000,
  tests: { drift: 2, dataQuality: 1 },
  budgets: [
    {
      falseEpisodesPer30Days: 0.1,
      configured: false,
      level: 0.0071,
      expected: 0.098,
      byCategory: { drift: 0.09, dataQuality: 0.008 },
    },
    {
      falseEpisodesPer30Days: 1,
      configured: true,
      level: 0.021,
      expected: 0.97,
      byCategory: { drift: 0.8, dataQuality: 0.17 },
    },
  ],
  columns: [
    {
      feature: 'age',
      detector: 'ks',
      category: 'drift',
      role: 'primary',
      minimumEffect: 0.1,
      undecided: null,
      budgets: [
        { threshold: 0.12, smallestVisibleEffect: 0.12, alarmsFrom: 0.12 },
        { threshold: 0.09, smallestVisibleEffect: 0.09, alarmsFrom: 0.1 },
      ],
    },
    {
      feature: 'weekday',
      detector: 'chiSquare',
      category: 'drift',
      role: 'primary',
      minimumEffect: 0.1,
      undecided: 'not_visible_at_window_length',
      budgets: [],
    },
  ],
};

const clientOf = (models: object[]) =>
  ({ get: async () => ({ models }) }) as unknown as Parameters<typeof versionOf>[0];

describe('model tune', () => {
  it('says where an ordinary window is below the minimum', () => {
    expect(tuningText(TUNING)).not.toContain('minimum is');
    expect(tuningText({ ...TUNING, minimumRows: 401 })).toContain(
      "Nothing opens an episode: the policy's minimum is 401 rows, and an ordinary window has fewer.",
    );
  });

  it('says levels, expected episodes, the smallest drifts and what stays invisible', () => {
    const text = tuningText(TUNING);
    expect(text).toContain('an ordinary window of 1 h has 400 rows');
    expect(text).toMatch(/0\.1\s+0\.0071\s+0\.098\s+0\.090\s+0\.0080\n/);
    expect(text).toMatch(/1\s+0\.021\s+0\.97\s+0\.80\s+0\.17\s+← in force/);
    expect(text).toMatch(/age\s+ks\s+0\.120\s+0\.100\s+0\.1/);
    expect(text).toContain('weekday chiSquare (not_visible_at_window_length)');
    expect(text).not.toContain('at most 0.05');
  });

  it('says that a large budget does not raise the level further', () => {
    const [tight] = TUNING.budgets;
    const capped = { ...TUNING, budgets: tight === undefined ? [] : [tight, { ...tight, level: 0.05 }] };
    expect(tuningText(capped)).toContain('the level is at most 0.05');
  });

  it('takes the version that was registered last', async () => {
    const client = clientOf([
      { model: 'churn', modelVersion: '2', registeredAtMs: 20 },
      { model: 'churn', modelVersion: '10', registeredAtMs: 30 },
      { model: 'other', modelVersion: '1', registeredAtMs: 40 },
    ]);
    expect(await versionOf(client, 'churn', undefined)).toBe('10');
    expect(await versionOf(client, 'churn', '2')).toBe('2');
    await expect(versionOf(client, 'nobody', undefined)).rejects.toMatchObject({ code: 'unknown_model' });
  });

  it.each(['0', 'x', '101'])('a budget of %s is refused', (text) => {
    expect(() => parseBudget(text)).toThrow(/budget/);
  });
});
