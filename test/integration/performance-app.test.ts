import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import type { Episode } from '../../src/domain/episode.js';
import type { PerformanceAnswer } from '../../src/domain/performance-figures.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { createRandom } from '../../src/stats/random.js';
import { dailyConfig } from '../support/daily-config.js';

const START_MS = Date.UTC(2026, 0, 1);
const ROWS_PER_DAY = 240;
/** From this day on scores say nothing about labels any more, and are distributed as before. */
const CHANGE_DAY = 14;
const DAYS = 20;
/** Labels come so many days after their predictions. */
const LATE_DAYS = 5;

const random = createRandom(5);
const time = (ms: number) => new Date(ms).toISOString();
const timesOf = (day: number) =>
  Array.from({ length: ROWS_PER_DAY }, (_, i) => START_MS + day * DAY_MS + i * (DAY_MS / ROWS_PER_DAY));

/** A quarter of the rows; a reference file knows this column, and no tags. */
const planOf = (ms: number) => ((ms / (DAY_MS / ROWS_PER_DAY)) % 4 < 1 ? 'pro' : 'free');
const regionOf = (ms: number) => ((ms / HOUR_MS) % 2 < 1 ? 'eu' : 'us');

function scored(isInformed: boolean) {
  const proba = Number(random().toFixed(3));
  const chance = isInformed ? proba : 0.5;
  return { proba, prediction: proba >= 0.5 ? 1 : 0, label: random() < chance ? 1 : 0 };
}

const reference = Array.from({ length: 30 }, (_, day) => timesOf(day - 40))
  .flat()
  .map((ms) => {
    const { proba, ...row } = scored(true);
    return {
      timestamp: time(ms),
      x: Number(random().toFixed(6)),
      plan: planOf(ms),
      prediction_proba: proba,
      ...row,
    };
  });
const rows = Array.from({ length: DAYS }, (_, day) =>
  timesOf(day).map((ms) => ({ ms, id: `p${ms}`, ...scored(day < CHANGE_DAY) })),
);
const of = { model: 'late', model_version: '1' };
const events = rows.map((ofDay) =>
  ofDay.map(({ ms, id, proba, prediction }) => ({
    prediction_id: id,
    ...of,
    timestamp: time(ms),
    features: { x: Number(random().toFixed(6)), plan: planOf(ms) },
    prediction,
    prediction_proba: proba,
    tags: { region: regionOf(ms) },
  })),
);
const labels = rows.map((ofDay) =>
  ofDay.map(({ ms, id, label }) => ({
    prediction_id: id,
    ...of,
    timestamp: time(ms + LATE_DAYS * DAY_MS),
    label,
  })),
);
const lines = (some: readonly object[]) => some.map((row) => JSON.stringify(row));

