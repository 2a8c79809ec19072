// What the benchmarks share: turns, ratios, bundles of the sources, a Python environment, child processes.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { bundleWorker } from '../scripts/bundle-worker.mjs';

export const root = resolve(import.meta.dirname, '..');
const run = promisify(execFile);

/** Pinned: a baseline that moves is none. */
const PYTHON_PACKAGES = [
  'numpy==2.4.6',
  'scipy==1.17.1',
  'scikit-learn==1.9.1',
  'pandas==3.1.1',
  'pyarrow==26.0.1',
  'statsmodels==0.15.0',
];

function sorted(values) {
  return values.toSorted((a, b) => a - b);
}

/** Median with least and greatest. */
export function spread(values) {
  const order = sorted(values);
  const middle = order.length / 2;
  const median = order.length % 2 === 1 ? order[Math.floor(middle)] : (order[middle - 1] + order[middle]) / 2;
  return { median, min: order[0], max: order.at(-1) };
}

/**
 * Subject and baseline take turns, so that a busy machine slows both; the order alternates. Each gives one figure per turn
 * (rates: larger is better; seconds: smaller is). The ratio is made turn by turn.
 */
export async function takeTurns({ rounds, subject, baseline, ratioOf, log }) {
  const figures = { subject: [], baseline: [] };
  for (let round = 0; round < rounds; round++) {
    const sides = [
      ['baseline', baseline],
      ['subject', subject],
    ];
    if (round % 2 === 1) sides.reverse();
    for (const [name, side] of sides) figures[name].push(await side(round));
    log(
      `turn ${round + 1} of ${rounds}: ${figures.subject.at(-1).toPrecision(4)} against ${figures.baseline.at(-1).toPrecision(4)}`,
    );
  }
  const ratios = figures.subject.map((figure, round) => ratioOf(figure, figures.baseline[round]));
  return { subject: spread(figures.subject), baseline: spread(figures.baseline), ratio: spread(ratios) };
}

/** For rates, and for times. */
export const subjectOverBaseline = (subject, baseline) => subject / baseline;
export const baselineOverSubject = (subject, baseline) => baseline / subject;

/**
 * Bundles sources to run under plain Node, with the migrations and the worker threads' program beside them; the native engine stays outside and is found
 * because `directory` lies in the tree. Gives the path of the bundle.
 */
export async function bundle(directory, name, contents) {
  await cp(join(root, 'src/store/migrations'), join(directory, 'migrations'), { recursive: true });
  await bundleWorker(join(directory, 'worker.mjs'));
  const outfile = join(directory, `${name}.mjs`);
  await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['chdb', 'chdb/*', '@node-rs/crc32'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    outfile,
    logLevel: 'warning',
  });
  return outfile;
}

export async function importBundle(directory, name, contents) {
  return import(pathToFileURL(await bundle(directory, name, contents)).href);
}

/** Environment of the baselines: one thread of linear algebra, and the best kernels the machine has. */
export function baselineEnv() {
  // Both pin OpenBLAS to choices made for other machines.
  const { OPENBLAS_CORETYPE: _type, OPENBLAS_L2_SIZE: _size, ...env } = process.env;
  return { ...env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
}

/** Makes build/bench-venv once, and gives its interpreter. */
export async function pythonEnvironment(log) {
  const folder = join(root, 'build/bench-venv');
  const python = join(folder, 'bin/python');
  const stamp = join(folder, 'packages.txt');
  const wanted = PYTHON_PACKAGES.join('\n');
  if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted) return python;
  log(`making ${folder}`);
  await mkdir(join(root, 'build'), { recursive: true });
  await run('python3', ['-m', 'venv', folder]);
  await run(python, ['-m', 'pip', 'install', '--quiet', ...PYTHON_PACKAGES], { maxBuffer: 1 << 26 });
  await writeFile(stamp, wanted);
  return python;
}

/** A Python script that answers one line of JSON to each line it is given. */
export function startPython(python, args) {
  const child = spawn(python, args, { cwd: root, env: baselineEnv(), stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${args[0]} ended early: see its message above`);
    return JSON.parse(value);
  };
  return {
    answer,
    ask: (line) => {
      child.stdin.write(`${line}\n`);
      return answer();
    },
    stop: async () => {
      if (child.exitCode !== null) return;
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}

/** Asks until the answer is not null. */
export async function until(what, timeoutMs, ask, everyMs = 20) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await delay(everyMs);
  }
}

/** A Node program with its own process; its stderr is kept for the case that it fails. */
export function startNode(args, options = {}) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr = (stderr + text).slice(-4_000);
  });
  const closed = once(child, 'close');
  return {
    pid: child.pid,
    stdout: () => stdout,
    failed: () =>
      child.exitCode !== null && child.exitCode !== 0 ? stderr || `exit ${child.exitCode}` : null,
    ended: async () => {
      const [code] = await closed;
      return { code, stdout, stderr };
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await closed;
    },
  };
}

/** `plumbline serve` from dist/, on a data directory and port of its own. `settings` joins the configuration. */
export async function startService(directory, name, settings = {}) {
  const built = join(root, 'dist/plumbline.mjs');
  await access(built).catch(() => {
    throw new Error(`${built} is missing: run npm run build`);
  });
  const port = await freePort();
  const config = join(directory, `${name}.json`);
  await writeFile(
    config,
    JSON.stringify({
      store: { dataDir: join(directory, `${name}-data`) },
      http: { port },
      log: { level: 'warn' },
      ...settings,
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  const flags = (process.env.BENCH_SERVICE_FLAGS ?? '').split(' ').filter((flag) => flag !== '');
  const service = startNode([...flags, built, 'serve', '--config', config]);
  await until('the service is ready', 60_000, async () => {
    const reason = service.failed();
    if (reason !== null) throw new Error(`the service did not start: ${reason}`);
    // Refused connections are what waiting is for.
    const response = await fetch(`${url}/readyz`).catch(() => null);
    return response?.ok ? true : null;
  });
  return { ...service, url };
}

export async function registerFlights(url) {
  const response = await fetch(`${url}/v1/models/flight-delay/versions/1/reference`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.apache.parquet' },
    body: await readFile(join(root, 'examples/flights/reference.parquet')),
  });
  if (!response.ok) throw new Error(`the reference was refused: ${await response.text()}`);
}

/** Resident memory of a process at its height, bytes. */
export async function peakBytesOf(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Seconds of processor time that a process has used. */
export async function cpuSeconds(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Part of one core that a process uses, looked at for half a second. */
export async function cpuShare(pid) {
  const before = await cpuSeconds(pid);
  const startMs = performance.now();
  await new Promise((done) => setTimeout(done, 500));
  return ((await cpuSeconds(pid)) - before) / ((performance.now() - startMs) / 1_000);
}
