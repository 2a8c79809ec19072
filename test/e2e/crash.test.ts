import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../src/domain/verdict.js';
import { createStoreClient } from '../../src/store/client.js';
import { freePort } from '../support/free-port.js';
import type { GuardedProcess } from '../support/guarded-process.js';
import { plumbline, startService, until } from '../support/service-process.js';
import { verdictDifferences } from '../support/verdict-differences.js';
import { startWebhookReceiver } from '../support/webhook-receiver.js';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const LAST_DAY = '2013-04-12';

/** The events of the example up to a day: enough for the first drift episode. */
async function excerpt(name: string, path: string): Promise<number> {
  const lines: string[] = [];
  const input = createReadStream(`examples/flights/${name}`).pipe(createGunzip());
  for await (const line of createInterface({ input })) {
    const day = /"timestamp":"([^T]+)T/.exec(line)?.[1] ?? '';
    if (day <= LAST_DAY) lines.push(line);
  }
  await writeFile(path, `${lines.join('\n')}\n`);
  return lines.length;
}

describe('kill -9 in the middle of a replay', () => {
  let directory = '';
  let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
  let predictions = 0;
  let labels = 0;
  let files: string[] = [];
  const services: GuardedProcess[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-crash-'));
    receiver = await startWebhookReceiver(SECRET);
    files = [join(directory, 'predictions.ndjson'), join(directory, 'labels.ndjson')];
    predictions = await excerpt('predictions.ndjson.gz', files[0] ?? '');
    labels = await excerpt('labels.ndjson.gz', files[1] ?? '');
  });
  afterAll(async () => {
    for (const service of services) await service.kill();
    await receiver.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function prepare(name: string, retrain: string) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const configFile = join(directory, `${name}.yaml`);
    await writeFile(
      configFile,
      `store: { dataDir: ${join(directory, name)} }
http: { port: ${port} }
clock: data
jobs: { cron: "* * * * * *" }
log: { level: warn }
webhooks: { allow: [127.0.0.1] }
models:
  flight-delay:
    window: { length: 1d, step: 1d, lateness: 10m }
${retrain}
`,
    );
    const start = async () => {
      const logFile = join(directory, `${name}.log`);
      const service = await startService({ configFile, url, logFile, env: { TEST_SECRET: SECRET } });
      services.push(service);
      return service;
    };
    return { url, start };
  }

  const register = (url: string) =>
    plumbline([
      'model',
      'register',
      'flight-delay',
      '--version',
      '1',
      '--reference',
      'examples/flights/reference.parquet',
      '--url',
      url,
    ]);
  const replay = async (url: string) => {
    const { code, stdout, stderr } = await plumbline(['replay', ...files, '--url', url, '--json']);
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    return JSON.parse(stdout) as Record<'predictions' | 'labels', Record<string, number>>;
  };
  async function verdictsOf(url: string): Promise<Verdict[]> {
    const response = await fetch(`${url}/v1/models/flight-delay/verdicts?version=1&limit=10000`);
    return ((await response.json()) as { verdicts: Verdict[] }).verdicts;
  }
  /** All verdicts, once the day before the last is judged and stays so. */
  const settled = (url: string) =>
    until('the last window is judged', 120_000, async () => {
      const verdicts = await verdictsOf(url);
      const last = Math.max(0, ...verdicts.map((verdict) => verdict.window.endMs));
      return last >= Date.parse(LAST_DAY) ? verdicts : null;
    });
  const requests = () => receiver.requests.filter((request) => request.body.includes('retraining.requested'));

  async function audit(name: string) {
    const client = await createStoreClient({ kind: 'embedded', dataDir: join(directory, name) });
    try {
      const [rows] = await client.query<Record<string, number>>(
        `SELECT (SELECT count() FROM predictions) AS predictions, (SELECT uniqExact(prediction_id) FROM predictions) AS uniquePredictions,
           (SELECT count() FROM labels) AS labels, (SELECT uniqExact(prediction_id) FROM labels) AS uniqueLabels,
           (SELECT count() FROM rejected) AS rejected, (SELECT count() FROM runs) AS runs,
           (SELECT uniqExact(window_end) FROM runs) AS uniqueRuns`,
      );
      return rows;
    } finally {
      await client.close();
    }
  }

  it('loses no event, doubles none, judges no window twice, and asks for one retraining', async () => {
    const { url, start } = await prepare(
      'killed',
      `    retrain: { url: "${receiver.url}", secretEnv: TEST_SECRET, maxPerDay: 1 }`,
    );
    let service = await start();
    expect((await register(url)).code).toBe(0);
    const running = replay(url);
    await until('a third of the events is stored', 120_000, async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      const stored = /plumbline_predictions_total\{[^}]*\} (\d+)/.exec(metrics)?.[1] ?? '0';
      return Number(stored) > predictions / 3 ? true : null;
    });
    await service.kill();
    service = await start();
    const first = await running;
    expect((first.predictions.accepted ?? 0) + (first.predictions.duplicate ?? 0)).toBe(predictions);
    expect(first.predictions.rejected).toBe(0);
    await settled(url);
    // Once more in the middle of judging and delivering, and once more all of it.
    await service.kill();
    service = await start();
    const second = await replay(url);
    expect(second.predictions).toEqual({
      received: predictions,
      accepted: 0,
      duplicate: predictions,
      rejected: 0,
    });
    expect(second.labels).toEqual({ received: labels, accepted: 0, duplicate: labels, rejected: 0 });
    const verdicts = await settled(url);
    const asked = await until('a retraining is asked for', 120_000, async () =>
      requests().length > 0 ? requests() : null,
    );
    expect(asked.every((request) => request.verified)).toBe(true);
    expect(new Set(asked.map((request) => request.id)).size).toBe(1);
    await service.kill();

    expect(await audit('killed')).toEqual({
      predictions,
      uniquePredictions: predictions,
      labels,
      uniqueLabels: labels,
      rejected: 0,
      runs: 41,
      uniqueRuns: 41,
    });

    // The same verdicts, byte for byte, as of a service that nothing happened to.
    const calm = await prepare('calm', '');
    const undisturbed = await calm.start();
    expect((await register(calm.url)).code).toBe(0);
    await replay(calm.url);
    expect(verdictDifferences(verdicts, await settled(calm.url))).toEqual([]);
    await undisturbed.kill();
  }, 400_000);
});
