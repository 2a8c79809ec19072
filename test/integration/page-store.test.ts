import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ModelVersion } from '../../src/domain/model.js';
import type { Store } from '../../src/domain/ports.js';
import type { PredictionRow } from '../../src/domain/prediction.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { buildReport } from '../../src/jobs/build-report.js';
import { createExplainer } from '../../src/jobs/explain-window.js';
import { inferSchema } from '../../src/jobs/infer-schema.js';
import { createStore } from '../../src/store/store.js';
import { renderFeaturePage } from '../../src/views/feature-page.js';
import { loadModel, loadOverview } from '../../src/views/load.js';
import { loadFeature } from '../../src/views/load-feature.js';
import { renderModelPage } from '../../src/views/model-page.js';
import { HASH, START_MS, verdictOf } from '../fakes/look-verdicts.js';
import { HTTP_SOURCE, named, namedValue } from '../support/rows.js';
import { createSilentLogger } from '../support/silent-logger.js';

const REFERENCE = 'examples/flights/reference.parquet';
const key = { model: 'flight-delay', modelVersion: '1' };
const days = [0, 1, 2].map((day) => ({
  startMs: START_MS + day * DAY_MS,
  endMs: START_MS + (day + 1) * DAY_MS,
}));
const [first, second, third] = days;
const nowMs = START_MS + 3 * DAY_MS;

interface Event {
  readonly prediction_id: string;
  readonly timestamp: string;
  readonly features: Record<string, number | string | null>;
  readonly prediction: number;
  readonly prediction_proba: number;
}

function rowOf(event: Event): PredictionRow {
  const entries = Object.entries(event.features);
  return {
    ...key,
    predictionId: event.prediction_id,
    rowIndex: 0,
    timestampMs: Date.parse(event.timestamp),
    numeric: named(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number')),
    categorical: named(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')),
    prediction: event.prediction,
    proba: event.prediction_proba,
    probas: named([]),
    latencyMs: null,
    tags: named([]),
    source: HTTP_SOURCE,
  };
}

describe('pages over the real engine', () => {
  let directory = '';
  let store: Store;
  let rows: PredictionRow[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-page-store-'));
    store = await createStore({
      kind: 'embedded',
      dataDir: join(directory, 'data'),
      logger: createSilentLogger(),
    });
    await store.migrate();
    const { schema, timestampColumn } = inferSchema(await store.describeFile(REFERENCE), REFERENCE);
    const model: ModelVersion = { ...key, schema, registeredAtMs: START_MS };
    await store.saveGrids(key.model, await store.buildGrids(REFERENCE, model));
    const grids = await store.listGrids(key.model);
    const imported = await store.importReference({
      path: REFERENCE,
      model,
      grids,
      hash: HASH,
      timestampColumn,
    });
    await store.saveReference({
      ...key,
      hash: HASH,
      rows: imported.rows,
      period: imported.period,
      provenance: REFERENCE,
      createdAtMs: START_MS,
      nullModel: { kind: 'temporal', pieceMs: DAY_MS, spreads: [] },
      forest: null,
    });
    await store.saveModel(model);
    // two days with rows, then a day of silence
    rows = gunzipSync(readFileSync('examples/flights/predictions.ndjson.gz'))
      .toString('utf8')
      .split('\n', 2_500)
      .map((line) => rowOf(JSON.parse(line) as Event))
      .filter((row) => row.timestampMs < (second?.endMs ?? 0));
    await store.insertRows({ predictions: rows, labels: [], rejected: [], token: 'a' });
    for (const dirty of await store.dirtyBuckets()) await store.profileHours(model, dirty.hourStartsMs);
    for (const window of days) {
      const status = window === third ? 'no_data' : 'judged';
      if (status === 'judged')
        await store.saveVerdicts([
          verdictOf({
            window,
            feature: 'temp',
            status: 'drifted',
            material: true,
            statistic: 0.4,
            effect: { value: 0.4, low: 0.3, high: 0.5 },
          }),
          verdictOf({ window, feature: 'carrier', detector: 'chiSquare' }),
        ]);
      await store.saveRun({ ...key, window, referenceHash: HASH, status, rows: 0, atMs: window.endMs });
    }
  });

  afterAll(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });

  const count = (window: { startMs: number; endMs: number } | undefined) =>
    rows.filter((row) => row.timestampMs >= (window?.startMs ?? 0) && row.timestampMs < (window?.endMs ?? 0))
      .length;

  test('the overview says that the last window was silent', async () => {
    const { versions, totals } = await loadOverview(store, nowMs);
    expect(versions).toHaveLength(1);
    expect(versions[0]).toMatchObject({ state: 'no_data', rows: rows.length, lastRun: { window: third } });
    expect(totals.predictions).toBe(rows.length);
  });

  test('the model page has a cell per window and profiles of the last judged one', async () => {
    const loaded = await loadModel(store, key, null, nowMs);
    expect(loaded?.data.windows).toEqual({ judged: 2, noData: 1, skipped: 0 });
    expect(loaded?.data.heatmap.features.slice(0, 1)).toEqual(['temp']);
    const looks = loaded?.data.heatmap.cells.filter((cell) => cell.row === 0).map((cell) => cell.look);
    expect(looks).toEqual(['material', 'material', 'no_data']);
    const carrier = loaded?.data.ranked.find((item) => item.feature === 'carrier');
    expect(carrier?.distribution?.referenceRows).toBe(24_951);
    expect(carrier?.distribution?.currentRows).toBe(count(second));
    if (loaded === null) throw new TypeError('the model is not there');
    expect(renderModelPage(loaded.data)).not.toMatch(/NaN|undefined/);
  });

  test('a feature’s shares are those of the rows', async () => {
    const data = await loadFeature(store, key, 'carrier', first ?? null, nowMs);
    const united = data?.distribution?.bars.find((bar) => bar.label === 'UA');
    const own = rows.filter((row) => row.timestampMs < (first?.endMs ?? 0));
    const share = own.filter((row) => namedValue(row.categorical, 'carrier') === 'UA').length / own.length;
    expect(share).toBeGreaterThan(0.05);
    expect(united?.current).toBeCloseTo(share, 12);
    const temp = await loadFeature(store, key, 'temp', first ?? null, nowMs);
    const temps = own
      .map((row) => namedValue(row.numeric, 'temp'))
      .filter((x) => x !== undefined)
      .sort((a, b) => a - b);
    expect(Math.abs((temp?.medians.current ?? 0) - (temps[Math.floor(temps.length / 2)] ?? 0))).toBeLessThan(
      0.5,
    );
    if (temp === null) throw new TypeError('the feature is not there');
    expect(renderFeaturePage(temp)).not.toMatch(/NaN|undefined/);
  });

  test('an hour of a day can be looked at, too', async () => {
    const window = { startMs: START_MS + 15 * HOUR_MS, endMs: START_MS + 16 * HOUR_MS };
    const data = await loadFeature(store, key, 'temp', window, nowMs);
    expect(data?.distribution?.currentRows).toBe(count(window));
    expect(count(window)).toBeGreaterThan(10);
  });

  test('the report counts the period', async () => {
    const built = await buildReport(
      { store, clock: { now: () => nowMs }, explain: createExplainer({ store }) },
      { ...key, period: { startMs: START_MS, endMs: nowMs }, directory: join(directory, 'reports') },
    );
    expect(built.data.rowsInPeriod).toBe(rows.length);
    expect(built.summary.replaceAll('\u00a0', ' ')).toBe(
      '2 of 2 judged windows drifted materially, most often in temp (2). 1 window had no data. No episode.',
    );
  });
});
