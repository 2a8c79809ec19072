import { describe, expect, test } from '@jest/globals';
import { fitInfluence } from '../../../src/detectors/influence.js';
import type { Reference } from '../../../src/domain/reference.js';
import type { Verdict } from '../../../src/domain/verdict.js';
import { HOUR_MS, type Window } from '../../../src/domain/window.js';
import { createExplainer, type ExplainerDeps } from '../../../src/jobs/explain-window.js';
import {
  type Columns,
  draws,
  gridsOf,
  judge,
  modelOf,
  normals,
  profilesOf,
  referenceOf,
} from '../../support/judge-fixture.js';

const MODEL = modelOf({ temp: 'numeric', carrier: 'categorical', humidity: 'numeric' });
const KEY = { model: 'm', modelVersion: '1' };
const ROWS = 2_000;
const temperatures = normals(1, ROWS);
const REFERENCE: Columns = {
  temp: temperatures,
  carrier: draws(2, ROWS, { UA: 5, EV: 3, B6: 2 }),
  humidity: normals(3, ROWS),
  prediction: temperatures.map((value, i) => 0.4 + 0.1 * value + 0.001 * (i % 7)),
};
const CURRENT: Columns = {
  ...REFERENCE,
  temp: normals(4, ROWS, 1),
  humidity: normals(5, ROWS, 3),
  prediction: normals(6, ROWS, 0.5, 0.1),
};
const windowAt = (hour: number): Window => ({ startMs: hour * HOUR_MS, endMs: (hour + 1) * HOUR_MS });
const grids = gridsOf(MODEL, REFERENCE);
const columns = [...MODEL.schema.features, { name: 'prediction', kind: 'numeric' as const }];
const influence = fitInfluence({
  columns,
  grids,
  rows: Array.from({ length: ROWS }, (_, i) => columns.map(({ name }) => REFERENCE[name]?.[i] ?? null)),
});

function storeOf(
  verdicts: readonly Verdict[],
  reference: Reference | null,
  judged: readonly Window[] = [windowAt(1)],
): ExplainerDeps['store'] {
  return {
    listModels: async () => [MODEL],
    listRuns: async () =>
      judged.map((window) => ({
        ...KEY,
        window,
        referenceHash: 'abc',
        status: 'judged' as const,
        rows: ROWS,
        atMs: 0,
      })),
    listVerdicts: async () => [...verdicts],
    listGrids: async () => grids,
    mergedProfiles: async ({ scope }) => profilesOf(grids, scope === 'production' ? CURRENT : REFERENCE),
    currentReference: async () => reference,
    findReference: async () => null,
  };
}

const at = (window: Window) =>
  judge(MODEL, REFERENCE, CURRENT).verdicts.map((verdict) => ({ ...verdict, window }));
const withInfluence: Reference = { ...referenceOf(ROWS), influence };

describe('createExplainer', () => {
  test('puts the feature that moves the prediction first, though another drifted more', async () => {
    const explain = createExplainer({ store: storeOf(at(windowAt(1)), withInfluence) });
    const { period, windows, explanation } = await explain(KEY, null);
    expect(period).toEqual(windowAt(1));
    expect(windows).toBe(1);
    expect(explanation.features.map(({ feature }) => feature)).toEqual(['temp', 'humidity']);
    const [temp, humidity] = explanation.features;
    expect(temp?.severity ?? 0).toBeLessThan(humidity?.severity ?? 0);
    // The prediction follows the temperature with slope 0.1, which rose by 1; bins see a little less of it.
    expect(temp?.predictionShift).toBeGreaterThan(0.07);
    expect(temp?.predictionShift).toBeLessThan(0.11);
    expect(temp?.sentence).toMatch(
      /^temp: its median went .* of values moved, most from at or below .*; alone it would raise the mean prediction by 0\.\d+ \(it explains 9\d(\.\d)? % of the prediction\)\.$/,
    );
    expect(explanation.outputs.map(({ feature }) => feature)).toEqual(['prediction']);
    expect(explanation.note).toBeNull();
  });

  test('ranks by effect, and says why, where the reference tells nothing of predictions', async () => {
    const before = await createExplainer({ store: storeOf(at(windowAt(1)), referenceOf(ROWS)) })(KEY, null);
    expect(before.explanation.rankedBy).toBe('effect');
    expect(before.explanation.note).toMatch(/register it again/);
    expect(before.explanation.features.map(({ feature }) => feature)).toEqual(['humidity', 'temp']);
    const without = { ...referenceOf(ROWS), influence: null };
    const none = await createExplainer({ store: storeOf(at(windowAt(1)), without) })(KEY, null);
    expect(none.explanation.note).toMatch(/no predictions that vary/);
    expect(none.explanation.features[0]?.sentence).not.toContain('alone');
  });

  test('takes each column’s worst verdict of a period, and only of its windows', async () => {
    const mild = at(windowAt(1)).map((verdict) => ({ ...verdict, material: false }));
    const outside = at(windowAt(9));
    const store = storeOf([...mild, ...at(windowAt(2)), ...outside], withInfluence);
    const { windows, explanation } = await createExplainer({ store })(KEY, {
      startMs: HOUR_MS,
      endMs: 3 * HOUR_MS,
    });
    expect(windows).toBe(2);
    expect(explanation.features.every(({ material }) => material)).toBe(true);
  });

  test('says so where windows were judged against a reference that is not kept', async () => {
    const rolling = at(windowAt(1)).map((verdict) => ({ ...verdict, referenceHash: 'rolled' }));
    const { explanation } = await createExplainer({ store: storeOf(rolling, withInfluence) })(KEY, null);
    expect(explanation.note).toMatch(/judged against past production/);
  });

  test('passes over segments, and has nothing to say of a window without drift', async () => {
    const ofSegment = at(windowAt(1)).map((verdict) => ({
      ...verdict,
      segment: { column: 'carrier', value: 'UA' },
    }));
    const { explanation } = await createExplainer({ store: storeOf(ofSegment, withInfluence) })(KEY, null);
    expect(explanation.features).toEqual([]);
  });

  test('refuses what is not registered, or not judged yet', async () => {
    const store = storeOf([], withInfluence, []);
    await expect(createExplainer({ store })(KEY, null)).rejects.toMatchObject({ code: 'not_found' });
    await expect(createExplainer({ store })({ ...KEY, modelVersion: '9' }, null)).rejects.toMatchObject({
      code: 'unknown_model',
    });
  });
});