describe('realised performance through the service', () => {
  let directory = '';
  let address = '';
  let app: App;
  let client: ServiceClient;

  const verdictOn = async (
    day: number,
    detector: string,
    part: { segment?: string } = {},
  ): Promise<Verdict | undefined> => {
    const from = START_MS + day * DAY_MS;
    const query = new URLSearchParams({
      version: '1',
      detector,
      from: time(from),
      to: time(from + DAY_MS),
      ...part,
    });
    return ((await client.get(`/v1/models/late/verdicts?${query}`)) as { verdicts: Verdict[] }).verdicts[0];
  };
  const performanceOf = async (query: Record<string, string>) =>
    (await client.get(
      `/v1/models/late/performance?${new URLSearchParams({ version: '1', ...query })}`,
    )) as PerformanceAnswer;
  const openEpisodes = async () =>
    ((await client.get('/v1/models/late/episodes?state=open')) as { episodes: Episode[] }).episodes;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-performance-'));
    app = await createApp(
      dailyConfig(directory, {
        segments: { by: ['plan', 'tags.region'], top: 2 },
        performance: { value: { truePositive: 1, falsePositive: -1, trueNegative: 0, falseNegative: 0 } },
      }),
    );
    const { url } = await app.start();
    address = url;
    client = createServiceClient({ url });
    const file = join(directory, 'reference.ndjson');
    await writeFile(file, `${lines(reference).join('\n')}\n`);
    await client.putFile('/v1/models/late/versions/1/reference', file, 'application/x-ndjson');
    await client.postLines('/v1/ingest', lines(events.flat()));
    await client.postLines('/v1/labels', lines(labels.slice(0, DAYS - LATE_DAYS - 1).flat()));
    const last = {
      ...events.at(-1)?.at(-1),
      prediction_id: 'last',
      timestamp: time(START_MS + DAYS * DAY_MS + HOUR_MS),
    };
    await client.postLines('/v1/ingest', lines([last]));
    await app.settle();
  }, 300_000);
  afterAll(async () => {
    await app?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('is compared with the reference where labels have come, and undecided where they have not', async () => {
    for (const detector of ['rocAuc', 'accuracy']) {
      expect(await verdictOn(3, detector)).toMatchObject({
        status: 'stable',
        null: 'temporal',
        category: 'performance',
      });
      expect(await verdictOn(DAYS - 1, detector)).toMatchObject({
        status: 'undecided',
        reason: 'labels_immature',
      });
    }
    expect(await openEpisodes()).toEqual([]);
  });

  it('opens an episode of its own when late labels show that it has got worse', async () => {
    const early = await verdictOn(CHANGE_DAY + 2, 'volume');
    await client.postLines('/v1/labels', lines(labels.slice(DAYS - LATE_DAYS - 1).flat()));
    await app.settle();
    const after = await verdictOn(CHANGE_DAY + 2, 'rocAuc');
    expect(after).toMatchObject({ status: 'drifted', material: true });
    // Scores of one kind and labels at random: from 5/6, as for labels drawn by uniform scores, to 1/2.
    expect(after?.parameters.referenceValue).toBeGreaterThan(0.8);
    expect(after?.effect?.value).toBeLessThan(-0.2);
    expect(await verdictOn(CHANGE_DAY + 2, 'volume')).toEqual(early);
    const open = (await openEpisodes()).filter(({ category }) => category === 'performance');
    expect(open).toHaveLength(1);
    expect(open[0]?.firstWindow.startMs).toBe(START_MS + CHANGE_DAY * DAY_MS);
    const drivers = open[0]?.drivers ?? [];
    const whole = drivers.filter(({ segment }) => segment === undefined);
    expect(whole.map(({ detector }) => detector).sort()).toEqual(['accuracy', 'rocAuc']);
    const parts = new Set(drivers.flatMap(({ segment }) => (segment === undefined ? [] : [segment.value])));
    expect([...parts].sort()).toEqual(['free', 'pro']);
  });

  it('is judged by segment against the segment’s own part of the reference', async () => {
    const pro = { segment: 'plan=pro' };
    const before = await verdictOn(3, 'rocAuc', pro);
    const whole = await verdictOn(3, 'rocAuc');
    expect(before).toMatchObject({
      segment: { column: 'plan', value: 'pro' },
      status: 'stable',
      null: 'temporal',
      currentRows: ROWS_PER_DAY / 4,
      referenceRows: (whole?.referenceRows ?? 0) / 4,
    });
    expect(before?.parameters.familySize).toBe(whole?.parameters.familySize);
    expect(await verdictOn(CHANGE_DAY + 2, 'rocAuc', pro)).toMatchObject({
      status: 'drifted',
      material: true,
    });
    // The reference file holds no tags, so that there is nothing to compare these with.
    expect(await verdictOn(3, 'rocAuc', { segment: 'tags.region=eu' })).toBeUndefined();
    const metrics = await (await fetch(`${address}/metrics`)).text();
    expect(metrics.match(/^plumbline_performance\{.*metric="rocAuc",kind="realized"\}/gm)).toHaveLength(1);
    const page = await (await fetch(`${address}/models/late/versions/1`)).text();
    expect(page).toContain('plan = pro');
  });

  it('tells figures of whole traffic and of segments, and how long labels take', async () => {
    const answer = await performanceOf({ bucket: 'all' });
    const [period] = answer.periods;
    expect(period).toMatchObject({
      predictions: DAYS * ROWS_PER_DAY + 1,
      labelled: DAYS * ROWS_PER_DAY,
      status: 'decided',
    });
    const { value = 0 } = period?.figures.businessValue ?? {};
    const all = rows.flat();
    const worth = all.reduce((sum, { prediction, label }) => sum + prediction * (2 * label - 1), 0);
    expect(value).toBeCloseTo(worth / all.length, 12);
    const days = await performanceOf({});
    expect(days.periods).toHaveLength(DAYS + 1);
    expect(days.delays.find(({ withinMs }) => withinMs === 3 * DAY_MS)?.share).toBe(0);
    expect(days.delays.find(({ withinMs }) => withinMs === 7 * DAY_MS)?.share).toBe(1);
    const page = await (await fetch(`${address}/models/late/versions/1`)).text();
    expect(page).toContain('<title>ROC AUC over time</title>');
    const eu = await performanceOf({ bucket: 'all', segment: 'tags.region=eu' });
    expect(eu.periods[0]?.labelled).toBe(all.filter(({ ms }) => regionOf(ms) === 'eu').length);
  });

  it('judges a window again when its labels are corrected', async () => {
    const before = await verdictOn(3, 'accuracy');
    const corrected = (rows[3] ?? []).map(({ ms, id, prediction }) => ({
      prediction_id: id,
      ...of,
      timestamp: time(ms + 6 * DAY_MS),
      label: 1 - prediction,
    }));
    await client.postLines('/v1/labels', lines(corrected));
    await app.settle();
    expect(before).toMatchObject({ status: 'stable' });
    expect(await verdictOn(3, 'accuracy')).toMatchObject({ status: 'drifted', parameters: { value: 0 } });
  });
});
