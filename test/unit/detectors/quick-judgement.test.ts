import { describe, expect, test } from '@jest/globals';
import { judgeWindow } from '../../../src/detectors/judge-window.js';
import { measureColumns } from '../../../src/detectors/measure-columns.js';
import { quickOutcomes } from '../../../src/detectors/quick-judgement.js';
import { COLUMN_DETECTORS } from '../../../src/detectors/registry.js';
import { createRandom } from '../../../src/stats/random.js';
import { gridsOf, IID, modelOf, profilesOf, referenceOf, WINDOW } from '../../support/judge-fixture.js';
import { verdictOf } from '../../support/outcomes.js';

const model = modelOf({ age: 'numeric', plan: 'categorical', flat: 'numeric', rare: 'categorical' });

function columnsOf(seed: number, rows: number, shift: number) {
  const random = createRandom(seed);
  const values = <T>(draw: () => T) => Array.from({ length: rows }, draw);
  return {
    age: values(() => (random() < 0.03 + shift / 10 ? null : random() + shift)),
    plan: values(() => (random() < 0.5 + shift ? 'pro' : 'free')),
    flat: values(() => 1),
    rare: values(() => (random() < shift / 20 ? 'new' : random() < 0.01 ? 'b' : 'a')),
    prediction: values(() => random() * 10),
  };
}

const columns = columnsOf(1, 1_500, 0);
const grids = gridsOf(model, columns);
const referenceProfiles = profilesOf(grids, columns);
const temporal = {
  kind: 'temporal',
  pieceMs: 1,
  spreads: ['ks', 'chiSquare', 'missing', 'unseen'].flatMap((detector) =>
    ['age', 'plan', 'rare'].map((feature) => ({ feature, detector, pieces: 20, excess: 0.01, shape: 1 })),
  ),
} as const;

describe('quick outcomes', () => {
  test.each([
    ['independent rows', IID],
    ['temporal', temporal],
  ])('are those of the verdicts: %s', (_name, nullModel) => {
    const reference = referenceOf(1_500, nullModel);
    const states = new Set<string>();
    for (let seed = 2; seed < 22; seed++) {
      const rows = [0, 1, 5, 60, 400][seed % 5] ?? 0;
      const current = rows === 0 ? {} : columnsOf(seed, rows, [0, 0.05, 0.3][seed % 3] ?? 0);
      const input = {
        model,
        reference,
        grids,
        referenceProfiles,
        currentProfiles: rows === 0 ? [] : profilesOf(grids, current),
      };
      const extra =
        seed % 2 === 0 ? [] : [verdictOf({ feature: '', category: 'outliers', pValue: seed / 4_000 })];
      const measured = measureColumns(input, 'primary');
      for (const level of [0.2, 0.05, 0.001]) {
        const { outcomes } = judgeWindow({ ...input, window: WINDOW, level, extra });
        const quick = quickOutcomes(measured, extra, level);
        expect(quick.map(({ category, state }) => [category, state])).toEqual(
          outcomes.map(({ category, state }) => [category, state]),
        );
        for (const [i, { drivers }] of outcomes.entries())
          expect(new Set(quick[i]?.drivers.map((driver) => `${driver.feature} ${driver.effect}`))).toEqual(
            new Set(drivers.map((driver) => `${driver.feature} ${driver.effect?.value}`)),
          );
        for (const { state } of quick) states.add(state);
      }
    }
    expect(states).toEqual(new Set(['drifted', 'clean', 'undecided']));
  });
});

test('primary tests need no offsets, so a backtest reads none', () => {
  const current = profilesOf(grids, columnsOf(5, 300, 0.1));
  for (const detector of COLUMN_DETECTORS.filter(({ role }) => role === 'primary'))
    for (const profile of current) {
      const grid = grids.find(({ feature }) => feature === profile.feature);
      const reference = referenceProfiles.find(({ feature }) => feature === profile.feature);
      if (grid === undefined || reference === undefined || !detector.accepts.includes(profile.kind)) continue;
      const statisticOf = (offsets: readonly number[]) => {
        const measured = detector.measure({ grid, reference, current: { ...profile, offsets } });
        return typeof measured === 'string' ? measured : measured.statistic;
      };
      expect(statisticOf([])).toEqual(statisticOf(profile.offsets));
    }
});
