import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createStoreClient } from '../../src/store/client.js';
import { FLIGHTS_REFERENCE, firstFlights } from '../support/flight-events.js';
import { freePort } from '../support/free-port.js';
import { type GuardedProcess, startGuarded } from '../support/guarded-process.js';
import { plumbline, startService, until } from '../support/service-process.js';

const SIDECAR = join(process.cwd(), 'dist', 'sidecar.mjs');
const BODIES = 60;
const ROWS = 100;

describe('a sidecar', () => {
  let directory = '';
  let url = '';
  let sidecarUrl = '';
  let sidecarPort = 0;
  const running: GuardedProcess[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-sidecar-'));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    sidecarPort = await freePort();
    sidecarUrl = `http://127.0.0.1:${sidecarPort}`;
    await writeFile(
      join(directory, 'plumbline.yaml'),
      `store: { dataDir: ${join(directory, 'data')} }\nhttp: { port: ${port} }\nlog: { level: warn }\njobs: { cron: "0 0 1 1 *" }\n`,
    );
  });
  afterAll(async () => {
    await Promise.all(running.map((one) => one.kill()));
    await rm(directory, { recursive: true, force: true });
  });

  async function serve(): Promise<GuardedProcess> {
    const service = await startService({
      configFile: join(directory, 'plumbline.yaml'),
      url,
      logFile: join(directory, 'service.log'),
    });
    running.push(service);
    return service;
  }
  async function startSidecar(): Promise<GuardedProcess> {
    const sidecar = startGuarded({
      command: process.execPath,
      args: [SIDECAR, '--url', url, '--dir', join(directory, 'spool'), '--port', String(sidecarPort)],
      logFile: join(directory, 'sidecar.log'),
    });
    running.push(sidecar);
    await until('the sidecar is ready', 120_000, async () => {
      if (sidecar.exitCode() !== null) throw new Error(`the sidecar ended:\n${sidecar.tail()}`);
      const answer = await fetch(`${sidecarUrl}/readyz`).catch(() => null); // nothing listens yet
      return answer?.ok === true ? true : null;
    });
    return sidecar;
  }
  const waiting = async () => {
    const text = await (await fetch(`${sidecarUrl}/metrics`)).text();
    return Number(/^plumbline_sidecar_waiting_requests (\d+)/m.exec(text)?.[1] ?? Number.NaN);
  };

  it('keeps what it is sent while the service is away or killed, over its own death, and delivers each event once', async () => {
    const service = await serve();
    const registered = await plumbline([
      ...['model', 'register', 'flight-delay', '--version', '1'],
      ...['--reference', FLIGHTS_REFERENCE, '--url', url],
    ]);
    expect(registered).toMatchObject({ code: 0 });
    await service.kill();

    const lines = firstFlights(BODIES * ROWS).predictions;
    const kept = new Set<number>();
    const send = async (index: number) => {
      const text = lines.slice(index * ROWS, (index + 1) * ROWS).join('\n');
      const isPacked = index % 3 === 0;
      const response = await fetch(`${sidecarUrl}/v1/ingest`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-ndjson',
          ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
        },
        body: isPacked ? gzipSync(text) : text,
      }).catch(() => null); // it was killed: sent again below
      if (response?.status === 202) kept.add(index);
    };
    const all = Array.from({ length: BODIES }, (_, index) => index);
    const sendMissing = async (until: number) => {
      for (const index of all.slice(0, until)) if (!kept.has(index)) await send(index);
    };

    const first = await startSidecar();
    await sendMissing(BODIES / 3);
    expect(kept.size).toBe(BODIES / 3);
    expect(await waiting()).toBe(BODIES / 3);
    // No engine in the process.
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const maps = await Promise.all(
      pids.map(async (pid) => {
        const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''); // gone meanwhile
        return command.includes(SIDECAR) && command.startsWith(process.execPath)
          ? await readFile(`/proc/${pid}/maps`, 'utf8')
          : '';
      }),
    );
    expect(maps.join('')).toContain('node');
    expect(maps.join('')).not.toContain('chdb');

    // Killed while it is sent to.
    await Promise.all([sendMissing((2 * BODIES) / 3), first.kill()]);
    await startSidecar();
    await sendMissing((2 * BODIES) / 3);
    const second = await serve();
    // The service is killed while it is delivered to.
    await Promise.all([sendMissing(BODIES), second.kill()]);
    await sendMissing(BODIES);
    expect(kept.size).toBe(BODIES);
    const third = await serve();
    await until('all is delivered', 120_000, async () => ((await waiting()) === 0 ? true : null));
    await third.kill();

    const client = await createStoreClient({ kind: 'embedded', dataDir: join(directory, 'data') });
    const found = await client.query(
      'SELECT count() AS rows, uniqExact(prediction_id) AS ids FROM predictions',
    );
    const rejected = await client.query('SELECT count() AS rows FROM rejected');
    await client.close();
    expect(found).toEqual([{ rows: BODIES * ROWS, ids: BODIES * ROWS }]);
    expect(rejected).toEqual([{ rows: 0 }]);
  });

  it('says what is wrong with its options', async () => {
    const run = async (args: string[]) => {
      const logFile = join(directory, `options-${args.length}.log`);
      const process = startGuarded({
        command: globalThis.process.execPath,
        args: [SIDECAR, ...args],
        logFile,
      });
      running.push(process);
      await until('it ends', 120_000, async () => (process.exitCode() === null ? null : true));
      return { code: process.exitCode(), said: process.tail() };
    };
    expect(await run([])).toMatchObject({ code: 2, said: expect.stringContaining('--url') });
    expect(await run(['--url', 'service:8080'])).toMatchObject({
      code: 2,
      said: expect.stringContaining('write http://HOST:PORT'),
    });
    expect(await run(['--url', url, '--max-bytes', 'much'])).toMatchObject({ code: 2 });
  });
});
