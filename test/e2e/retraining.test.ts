import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { listEpisodes } from '../../src/cli/episodes.js';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import { parseConfig } from '../../src/config.js';
import type { Cure } from '../../src/domain/cure.js';
import type { Episode } from '../../src/domain/episode.js';
import type { Retraining } from '../../src/domain/retraining.js';
import { DAY_MS } from '../../src/domain/window.js';
import { createRandom } from '../../src/stats/random.js';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.js';

const START_MS = Date.UTC(2026, 0, 1);
const ROWS_PER_DAY = 200;
const MODEL = 'loan';
const secret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
/** How far the world moves. */
const SHIFT = 0.6;

const random = createRandom(5);
const number = () => Number(random().toFixed(6));
const rowsOf = (firstDay: number, days: number, shift: number) =>
  Array.from({ length: days * ROWS_PER_DAY }, (_, i) => {
    const proba = number();
    return {
      timestamp: new Date(START_MS + firstDay * DAY_MS + i * (DAY_MS / ROWS_PER_DAY)).toISOString(),
      features: { income: number() + shift, age: number() },
      prediction: proba >= 0.5 ? 1 : 0,
      prediction_proba: proba,
    };
  });

type Listed = Episode & { retrainings: (Pick<Retraining, 'modelVersion' | 'by'> & { cure: Cure })[] };

