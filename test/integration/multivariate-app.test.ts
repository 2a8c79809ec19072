import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { DAY_MS } from '../../src/domain/window.js';
import { createNormal } from '../../src/stats/normal-draws.js';
import { createRandom } from '../../src/stats/random.js';
import { dailyConfig } from '../support/daily-config.js';

const MODEL = 'planted';
const REFERENCE_DAYS = 30;
const CLEAN_DAYS = 6;
const TURNED_DAYS = 4;
const ROWS_PER_DAY = 400;
const FROM_MS = Date.UTC(2026, 0, 1);
const PRODUCTION_MS = FROM_MS + REFERENCE_DAYS * DAY_MS;
const TURN_MS = PRODUCTION_MS + CLEAN_DAYS * DAY_MS;

const random = createRandom(11);
const normal = createNormal(random);

/** Income and spending go together by `r`; what each is by itself never changes. */
function row(id: string, timestampMs: number, r: number) {
  const income = normal();
  const spending = r * income + Math.sqrt(1 - r * r) * normal();
  const visits = Math.floor(3 * random());
  const prediction = Number(random() < 0.3);
  return {
    id,
    at: new Date(timestampMs).toISOString(),
    features: {
      income,
      spending,
      age: 40 + 10 * normal(),
      visits,
      plan: random() < 0.3 ? 'pro' : 'free',
      note: random() < 0.2 ? null : normal(),
    },
    prediction,
    prediction_proba: prediction === 1 ? 0.5 + random() / 2 : random() / 2,
  };
}

const day = (startMs: number, r: number) =>
  Array.from({ length: ROWS_PER_DAY }, (_, i) =>
    row(`${startMs}-${i}`, startMs + Math.floor((i * DAY_MS) / ROWS_PER_DAY), r),
  );
const days = (fromMs: number, count: number, r: number) =>
  Array.from({ length: count }, (_, i) => day(fromMs + i * DAY_MS, r)).flat();

const isOfAllFeatures = ({ detector }: Verdict) => detector === 'domainClassifier';

