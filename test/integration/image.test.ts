import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../support/free-port.js';
import { until } from '../support/service-process.js';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'plumbline-image-'));
const app = join(scratch, 'app');
const data = join(scratch, 'data');
const elsewhere = join(scratch, 'elsewhere');
/** Only root can be somebody else; for anyone else a tree without write permission is read-only already. */
const user = process.getuid?.() === 0 ? imageUser() : null;

function dockerfile(instruction: string): string {
  const lines = readFileSync(join(root, 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ').split('\n');
  const line = lines.findLast((text) => text.trimStart().startsWith(`${instruction} `));
  if (line === undefined) throw new TypeError(`the Dockerfile has no ${instruction}`);
  return line.trim().slice(instruction.length + 1);
}

function imageUser() {
  const [uid, gid] = dockerfile('USER').split(':').map(Number);
  return { uid: uid ?? -1, gid: gid ?? -1 };
}

/** Every file of a tree with its size and time of change. */
function contents(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}`)
    .toSorted();
}

/** The sh block of docs/deployment.md that makes keys, run as its reader would. */
function makeKeys(): { ingest: string; admin: string; read: string } {
  const recipe = /```sh\n(new_key\(\)[\s\S]*?)```/.exec(
    readFileSync(join(root, 'docs/deployment.md'), 'utf8'),
  )?.[1];
  execFileSync('sh', ['-ec', recipe ?? 'exit 9'], { cwd: elsewhere });
  const key = (name: string) => readFileSync(join(elsewhere, `${name}-key`), 'utf8');
  return { ingest: key('ingest'), admin: key('admin'), read: key('metrics') };
}

describe('the image', () => {
  let service: ChildProcess;
  let url = '';
  let port = 0;
  let log = '';
  let keys: ReturnType<typeof makeKeys>;
  let before: string[];

  beforeAll(async () => {
    for (const folder of [data, elsewhere]) mkdirSync(folder);
    chmodSync(scratch, 0o755);
    await run(process.execPath, [join(root, 'scripts/image-layout.mjs'), app]);
    await run('chmod', ['-R', 'a-w,a+rX', app]);
    before = contents(app);
    if (user !== null) chownSync(data, user.uid, user.gid);
    keys = makeKeys();
    port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const config = join(scratch, 'plumbline.yaml');
    writeFileSync(
      config,
      `http: { host: 0.0.0.0, port: ${port}, keysFile: ${join(elsewhere, 'keys.yaml')} }\n`,
    );
    chmodSync(elsewhere, 0o755);
    const [command = '', program = ''] = JSON.parse(dockerfile('ENTRYPOINT')) as string[];
    const places: Record<string, string> = { '/etc/plumbline/plumbline.yaml': config, '/data': data };
    const args = (JSON.parse(dockerfile('CMD')) as string[]).map((argument) => places[argument] ?? argument);
    service = spawn(command, [program.replace(/^\/app/, app), ...args], {
      cwd: '/',
      env: { PATH: process.env.PATH, NODE_ENV: 'production' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(user ?? {}),
    });
    for (const stream of [service.stdout, service.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
    await until('the service is ready', 120_000, async () => {
      if (service.exitCode !== null) throw new Error(`the service ended with ${service.exitCode}:\n${log}`);
      // Nothing listens yet.
      return (await fetch(`${url}/readyz`).catch(() => null))?.ok === true ? true : null;
    });
  });

  afterAll(async () => {
    if (service?.exitCode === null) {
      const gone = once(service, 'exit');
      service.kill('SIGKILL');
      await gone;
    }
    await run('chmod', ['-R', 'u+w', scratch]);
    rmSync(scratch, { recursive: true, force: true });
  });

  /** The health check as the Dockerfile words it, on this test's port. */
  async function healthCheck(): Promise<number> {
    const check = dockerfile('HEALTHCHECK');
    const [command = '', ...args] = JSON.parse(check.slice(check.indexOf('['))) as string[];
    expect(args.at(-1)).toContain('127.0.0.1:8080/healthz');
    const child = spawn(
      command,
      args.map((text) => text.replace('127.0.0.1:8080', `127.0.0.1:${port}`)),
      user ?? {},
    );
    const [code] = (await once(child, 'exit')) as [number];
    return code;
  }

  it('is healthy and ready', async () => {
    expect(await healthCheck()).toBe(0);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('takes a reference and predictions with the keys that docs/deployment.md makes', async () => {
    const reference = await fetch(`${url}/v1/models/flight-delay/versions/1/reference`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${keys.admin}`, 'content-type': 'application/vnd.apache.parquet' },
      body: readFileSync(join(root, 'examples/flights/reference.parquet')),
    });
    expect([reference.status, (await reference.text()).slice(0, 300)]).toEqual([201, expect.any(String)]);
    const lines = gunzipSync(readFileSync(join(root, 'examples/flights/predictions.ndjson.gz'))).toString();
    const answer = await fetch(`${url}/v1/ingest`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.ingest}`, 'content-type': 'application/x-ndjson' },
      body: lines.split('\n').slice(0, 1_000).join('\n'),
    });
    expect(await answer.json()).toEqual({
      received: 1_000,
      accepted: 1_000,
      duplicate: 0,
      rejected: 0,
      errors: [],
    });
    expect((await fetch(`${url}/v1/ingest`, { method: 'POST', body: '{}' })).status).toBe(401);
    const metrics = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${keys.read}` } });
    expect(await metrics.text()).toContain(
      'plumbline_predictions_total{model="flight-delay",model_version="1"} 1000',
    );
  });

  it('ends on SIGTERM within ten seconds, with 0, and has written to its data directory only', async () => {
    const ended = once(service, 'exit');
    service.kill('SIGTERM');
    const outcome = await Promise.race([ended, delay(10_000, 'still there', { ref: false })]);
    expect(outcome).toEqual([0, null]);
    expect(await healthCheck()).toBe(1);
    expect(contents(app)).toEqual(before);
    expect(contents(data).length).toBeGreaterThan(0);
  });
});