/** Drift, a request to retrain, two attempts at it, and what the service says of each. */
describe('the loop from a drift to the version that cures it', () => {
  let directory = '';
  let address = '';
  let app: App;
  let client: ServiceClient;
  let receiver: WebhookReceiver;
  let episode: Listed;

  /** A reference as a training run has it: rows with columns of their own, and times. */
  async function register(version: string, shift: number): Promise<void> {
    const path = join(directory, `reference-${version}.ndjson`);
    const rows = rowsOf(-40, 30, shift).map(({ features, ...row }) =>
      JSON.stringify({ ...features, ...row }),
    );
    await writeFile(path, rows.join('\n'));
    await client.putFile(`/v1/models/${MODEL}/versions/${version}/reference`, path, 'application/x-ndjson');
  }

  async function serve(versions: readonly string[], firstDay: number, days: number): Promise<void> {
    for (const version of versions)
      await client.postLines(
        '/v1/ingest',
        rowsOf(firstDay, days, SHIFT).map((row, i) =>
          JSON.stringify({
            prediction_id: `${version}-${firstDay}-${i}`,
            model: MODEL,
            model_version: version,
            ...row,
          }),
        ),
      );
    await app.settle();
  }

  const listed = async () =>
    ((await client.get(`/v1/models/${MODEL}/episodes`)) as { episodes: Listed[] }).episodes;
  const curesOf = async () =>
    new Map(
      (await listed())
        .find(({ id }) => id === episode.id)
        ?.retrainings.map(({ modelVersion, cure }) => [modelVersion, cure]),
    );
  const announce = (version: string, body: unknown) =>
    client.putJson(`/v1/models/${MODEL}/versions/${version}`, body);

  /** A webhook as MLflow sends it. */
  async function fromRegistry(version: string, key = secret) {
    const body = JSON.stringify({
      entity: 'model_version',
      action: 'created',
      timestamp: new Date().toISOString(),
      data: {
        name: MODEL,
        version,
        source: `models:/m-${version}`,
        run_id: 'r',
        tags: {},
        description: null,
      },
    });
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const response = await fetch(`${address}/v1/webhooks/mlflow`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'x-mlflow-delivery-id': 'd1',
        'x-mlflow-timestamp': timestamp,
        'x-mlflow-signature': `v1,${createHmac('sha256', key).update(`d1.${timestamp}.${body}`).digest('base64')}`,
      },
    });
    return { status: response.status, body: (await response.json()) as object };
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-retraining-'));
    receiver = await startWebhookReceiver(secret);
    await writeFile(join(directory, 'secret'), secret);
    app = await createApp(
      parseConfig({
        store: { dataDir: join(directory, 'data') },
        http: { port: 0 },
        clock: 'data',
        jobs: { cron: '0 0 0 1 1 *' },
        log: { level: 'silent' },
        webhooks: { allow: ['127.0.0.1'], mlflow: { secretFile: join(directory, 'secret') } },
        defaults: {
          window: { length: '24h', step: '24h' },
          retrain: { url: receiver.url, secretFile: join(directory, 'secret') },
        },
      }),
    );
    const { url } = await app.start();
    address = url;
    client = createServiceClient({ url });
    await register('1', 0);
  }, 120_000);
  afterAll(async () => {
    await app?.stop();
    await receiver?.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('opens an episode and asks for retraining', async () => {
    await serve(['1'], 0, 4);
    const drifts = (await listed()).filter(({ category }) => category === 'drift');
    expect(drifts).toMatchObject([{ modelVersion: '1', state: 'open', retrainings: [] }]);
    episode = drifts[0] as Listed;
    expect(episode.drivers.map(({ feature }) => feature)).toContain('income');
    const types = receiver.requests.map(({ body }) => (JSON.parse(body) as { type: string }).type);
    expect(types).toContain('retraining.requested');
  }, 120_000);

  it('links the versions announced for it, by the model registry and by a training run', async () => {
    const request = receiver.requests.find(({ body }) => body.includes('retraining.requested'));
    // the registry names no episode: its new version answers those that asked
    const links = [{ episodeId: episode.id, modelVersion: '2', by: 'mlflow' }];
    expect(await fromRegistry('2')).toMatchObject({ status: 201, body: { retrainings: links } });
    expect(await fromRegistry('2')).toMatchObject({ status: 200, body: { retrainings: links } });
    expect(await fromRegistry('2', 'another secret')).toMatchObject({ status: 401 });
    const named = (await announce('3', { retrainedFor: request?.id })) as { retrainings: Retraining[] };
    expect(named.retrainings).toMatchObject([{ episodeId: episode.id, modelVersion: '3', by: 'local' }]);
    expect(await announce('3', { retrainedFor: episode.id })).toEqual(named);
    expect(await announce('4', {})).toMatchObject({ retrainings: [] });
    await expect(announce('4', { retrainedFor: 'evt_nobody' })).rejects.toThrow('evt_nobody');
    expect((await curesOf()).get('2')).toMatchObject({ verdict: 'cannot_tell', reason: 'no_reference' });
    // trained on what it was trained on before, and on the world as it is now
    await register('2', 0);
    await register('3', SHIFT);
    expect((await curesOf()).get('3')).toMatchObject({ verdict: 'cannot_tell', reason: 'no_windows' });
  }, 120_000);

  it('cannot tell after one window', async () => {
    await serve(['2', '3'], 5, 2);
    expect((await curesOf()).get('3')).toMatchObject({
      verdict: 'cannot_tell',
      reason: 'too_few_windows',
      windows: { clean: 1, drifted: 0, needed: 2 },
    });
  }, 120_000);

  it('tells which version cured it, against its own reference, and which did not', async () => {
    await serve(['2', '3'], 7, 3);
    const cures = await curesOf();
    expect(cures.get('3')).toMatchObject({ verdict: 'cured', reason: null, windows: { clean: 2 } });
    expect(cures.get('2')).toMatchObject({ verdict: 'not_cured', windows: { drifted: 2 } });
    const income = (version: string) =>
      cures.get(version)?.drivers.find(({ feature }) => feature === 'income');
    expect(income('3')?.before).toBeGreaterThan(0.4);
    expect(Math.abs(income('3')?.after ?? 1)).toBeLessThan(0.1);
    expect(income('2')?.after).toBeGreaterThan(0.4);
  }, 120_000);

  it('says so in reports, on pages and by the command line', async () => {
    for (const version of ['1', '3']) {
      const { path, summary } = (await client.postJson('/v1/reports', {
        model: MODEL,
        modelVersion: version,
      })) as { path: string; summary: string };
      const sentence =
        /Retraining cured the drift episode of 1 Jan 2026: income \(\w+\) 0\.\d+ → 0\.0\d+ in 2 clean windows of version 3/;
      expect(summary).toMatch(sentence);
      expect(await readFile(path, 'utf8')).toMatch(sentence);
    }
    const page = async (version: string) =>
      (await fetch(`${address}/models/${MODEL}/versions/${version}`)).text();
    expect(await page('1')).toMatch(/versions\/3".*?cured/);
    expect(await page('2')).toContain('Retraining did not cure the drift episode of 1 Jan 2026');
    const output = { json: false, stdout: new PassThrough(), stderr: new PassThrough() };
    await listEpisodes(client, { model: MODEL, limit: '10' }, output);
    output.stdout.end();
    expect(await text(output.stdout)).toMatch(/3 \(cured\), 2 \(not cured\)|2 \(not cured\), 3 \(cured\)/);
  }, 120_000);
});
