import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FLIGHTS_MODEL, FLIGHTS_REFERENCE, firstFlights } from '../support/flight-events.js';
import { freePort } from '../support/free-port.js';
import type { GuardedProcess } from '../support/guarded-process.js';
import { plumbline, startService, until } from '../support/service-process.js';

const EVENTS = 3_000;

describe('backup and restore', () => {
  let directory = '';
  const services: GuardedProcess[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-backup-'));
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.kill()));
    await rm(directory, { recursive: true, force: true });
  });

  async function serve(name: string) {
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
models:
  ${FLIGHTS_MODEL}:
    window: { length: 1d, step: 1d, lateness: 10m }
`,
    );
    const service = await startService({ configFile, url, logFile: join(directory, `${name}.log`) });
    services.push(service);
    return { url, service, configFile };
  }
  const json = async (args: string[]) => {
    const { code, stdout, stderr } = await plumbline([...args, '--json']);
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  const verdicts = async (url: string) => {
    const answer = await fetch(`${url}/v1/models/${FLIGHTS_MODEL}/verdicts?version=1&limit=10000`);
    return ((await answer.json()) as { verdicts: unknown[] }).verdicts;
  };

  it('brings a service back as it was, from a backup of the running one', async () => {
    const { predictions } = firstFlights(EVENTS);
    const first = await serve('data');
    await json([
      'model',
      'register',
      FLIGHTS_MODEL,
      '--version',
      '1',
      '--reference',
      FLIGHTS_REFERENCE,
      '--url',
      first.url,
    ]);
    const send = async (url: string, lines: readonly string[]) => {
      const response = await fetch(`${url}/v1/ingest`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: lines.join('\n'),
      });
      return (await response.json()) as { accepted: number; duplicate: number };
    };
    expect(await send(first.url, predictions.slice(0, -500))).toMatchObject({ accepted: EVENTS - 500 });
    await until('a day is judged', 120_000, async () =>
      (await verdicts(first.url)).length > 0 ? true : null,
    );

    const folder = join(directory, 'backup');
    const backup = await json(['backup', folder, '--url', first.url]);
    expect(backup).toMatchObject({ folder, format: 1 });
    // Nothing is left beside the data, and a folder is used once.
    expect(await readdir(join(directory, 'data', 'snapshots'))).toEqual([]);
    const again = await plumbline(['backup', folder, '--url', first.url]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('is not empty')]);
    const inUse = await plumbline([
      'backup',
      join(directory, 'other'),
      '--data-dir',
      join(directory, 'data'),
    ]);
    expect([inUse.code, inUse.stderr]).toEqual([1, expect.stringContaining('in use by process')]);
    const before = await verdicts(first.url);
    // What comes after the backup is lost with the disk, and may be sent again.
    await send(first.url, predictions.slice(-500));
    await first.service.kill();

    const restored = await json(['restore', folder, '--data-dir', join(directory, 'restored')]);
    expect(restored).toMatchObject({ applied: [], dataDir: join(directory, 'restored') });
    const second = await serve('restored');
    expect(await verdicts(second.url)).toEqual(before);
    expect(await send(second.url, predictions)).toMatchObject({ accepted: 500, duplicate: EVENTS - 500 });
    await second.service.kill();

    // Of a directory that nothing uses, too.
    const offline = await json([
      'backup',
      join(directory, 'offline'),
      '--data-dir',
      join(directory, 'restored'),
    ]);
    const rows = (offline.tables as { name: string; rows: number }[]).find(
      ({ name }) => name === 'predictions',
    )?.rows;
    expect(rows).toBe(EVENTS);
    const wrong = await plumbline(['restore', directory, '--data-dir', join(directory, 'empty')]);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('is no backup')]);
  });
});
