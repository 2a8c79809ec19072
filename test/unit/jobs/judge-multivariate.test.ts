import { describe, expect, it } from '@jest/globals';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { Reference } from '../../../src/domain/reference.js';
import type { Verdict } from '../../../src/domain/verdict.js';
import { DAY_MS, type Window } from '../../../src/domain/window.js';
import { createMultivariateJudge, type MultivariateJudgeDeps } from '../../../src/jobs/judge-multivariate.js';
import { createNormal } from '../../../src/stats/normal-draws.js';
import { comparePairs } from '../../../src/stats/pair-classifier.js';
import { encodePairRows } from '../../../src/stats/pair-rows.js';
import { serialisePairSample } from '../../../src/stats/pair-sample.js';
import { createRandom } from '../../../src/stats/random.js';

const MODEL: ModelVersion = {
  model: 'm',
  modelVersion: '1',
  schema: {
    task: 'regression',
    features: [
      { name: 'a', kind: 'numeric' },
      { name: 'b', kind: 'numeric' },
    ],
  },
  registeredAtMs: 0,
};
const COLUMNS = MODEL.schema.features.map((feature) => ({ ...feature, categories: [] }));
const REFERENCE: Reference = {
  model: 'm',
  modelVersion: '1',
  hash: 'h',
  rows: 1_000,
  period: null,
  provenance: 'test',
  createdAtMs: 0,
  nullModel: { kind: 'iid', pieceMs: 0, spreads: [], provisional: true },
  forest: null,
  multivariate: { rows: 1_000, features: 2, windowRows: 300, pieces: [] },
};
const dayOf = (day: number): Window => ({ startMs: day * DAY_MS, endMs: (day + 1) * DAY_MS });

/** A store that remembers what was judged, and whose days' columns correlate by `r`. */
function createWorld(change: { sample?: string | null; production?: boolean; empty?: boolean } = {}) {
  const normal = createNormal(createRandom(1));
  const draw = (rows: number, r: number) =>
    Array.from({ length: rows }, () => {
      const a = normal();
      return [a, r * a + Math.sqrt(1 - r * r) * normal()];
    });
  const text =
    change.sample === undefined
      ? serialisePairSample({ columns: COLUMNS, rows: encodePairRows(COLUMNS, draw(1_000, 0.5)) })
      : change.sample;
  const judged: Verdict[] = [];
  const seen = { loads: 0, limits: [] as number[] };
  let r = 0.5;
  const store: MultivariateJudgeDeps['store'] = {
    referenceSample: async () => {
      seen.loads += 1;
      return text === null ? null : { text, production: change.production ?? false };
    },
    someRows: async (_model, columns, window, limit) => {
      expect(columns.map(({ name }) => name)).toEqual(['a', 'b']);
      seen.limits.push(limit);
      const rows = change.empty === true ? [] : draw(limit, r);
      return rows.map((values) => ({ values, timestampMs: window.startMs }));
    },
    listVerdicts: async (query) => {
      expect(query.detector).toBe('domainClassifier');
      return judged;
    },
  };
  const judge = createMultivariateJudge({ store, comparePairs: async (input) => comparePairs(input()) });
  return {
    seen,
    turn: (next: number) => {
      r = next;
    },
    judge: async (day: number, reference = REFERENCE, rows = 5_000) => {
      const verdicts = await judge(MODEL, reference, dayOf(day), { rows, level: 0.01 });
      judged.push(...verdicts);
      return verdicts[0];
    },
  };
}

describe('judging features together', () => {
  it('reads at most as many rows as pieces had, and the sample once', async () => {
    const { judge, seen } = createWorld();
    await judge(0);
    await judge(1);
    expect(seen).toEqual({ loads: 1, limits: [300, 300] });
  });

  it('reads a sample of production rows each time, since it may have been erased', async () => {
    const { judge, seen } = createWorld({ production: true });
    await judge(0);
    await judge(1);
    expect(seen.loads).toBe(2);
    expect(await createWorld({ sample: null }).judge(0)).toMatchObject({ reason: 'no_reference' });
  });

  it('says why there is nothing to compare', async () => {
    const { judge } = createWorld();
    expect(await judge(0, REFERENCE, 0)).toMatchObject({ status: 'undecided', reason: 'no_data' });
    expect(await judge(0, REFERENCE, 99)).toMatchObject({ reason: 'too_few_rows', currentRows: 99 });
    expect(await createWorld({ empty: true }).judge(0)).toMatchObject({ reason: 'no_data' });
    await expect(createWorld({ sample: '{}' }).judge(0)).rejects.toMatchObject({ code: 'invalid_reference' });
    const { multivariate: _, ...without } = REFERENCE;
    expect(await judge(0, without)).toBeUndefined();
  });

  it('learns from the first weeks of production what is usual, where the reference cannot say', async () => {
    const { judge, turn } = createWorld();
    // Production goes together a little otherwise than training from its first day on.
    turn(0.2);
    for (let day = 0; day < 14; day++) expect((await judge(day))?.parameters.nullProvisional).toBe(true);
    const learned: Reference = {
      ...REFERENCE,
      nullModel: {
        kind: 'temporal',
        pieceMs: DAY_MS,
        spreads: [],
        learned: { startMs: 0, endMs: 14 * DAY_MS },
      },
    };
    const usual = await judge(14, learned);
    expect(usual).toMatchObject({ status: 'stable', null: 'temporal', parameters: { pieces: 14 } });
    expect(usual?.parameters.nullLearnedUntil).toBe(new Date(14 * DAY_MS).toISOString());
    turn(-0.7);
    expect(await judge(15, learned)).toMatchObject({ status: 'drifted', material: true });
    // Windows judged with another reference, or after that time, say nothing of it.
    const other: Reference = { ...learned, hash: 'other' };
    expect(await judge(16, other)).toMatchObject({ status: 'undecided', reason: 'no_reference' });
  });
});
