import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ErrorStreamState, LabelCursor, StreamedError } from '../../src/domain/error-stream.js';
import type { ModelVersion, Task } from '../../src/domain/model.js';
import type { LabelRow, PredictionRow } from '../../src/domain/prediction.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { PLAIN_SETTING, scoredLabel, scoredModel, scoredPrediction } from '../support/performance-rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const START_MS = Date.UTC(2026, 0, 5);

describe.each(BACKENDS)('the error stream of the %s store', (kind) => {
  let backend: StoreBackend;
  let admin: StoreClient;
  let batches = 0;

  beforeAll(async () => {
    backend = await openBackend(kind);
    admin = await createStoreClient({ ...backend.location, timeoutMs: 60_000 });
  });
  afterAll(async () => {
    await admin.close();
    await backend.close();
  });

  async function insert(predictions: readonly PredictionRow[], labels: readonly LabelRow[]): Promise<void> {
    batches += 1;
    // The engine's clock tells batches apart by the millisecond.
    await new Promise((resolve) => setTimeout(resolve, 2));
    await backend.store.insertRows({ predictions, labels, rejected: [], token: `errors ${batches}` });
  }

  async function readAll(model: ModelVersion, rows: number) {
    const errors: StreamedError[] = [];
    let unmatched = 0;
    let cursor: LabelCursor | null = null;
    for (;;) {
      const key = {
        model: model.model,
        modelVersion: model.modelVersion,
        regression: model.schema.task === 'regression',
      };
      const page = await backend.store.nextErrors(key, cursor, { rows, settledMs: 0 });
      if (page.cursor === null) return { errors, unmatched, cursor };
      errors.push(...page.errors);
      unmatched += page.unmatched;
      cursor = page.cursor;
    }
  }

  const prediction = (model: ModelVersion, id: string, predicted: number | string) =>
    scoredPrediction(model, id, START_MS, { prediction: predicted });
  const label = (model: ModelVersion, id: string, minute: number, actual: number | string) =>
    scoredLabel(model, id, START_MS + minute * 60_000, actual);
  const modelOf = (name: string, task: Task) => scoredModel(`${name} ${kind}`, task);

  test('is in the order of arrival, then of the labels, whatever the size of a page', async () => {
    const model = modelOf('order', 'binary');
    await insert(
      ['a', 'b', 'c', 'd', 'e'].map((id) => prediction(model, id, 1)),
      [label(model, 'b', 9, 0), label(model, 'a', 3, 1)],
    );
    await insert([], [label(model, 'd', 1, '1'), label(model, 'c', 2, 0), label(model, 'e', 4, 1)]);
    const expected = [
      { error: 0, labelMs: START_MS + 3 * 60_000 },
      { error: 1, labelMs: START_MS + 9 * 60_000 },
      // 1 and `1` are one class.
      { error: 0, labelMs: START_MS + 60_000 },
      { error: 1, labelMs: START_MS + 2 * 60_000 },
      { error: 0, labelMs: START_MS + 4 * 60_000 },
    ];
    for (const rows of [1, 2, 100]) expect((await readAll(model, rows)).errors).toEqual(expected);
    const { cursor } = await readAll(model, 100);
    const arrived = (await backend.store.labelArrivals()).find((each) => each.model === model.model);
    expect(arrived).toMatchObject({ modelVersion: '1', labels: 5 });
    await insert([prediction(model, 'f', 0)], [label(model, 'f', 0, 1)]);
    const more = await backend.store.nextErrors({ ...model, regression: false }, cursor, {
      rows: 10,
      settledMs: 0,
    });
    expect(more.errors).toEqual([{ error: 1, labelMs: START_MS }]);
  });

  test('takes the first label of a prediction, and counts those without one', async () => {
    const model = modelOf('first', 'binary');
    await insert([prediction(model, 'a', 1)], [label(model, 'a', 5, 0), label(model, 'nobody', 1, 1)]);
    await insert([], [label(model, 'a', 6, 1)]);
    for (const rows of [1, 100])
      expect(await readAll(model, rows)).toMatchObject({
        errors: [{ error: 1, labelMs: START_MS + 5 * 60_000 }],
        unmatched: 1,
      });
  });

  test('is of absolute errors for a regression', async () => {
    const model = modelOf('loss', 'regression');
    await insert(
      [prediction(model, 'a', 1.5), prediction(model, 'b', 2), prediction(model, 'c', Infinity)],
      [label(model, 'a', 1, 4), label(model, 'b', 2, -1), label(model, 'c', 3, 0)],
    );
    expect((await readAll(model, 10)).errors.map(({ error }) => error)).toEqual([2.5, 3]);
  });

  test('finds predictions whose features have expired', async () => {
    const model = modelOf('late', 'binary');
    await insert([prediction(model, 'a', 1)], [label(model, 'a', 1, 0)]);
    await backend.store.profileHours(model, [START_MS]);
    await backend.store.measurePerformance(model, PLAIN_SETTING);
    await admin.command(
      `ALTER TABLE predictions DELETE WHERE model = '${model.model}' SETTINGS mutations_sync = 1`,
    );
    expect((await readAll(model, 10)).errors).toEqual([{ error: 1, labelMs: START_MS + 60_000 }]);
  });

  test('leaves out what has not settled', async () => {
    const model = modelOf('young', 'binary');
    await insert([prediction(model, 'a', 1)], [label(model, 'a', 1, 0)]);
    const page = await backend.store.nextErrors({ ...model, regression: false }, null, {
      rows: 10,
      settledMs: 3_600_000,
    });
    expect(page).toEqual({ errors: [], labels: 0, unmatched: 0, cursor: null });
  });

  test('keeps states and detections, the same ones once', async () => {
    const key = { model: `state ${kind}`, modelVersion: '1' };
    const { store } = backend;
    expect(await store.errorStream(key)).toBeNull();
    const state: ErrorStreamState = {
      cursor: { storedMs: START_MS, labelMs: START_MS, fingerprint: '18446744073709551615' },
      position: 7,
      unmatched: 1,
      scale: 0.25,
      detectors: { adwin: { rows: [{ totals: [1], variances: [0] }] }, ddm: null },
    };
    const detections = [
      { detector: 'adwin', position: 5, labelMs: START_MS },
      { detector: 'ddm', position: 7, labelMs: START_MS + 1 },
    ] as const;
    await store.saveErrorStream(key, { ...state, position: 3 }, []);
    await store.saveErrorStream(key, state, detections);
    await store.saveErrorStream(key, state, detections);
    expect(await store.errorStream(key)).toEqual(state);
    expect(await store.streamDetections({ ...key, limit: 10 })).toEqual([detections[1], detections[0]]);
    expect(await store.streamDetections({ ...key, limit: 1 })).toEqual([detections[1]]);
    const period = { startMs: START_MS, endMs: START_MS + 1 };
    expect(await store.streamDetections({ ...key, limit: 10, period })).toEqual([detections[0]]);
    expect(await store.errorStream({ ...key, modelVersion: '2' })).toBeNull();
  });
});