describe('two features that turn their correlation, through the service', () => {
  let directory = '';
  let app: App;
  let client: ServiceClient;
  let url = '';
  let verdicts: Verdict[] = [];
  const ofDays = (fromMs: number, toMs: number) =>
    verdicts.filter(({ window }) => window.startMs >= fromMs && window.endMs <= toMs);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-multivariate-'));
    app = await createApp(dailyConfig(directory));
    ({ url } = await app.start());
    client = createServiceClient({ url });
    const file = join(directory, 'reference.ndjson');
    const lines = days(FROM_MS, REFERENCE_DAYS, 0.6).map(({ at, features, prediction, prediction_proba }) =>
      JSON.stringify({ timestamp: at, ...features, prediction, prediction_proba }),
    );
    await writeFile(file, `${lines.join('\n')}\n`);
    await client.putFile(`/v1/models/${MODEL}/versions/1/reference`, file, 'application/x-ndjson');
    const events = [
      ...days(PRODUCTION_MS, CLEAN_DAYS, 0.6),
      ...days(TURN_MS, TURNED_DAYS, -0.6),
      ...day(TURN_MS + TURNED_DAYS * DAY_MS, -0.6).slice(0, 10),
    ].map(({ id, at, ...rest }) =>
      JSON.stringify({ prediction_id: id, model: MODEL, model_version: '1', timestamp: at, ...rest }),
    );
    await client.postLines('/v1/ingest', events);
    await app.settle();
    ({ verdicts } = (await client.get(`/v1/models/${MODEL}/verdicts?version=1&limit=10000`)) as {
      verdicts: Verdict[];
    });
  });
  afterAll(async () => {
    await app?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('compares every day with a sample of the reference, by what days of the reference are like', () => {
    const found = verdicts.filter(isOfAllFeatures);
    expect(found).toHaveLength(CLEAN_DAYS + TURNED_DAYS);
    for (const verdict of found) {
      expect(verdict).toMatchObject({
        feature: '',
        category: 'drift',
        role: 'primary',
        null: 'temporal',
        referenceRows: 5_000,
        currentRows: ROWS_PER_DAY,
        parameters: { features: 6, pieces: 30 },
      });
      expect(verdict.parameters.familySize).toBe(
        verdicts.find((other) => other.window.endMs === verdict.window.endMs)?.parameters.familySize,
      );
    }
  });

  it('is silent while the features go together as they did', () => {
    const clean = ofDays(PRODUCTION_MS, TURN_MS).filter(isOfAllFeatures);
    expect(clean.map(({ status }) => status)).toEqual(clean.map(() => 'stable'));
  });

  it('fires when they turn, where no test of a single column does, and names the two', () => {
    const turned = ofDays(TURN_MS, TURN_MS + TURNED_DAYS * DAY_MS);
    const others = turned.filter((verdict) => verdict.role === 'primary' && !isOfAllFeatures(verdict));
    expect(others.length).toBeGreaterThan(TURNED_DAYS * 10);
    expect(others.filter(({ status }) => status === 'drifted')).toEqual([]);
    for (const verdict of turned.filter(isOfAllFeatures)) {
      expect(verdict).toMatchObject({ status: 'drifted', material: true });
      expect(verdict.pairs?.[0]?.parts).toEqual([{ feature: 'income' }, { feature: 'spending' }]);
      expect(verdict.pairs?.[0]?.reference).toBeGreaterThan(0.5);
      expect(verdict.pairs?.[0]?.current).toBeLessThan(-0.5);
    }
  });

  it('opens an episode that says which features, on the page, in the report and in metrics', async () => {
    const { episodes } = (await client.get(`/v1/models/${MODEL}/episodes`)) as {
      episodes: { category: string; state: string; why?: string[]; drivers: { detector: string }[] }[];
    };
    const [episode] = episodes.filter(({ category }) => category === 'drift');
    expect(episode?.state).toBe('open');
    expect(episode?.drivers.map(({ detector }) => detector)).toEqual(['domainClassifier']);
    const told = 'features go together otherwise than in the reference: income and spending (correlation ';
    expect(episode?.why?.[0]).toContain(told);
    const why = (await client.get(`/v1/models/${MODEL}/why?version=1`)) as {
      features: unknown[];
      together: { detector: string; pairs: unknown[]; sentence: string };
    };
    expect(why.features).toEqual([]);
    expect(why.together).toMatchObject({ detector: 'domainClassifier', material: true });
    expect(why.together.sentence).toContain(told);
    const page = await (await fetch(`${url}/models/${MODEL}/versions/1`)).text();
    expect(page).toContain('Features together');
    expect(page).toContain('Features go together otherwise than in the reference: income and spending');
    expect(await readFile(await app.buildReport(MODEL, '1'), 'utf8')).toContain('Features together');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const series = `{model="${MODEL}",model_version="1",feature="",detector="domainClassifier"}`;
    expect(metrics).toContain(`plumbline_drift_status${series} 1`);
    expect(metrics).toMatch(/plumbline_drift_statistic\{[^}]*detector="domainClassifier"\} 0\.[6-9]/);
  });

  it('counts as a test of drift in what the budget is shared by', async () => {
    const { tests, columns } = (await client.get(`/v1/models/${MODEL}/tuning?version=1`)) as {
      tests: Record<string, number>;
      columns: { detector: string; budgets: { threshold: number }[] }[];
    };
    // Five numbers or categories with a primary test and one with gaps, two outputs, and all features together.
    expect(tests.drift).toBe(9);
    const tuned = columns.find(({ detector }) => detector === 'domainClassifier');
    expect(tuned?.budgets[0]?.threshold).toBeGreaterThan(0.5);
  });

  it('has a sample of a reference made of production', async () => {
    const period = {
      from: new Date(PRODUCTION_MS).toISOString(),
      to: new Date(TURN_MS).toISOString(),
    };
    await client.putJson(`/v1/models/${MODEL}/versions/1/reference`, { period, reason: 'a test' });
    const reference = await app.store.currentReference({ model: MODEL, modelVersion: '1' });
    expect(reference?.multivariate).toMatchObject({ rows: CLEAN_DAYS * ROWS_PER_DAY, pieces: [] });
    const key = { model: MODEL, modelVersion: '1', hash: reference?.hash ?? '' };
    expect(await app.store.referenceSample(key)).toMatchObject({ production: true });
  });
});

describe('with features together switched off', () => {
  it('keeps no sample, judges nothing of it, and leaves its share of the level to the others', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'plumbline-multivariate-off-'));
    const app = await createApp(dailyConfig(directory, { multivariate: { enabled: false } }));
    try {
      const { url } = await app.start();
      const client = createServiceClient({ url });
      const file = join(directory, 'reference.ndjson');
      const lines = day(FROM_MS, 0.6).map(({ at, features, prediction }) =>
        JSON.stringify({ timestamp: at, ...features, prediction }),
      );
      await writeFile(file, `${lines.join('\n')}\n`);
      await client.putFile(`/v1/models/${MODEL}/versions/1/reference`, file, 'application/x-ndjson');
      const reference = await app.store.currentReference({ model: MODEL, modelVersion: '1' });
      expect(reference?.multivariate).toBeUndefined();
      const key = { model: MODEL, modelVersion: '1', hash: reference?.hash ?? '' };
      expect(await app.store.referenceSample(key)).toBeNull();
      const events = [...day(FROM_MS, 0.6), ...day(FROM_MS + DAY_MS, 0.6)].map(({ id, at, ...rest }) =>
        JSON.stringify({ prediction_id: id, model: MODEL, model_version: '1', timestamp: at, ...rest }),
      );
      await client.postLines('/v1/ingest', events);
      await app.settle();
      const { verdicts } = (await client.get(`/v1/models/${MODEL}/verdicts?version=1&limit=10000`)) as {
        verdicts: Verdict[];
      };
      expect(verdicts.length).toBeGreaterThan(10);
      expect(verdicts.filter(isOfAllFeatures)).toEqual([]);
    } finally {
      await app.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
