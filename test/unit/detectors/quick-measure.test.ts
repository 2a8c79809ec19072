import { describe, expect, test } from '@jest/globals';
import { judgeWindow } from '../../../src/detectors/judge-window.js';
import { measureColumns } from '../../../src/detectors/measure-columns.js';
import { quickOutcomes } from '../../../src/detectors/quick-judgement.js';
import { createQuickMeasure } from '../../../src/detectors/quick-measure.js';
import { COLUMN_DETECTORS } from '../../../src/detectors/registry.js';
import type { NullModel } from '../../../src/domain/reference.js';
import { createNormal } from '../../../src/stats/normal-draws.js';
import { createRandom } from '../../../src/stats/random.js';
import type { Value } from '../../support/count-profiles.js';
import { gridsOf, IID, modelOf, profilesOf, referenceOf, WINDOW } from '../../support/judge-fixture.js';

const model = modelOf({
  bell: 'numeric',
  skewed: 'numeric',
  zeros: 'numeric',
  counts: 'numeric',
  flag: 'numeric',
  constant: 'numeric',
  holes: 'numeric',
  plan: 'categorical',
  many: 'categorical',
  fresh: 'categorical',
});
const REFERENCE_ROWS = 6_000;

/** Columns of every shape that tests look at, moved by `drift` of their spread. */
function columnsOf(seed: number, rows: number, drift: number): Record<string, Value[]> {
  const random = createRandom(seed);
  const normal = createNormal(random);
  const values = (draw: () => Value) => Array.from({ length: rows }, draw);
  return {
    bell: values(() => normal() + drift),
    skewed: values(() => Math.exp(normal() + drift)),
    zeros: values(() => (random() < 0.9 - drift / 5 ? 0 : random())),
    counts: values(() => Math.floor(-3 * Math.log(1 - random()) + 2 * drift)),
    flag: values(() => (random() < 0.3 + drift / 4 ? 1 : 0)),
    constant: values(() => 7),
    holes: values(() => (random() < 0.02 + drift / 20 ? null : normal())),
    plan: values(() => (random() < 0.5 + drift / 4 ? 'pro' : 'free')),
    many: values(() => `v${Math.floor(random() ** 2 * 40 * (1 - drift / 4))}`),
    fresh: values(() => (random() < drift / 30 ? 'new' : 'old')),
    prediction: values(() => normal() * 10),
  };
}

const columns = columnsOf(1, REFERENCE_ROWS, 0);
const grids = gridsOf(model, columns);
const referenceProfiles = profilesOf(grids, columns);
const PRIMARY = COLUMN_DETECTORS.filter(({ role }) => role === 'primary');
const temporal: NullModel = {
  kind: 'temporal',
  pieceMs: 1,
  spreads: PRIMARY.flatMap(({ name: detector }) =>
    Object.keys(columns).map((feature) => ({ feature, detector, pieces: 30, excess: 0.01, shape: 2 })),
  ),
};

describe.each([
  ['independent rows', IID],
  ['temporal', temporal],
])('windows that are measured quickly: %s', (_name, nullModel) => {
  const sides = { model, reference: referenceOf(REFERENCE_ROWS, nullModel), grids, referenceProfiles };
  const quickly = createQuickMeasure(sides);
  const LEVELS = [0.2, 0.05, 0.002];

  test('have the outcomes of their verdicts, at the level asked for and below', () => {
    const states = new Map<string, number>();
    for (let seed = 2; seed < 32; seed++) {
      const rows = [0, 1, 12, 40, 200, 600][seed % 6] ?? 0;
      const drift = [0, 0, 0.1, 0.3, 1][seed % 5] ?? 0;
      const current = rows === 0 ? [] : profilesOf(grids, columnsOf(seed, rows, drift));
      for (const most of LEVELS) {
        const measured = quickly(current, most);
        for (const level of LEVELS.filter((other) => other <= most)) {
          const { outcomes } = judgeWindow({
            ...sides,
            currentProfiles: current,
            window: WINDOW,
            level,
            detectors: PRIMARY,
          });
          expect(
            quickOutcomes(measured, [], level).map(({ category, state, drivers }) => [
              category,
              state,
              drivers.map(({ feature, effect }) => `${feature} ${effect}`).sort(),
            ]),
          ).toEqual(
            outcomes.map(({ category, state, drivers }) => [
              category,
              state,
              drivers.map(({ feature, effect }) => `${feature} ${effect?.value}`).sort(),
            ]),
          );
          for (const { state } of outcomes) states.set(state, (states.get(state) ?? 0) + 1);
        }
      }
    }
    expect([...states.keys()].sort()).toEqual(['clean', 'drifted', 'undecided']);
    for (const count of states.values()) expect(count).toBeGreaterThan(10);
  });

  test('are passed over only where nothing could be rejected', () => {
    let passed = 0;
    for (let seed = 200; seed < 260; seed++) {
      const rows = [35, 80, 200, 500, 1_100][seed % 5] ?? 0;
      const current = profilesOf(grids, columnsOf(seed, rows, seed % 3 === 0 ? 0.15 : 0));
      const exact = measureColumns({ ...sides, currentProfiles: current }, 'primary');
      const share = 0.05 / exact.length;
      // As soon as one test reaches its share, others need only reach a larger one.
      const limit = exact.some(({ pValue }) => pValue <= share) ? 0.05 : share;
      for (const [i, candidate] of quickly(current, 0.05).entries()) {
        const own = exact[i];
        expect([candidate.column, candidate.detector.name]).toEqual([own?.column, own?.detector.name]);
        if (candidate.pValue === own?.pValue) continue;
        passed += 1;
        expect(candidate.pValue).toBe(1);
        expect(own?.pValue).toBeGreaterThan(limit);
        expect(own?.leastPValue).toBeLessThan(1e-9);
      }
    }
    expect(passed).toBeGreaterThan(200);
  });

  test('can be asked of one column alone', () => {
    const current = profilesOf(grids, columnsOf(9, 300, 1));
    const all = quickly(current, 0.05).filter(({ column }) => column.name === 'bell');
    expect(quickly(current, 0.05, 'bell').map(({ pValue }) => pValue)).toEqual(
      all.map(({ pValue }) => pValue),
    );
  });
});
