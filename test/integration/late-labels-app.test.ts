import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import type { Episode } from '../../src/domain/episode.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { createRandom } from '../../src/stats/random.js';
import { dailyConfig } from '../support/daily-config.js';

const START_MS = Date.UTC(2026, 0, 1);
const ROWS_PER_DAY = 96;
/** From this day on answers take three times as long and nine labels in ten are 1; before, half of them. */
const CHANGE_DAY = 20;
const DAYS = 26;

const random = createRandom(11);
const time = (ms: number) => new Date(ms).toISOString();
const timesOf = (day: number) =>
  Array.from({ length: ROWS_PER_DAY }, (_, i) => START_MS + day * DAY_MS + i * (DAY_MS / ROWS_PER_DAY));

const reference = Array.from({ length: 20 }, (_, day) => timesOf(day - 30))
  .flat()
  .map((ms) => ({
    timestamp: time(ms),
    x: Number(random().toFixed(6)),
    prediction: Math.round(random()),
    label: Math.round(random()),
  }));
const events = Array.from({ length: DAYS }, (_, day) =>
  timesOf(day).map((ms) => ({
    prediction_id: `p${ms}`,
    model: 'late',
    model_version: '1',
    timestamp: time(ms),
    features: { x: Number(random().toFixed(6)) },
    prediction: Math.round(random()),
    latency_ms: (20 + 20 * random()) * (day < CHANGE_DAY ? 1 : 3),
  })),
);
const labels = events.map((ofDay, day) =>
  ofDay.map(({ prediction_id, model, model_version, timestamp }) => ({
    prediction_id,
    model,
    model_version,
    timestamp,
    label: random() < (day < CHANGE_DAY ? 0.5 : 0.9) ? 1 : 0,
  })),
);
const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row));

describe('labels that come late and latencies that the reference lacks, through the service', () => {
  let directory = '';
  let app: App;
  let client: ServiceClient;

  const verdictOn = async (day: number, feature: string, detector: string): Promise<Verdict> => {
    const from = START_MS + day * DAY_MS;
    const query = new URLSearchParams({
      version: '1',
      feature,
      detector,
      from: time(from),
      to: time(from + DAY_MS),
    });
    const { verdicts } = (await client.get(`/v1/models/late/verdicts?${query}`)) as { verdicts: Verdict[] };
    const [only] = verdicts;
    if (only === undefined || verdicts.length > 1)
      throw new RangeError(`${verdicts.length} verdicts of ${feature} ${detector} on day ${day}`);
    return only;
  };
  const openEpisodes = async () =>
    ((await client.get('/v1/models/late/episodes?state=open')) as { episodes: Episode[] }).episodes;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-late-labels-'));
    app = await createApp(dailyConfig(directory));
    const { url } = await app.start();
    client = createServiceClient({ url });
    const file = join(directory, 'reference.ndjson');
    await writeFile(file, `${lines(reference).join('\n')}\n`);
    await client.putFile('/v1/models/late/versions/1/reference', file, 'application/x-ndjson');
    await client.postLines('/v1/ingest', lines(events.flat()));
    await client.postLines('/v1/labels', lines(labels.slice(0, CHANGE_DAY).flat()));
    const last = {
      ...events.at(-1)?.at(-1),
      prediction_id: 'last',
      timestamp: time(START_MS + DAYS * DAY_MS + HOUR_MS),
    };
    await client.postLines('/v1/ingest', lines([last]));
    await app.settle();
  });
  afterAll(async () => {
    await app?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('judges labels that are there, and waits for those that are not', async () => {
    expect(await verdictOn(CHANGE_DAY - 3, 'label', 'chiSquare')).toMatchObject({ status: 'stable' });
    expect(await verdictOn(CHANGE_DAY + 2, 'label', 'chiSquare')).toMatchObject({
      status: 'undecided',
      reason: 'labels_immature',
    });
  });

  it('learns latencies from production, sees slower ones, and opens an episode of the service', async () => {
    const before = await verdictOn(CHANGE_DAY - 3, 'latency_ms', 'latencyP95');
    expect(before).toMatchObject({ status: 'stable', parameters: { reference: 'learned' } });
    const after = await verdictOn(CHANGE_DAY + 2, 'latency_ms', 'latencyP95');
    expect(after).toMatchObject({ status: 'drifted', material: true, parameters: { reference: 'learned' } });
    // Three times as long, read from cells 2.2 % apart.
    expect(after.effect?.value).toBeGreaterThan(1.7);
    expect(after.effect?.value).toBeLessThan(2.3);
    expect((await openEpisodes()).map(({ category }) => category)).toEqual(['service']);
  });

  it('judges again when the late labels have come', async () => {
    const earlier = await verdictOn(CHANGE_DAY + 2, 'x', 'ks');
    await client.postLines('/v1/labels', lines(labels.slice(CHANGE_DAY).flat()));
    await app.settle();
    expect(await verdictOn(CHANGE_DAY + 2, 'label', 'chiSquare')).toMatchObject({
      status: 'drifted',
      material: true,
      currentRows: ROWS_PER_DAY,
    });
    expect(await verdictOn(CHANGE_DAY + 2, 'x', 'ks')).toEqual(earlier);
    expect(await verdictOn(CHANGE_DAY - 3, 'label', 'chiSquare')).toMatchObject({ status: 'stable' });
  });
});
