import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ModelVersion } from '../../src/domain/model.js';
import type { PredictionRow } from '../../src/domain/prediction.js';
import { HOUR_MS } from '../../src/domain/window.js';
import { named, predictionRow } from '../support/rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const START_MS = Date.UTC(2026, 0, 5);
const KEY = { model: "it's", modelVersion: '1' };
const MODEL: ModelVersion = {
  ...KEY,
  schema: {
    task: 'binary',
    features: [
      { name: 'age', kind: 'numeric' },
      { name: 'plan', kind: 'categorical' },
    ],
  },
  registeredAtMs: 0,
};
const ODD = '__proto__ "quoted" \\ Zürich';
const DAY = { startMs: START_MS, endMs: START_MS + 24 * HOUR_MS };

describe.each(BACKENDS)('undeclared features in the %s store', (kind) => {
  let backend: StoreBackend;
  let batches = 0;
  let ids = 0;

  const row = (hour: number, over: Partial<PredictionRow>): PredictionRow => {
    ids += 1;
    return predictionRow(`p${ids}`, { ...KEY, timestampMs: START_MS + hour * HOUR_MS + ids, ...over });
  };
  const insert = async (predictions: readonly PredictionRow[]) => {
    batches += 1;
    await backend.store.insertRows({ predictions, labels: [], rejected: [], token: `t${batches}` });
  };

  beforeAll(async () => {
    backend = await openBackend(kind);
    await backend.store.saveModel(MODEL);
    await backend.store.saveGrids(KEY.model, [
      { kind: 'numeric', feature: 'age', cutPoints: [31], quantum: 1 },
    ]);
  });
  afterAll(() => backend.close());

  test('are counted with the profiles of their hour, by type, and declared ones are not', async () => {
    await insert([
      row(0, {
        numeric: named([
          ['age', 1],
          ['height', 180],
        ]),
      }),
      row(0, {
        numeric: named([['height', 181]]),
        categorical: named([
          ['plan', 'pro'],
          [ODD, 'x'],
        ]),
      }),
      row(0, {
        numeric: named([]),
        categorical: named([
          ['age', 'old'],
          ['height', 'tall'],
        ]),
      }),
      row(5, { numeric: named([['height', 182]]) }),
    ]);
    expect(await backend.store.undeclaredFeatures(MODEL, DAY)).toEqual([]);
    await backend.store.profileHours(MODEL, [START_MS, START_MS + 5 * HOUR_MS]);
    expect(await backend.store.undeclaredFeatures(MODEL, DAY)).toEqual([
      {
        feature: 'height',
        numbers: 3,
        texts: 1,
        firstHourMs: START_MS,
        lastHourMs: START_MS + 5 * HOUR_MS,
      },
      { feature: ODD, numbers: 0, texts: 1, firstHourMs: START_MS, lastHourMs: START_MS },
    ]);
    const later = { startMs: START_MS + HOUR_MS, endMs: DAY.endMs };
    expect(await backend.store.undeclaredFeatures(MODEL, later)).toMatchObject([
      { feature: 'height', numbers: 1 },
    ]);
  });

  test('an hour that is counted again is replaced, not added', async () => {
    await insert([row(5, { numeric: named([['height', 183]]) })]);
    await backend.store.profileHours(MODEL, [START_MS + 5 * HOUR_MS]);
    const [height] = await backend.store.undeclaredFeatures(MODEL, DAY);
    expect(height).toMatchObject({ feature: 'height', numbers: 4, texts: 1 });
  });

  test('one that is declared since is none any more', async () => {
    const features = [...MODEL.schema.features, { name: 'height', kind: 'numeric' as const }];
    const declared = { ...MODEL, schema: { ...MODEL.schema, features } };
    expect((await backend.store.undeclaredFeatures(declared, DAY)).map(({ feature }) => feature)).toEqual([
      ODD,
    ]);
  });

  test('a sender that makes names of ids fills no table', async () => {
    await insert(
      Array.from({ length: 300 }, (_, index) =>
        row(8, {
          numeric: named([
            [`id-${index}`, 1],
            ['often', 1],
          ]),
        }),
      ),
    );
    await backend.store.profileHours(MODEL, [START_MS + 8 * HOUR_MS]);
    const hour = { startMs: START_MS + 8 * HOUR_MS, endMs: START_MS + 9 * HOUR_MS };
    const found = await backend.store.undeclaredFeatures(MODEL, hour);
    expect(found).toHaveLength(100);
    expect(found[0]).toMatchObject({ feature: 'often', numbers: 300 });
  });
});
