import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import { parseConfig } from '../../src/config.js';
import type { ErrorStreamAnswer } from '../../src/domain/error-stream.js';
import { createRandom } from '../../src/stats/random.js';
import { createAdwin } from '../../src/stats/stream/adwin.js';

const START_MS = Date.UTC(2026, 0, 1);
const ROWS = 2_000;
/** From this row on two predictions in five are wrong; before, one in ten. */
const CHANGE = 1_200;
const random = createRandom(37);
const rows = Array.from({ length: ROWS }, (_, i) => {
  const prediction = Math.round(random());
  const wrong = random() < (i < CHANGE ? 0.1 : 0.4);
  return { i, prediction, label: wrong ? 1 - prediction : prediction, error: Number(wrong) };
});
const at = (i: number) => new Date(START_MS + i * 60_000).toISOString();
const key = (i: number) => ({
  prediction_id: `p${i}`,
  model: 'concept',
  model_version: '1',
  timestamp: at(i),
});
const lines = (events: readonly object[]) => events.map((event) => JSON.stringify(event));
const expected = (() => {
  const adwin = createAdwin();
  return rows.flatMap(({ i, error }) => (adwin.update(error) ? [i + 1] : []));
})();

describe('concept drift on the stream of errors, through the service', () => {
  let directory = '';
  let app: App;
  let client: ServiceClient;
  let url = '';

  async function start(): Promise<void> {
    app = await createApp(
      parseConfig({
        store: { dataDir: join(directory, 'data') },
        http: { port: 0 },
        clock: 'data',
        jobs: { cron: '0 0 0 1 1 *' },
        log: { level: 'silent' },
      }),
    );
    ({ url } = await app.start());
    client = createServiceClient({ url });
  }
  const answer = async () =>
    (await client.get('/v1/models/concept/concept-drift?version=1')) as ErrorStreamAnswer;
  /** Labels are looked at ten seconds after they came. */
  async function fed(count: number): Promise<ErrorStreamAnswer> {
    for (let attempt = 0; attempt < 60; attempt++) {
      await app.settle();
      const now = await answer();
      if (now.errors >= count) return now;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    throw new Error(`the stream did not come to ${count} errors`);
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-concept-'));
    await start();
    const reference = join(directory, 'reference.ndjson');
    const known = rows.map(({ i, prediction, label }) => ({
      timestamp: at(i - 3_000),
      x: i % 5,
      prediction,
      label,
    }));
    await writeFile(reference, `${lines(known).join('\n')}\n`);
    await client.putFile('/v1/models/concept/versions/1/reference', reference, 'application/x-ndjson');
    await client.postLines(
      '/v1/ingest',
      lines(rows.map(({ i, prediction }) => ({ ...key(i), features: { x: i % 5 }, prediction }))),
    );
  });
  afterAll(async () => {
    await app?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('is seen where the errors change, across a restart', async () => {
    const half = CHANGE + 20;
    await client.postLines(
      '/v1/labels',
      lines(rows.slice(0, half).map(({ i, label }) => ({ ...key(i), label }))),
    );
    const before = await fed(half);
    await app.stop();
    await start();
    expect(await answer()).toEqual(before);
    await client.postLines(
      '/v1/labels',
      lines(rows.slice(half).map(({ i, label }) => ({ ...key(i), label }))),
    );
    const after = await fed(ROWS);
    const adwin = after.detections.filter(({ detector }) => detector === 'adwin').reverse();
    expect(adwin.map(({ position }) => position)).toEqual(expected);
    expect(expected.some((position) => position > CHANGE && position < CHANGE + 300)).toBe(true);
    expect(adwin.at(-1)?.labelMs).toBe(START_MS + ((expected.at(-1) ?? 0) - 1) * 60_000);
    expect(after.unmatched).toBe(0);
  });

  it('is counted', async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/plumbline_stream_detections_total\{[^}]*detector="adwin"[^}]*\} [1-9]/);
  });
});
