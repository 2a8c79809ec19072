import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { dateTime64 } from '../../src/store/encoding.js';
import { migrate } from '../../src/store/migrate.js';
import { expandQuery, panelQueries } from '../support/grafana-queries.js';

const MODEL = "o'brien";
const START_MS = Date.UTC(2013, 2, 1);
const context = {
  job: '.+',
  model: MODEL,
  modelVersion: '1',
  fromMs: START_MS,
  toMs: START_MS + 10 * DAY_MS,
  intervalSeconds: 60,
};
const key = { model: MODEL, version: '1' };
const source = { source_kind: 'http', source_topic: '', source_partition: -1, source_offset: -1 };

let dataDir: string;
let client: StoreClient;

function verdict(feature: string, day: number, revision: number, state: Record<string, unknown>) {
  return {
    ...key,
    window_start: dateTime64(START_MS + day * DAY_MS),
    window_end: dateTime64(START_MS + (day + 1) * DAY_MS),
    feature,
    detector: 'ks',
    category: 'drift',
    role: 'primary',
    status: 'stable',
    reason: '',
    material: false,
    statistic: 0.1,
    threshold: 0.2,
    effect: 0.1,
    p_value: 0.5,
    adjusted_p_value: 0.5,
    position: 0,
    body: '{}',
    revision,
    ...state,
  };
}

/** Forty rows over two days: class `late` for every fourth, probabilities 0 … 0.975, labels for the first day. */
async function plant(): Promise<void> {
  const rows = Array.from({ length: 40 }, (_, i) => ({ i, ts: dateTime64(START_MS + i * 1.2 * HOUR_MS) }));
  await client.insert(
    'predictions',
    rows.map(({ i, ts }) => ({
      ...key,
      prediction_id: `p${i}`,
      row_index: 0,
      identity: i,
      ts,
      num: {},
      cat: {},
      prediction_num: null,
      prediction_cat: i % 4 === 0 ? 'late' : 'on time',
      proba: i / 40,
      probas: {},
      latency_ms: null,
      tags: {},
      ...source,
    })),
  );
  await client.insert(
    'labels',
    rows.slice(0, 20).flatMap(({ i, ts }) =>
      // First all were said to be on time; a later label corrects the first five.
      (i < 5 ? ['on time', 'late'] : ['on time']).map((label, n) => ({
        ...key,
        prediction_id: `p${i}`,
        row_index: 0,
        identity: i,
        fingerprint: 2 * i + n,
        ts: n === 0 ? ts : dateTime64(START_MS + 5 * DAY_MS),
        label_num: null,
        label_cat: label,
        ...source,
      })),
    ),
  );
  await client.insert('verdicts', [
    verdict('gone', 0, 1, { status: 'drifted', material: true }),
    verdict('temp', 0, 1, { status: 'drifted', material: true }),
    verdict('temp', 0, 2, {}),
    verdict('temp', 1, 3, { status: 'drifted', material: true, statistic: 0.6, effect: 0.6 }),
    verdict('wind', 1, 3, { status: 'undecided', reason: 'too_few_rows', statistic: null, effect: null }),
  ]);
  const drivers = ['temp', 'temp', 'wind'].map((feature) => ({ feature, detector: 'ks', effect: 0.6 }));
  await client.insert('episodes', [
    {
      id: 'e1',
      ...key,
      category: 'drift',
      state: 'open',
      opened_at: dateTime64(START_MS + 2 * DAY_MS),
      body: JSON.stringify({ severity: 'critical', drivers }),
      revision: 1,
    },
  ]);
}

const queries = panelQueries().filter((query) => query.language === 'sql');

function run(panel: string, overrides: Partial<typeof context> = {}): Promise<Record<string, unknown>[]> {
  const query = queries.find(({ name }) => name.includes(`: ${panel} `));
  if (query === undefined) throw new Error(`no panel is called ${panel}`);
  return client.query(expandQuery(query.text, { ...context, ...overrides }));
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'plumbline-grafana-'));
  client = await createStoreClient({ kind: 'embedded', dataDir });
  await migrate(client);
  await plant();
});

afterAll(async () => {
  await client?.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('ClickHouse panels on the engine', () => {
  it.each(queries.map(({ name, text }) => [name, text]))(
    '%s returns rows, and none of another model',
    async (_name, text) => {
      expect((await client.query(expandQuery(text, context))).length).toBeGreaterThan(0);
      expect(await client.query(expandQuery(text, { ...context, model: 'other' }))).toEqual([]);
    },
  );

  it('show a window as it was judged last', async () => {
    expect(await run('Drift heatmap')).toEqual([
      { time: '2013-03-02 00:00:00.000', feature: 'temp', status: 0 },
      { time: '2013-03-03 00:00:00.000', feature: 'temp', status: 1 },
      { time: '2013-03-03 00:00:00.000', feature: 'wind', status: -1 },
    ]);
    const verdicts = await run('Verdicts of the last window');
    expect(verdicts.map(({ feature, status }) => [feature, status])).toEqual([
      ['temp', 'drifted'],
      ['wind', 'undecided'],
    ]);
  });

  it('name the columns of an episode', async () => {
    expect(await run('Episodes')).toEqual([
      {
        opened_at: '2013-03-03 00:00:00.000',
        category: 'drift',
        severity: 'critical',
        state: 'open',
        columns: 'temp, wind',
      },
    ]);
  });

  it('share out the classes, and compare them with the newest labels', async () => {
    const wide = { intervalSeconds: 10 * 86_400 };
    const shares = await run('Predictions by class', wide);
    expect(shares.map((row) => [row.class, row.share])).toEqual([
      ['late', 0.25],
      ['on time', 0.75],
    ]);
    // Of the first day's twenty: predicted late are 0, 4, 8, 12, 16; in truth late are 0 … 4. Equal in all but 1-3, 8, 12, 16.
    expect(await run('Accuracy on labelled rows (classifiers)')).toEqual([
      { time: '2013-03-01 00:00:00', metric: 'accuracy', value: 14 / 20 },
    ]);
  });

  it('count probabilities in twenty bins, and draw their deciles', async () => {
    const bins = await run('Probability histogram');
    expect(bins.map((row) => row.rows)).toEqual(Array.from({ length: 20 }, () => 2));
    const deciles = await run('Prediction quantiles', { intervalSeconds: 10 * 86_400 });
    expect(deciles.map((row) => row.decile)).toEqual(['decile 1', 'decile 5', 'decile 9']);
    for (const [n, expected] of [0.0975, 0.4875, 0.8775].entries())
      expect(deciles[n]?.value).toBeCloseTo(expected, 6);
  });
});
