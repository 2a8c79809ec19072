import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { bundleWorker } from '../../../scripts/bundle-worker.mjs';
import type { CellValue, ForestColumn } from '../../../src/stats/forest-encoding.js';
import { fitForestModel } from '../../../src/stats/forest-model.js';
import { growForest } from '../../../src/stats/forest-parts.js';
import { createRandom } from '../../../src/stats/random.js';
import { createForestFitter } from '../../../src/wiring/forests.js';
import { createInlineRunner } from '../../../src/workers/inline.js';
import { createWorkerPool, type WorkerPoolOptions } from '../../../src/workers/pool.js';
import type { TaskRunner } from '../../../src/workers/tasks.js';
import { until } from '../../support/until.js';

let directory = '';
let entry: URL;
const started: TaskRunner[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'plumbline-workers-'));
  await bundleWorker(join(directory, 'worker.mjs'));
  entry = pathToFileURL(join(directory, 'worker.mjs'));
});

afterEach(async () => {
  for (const runner of started.splice(0)) await runner.stop();
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

function pool(options: Partial<WorkerPoolOptions> = {}): TaskRunner {
  const made = createWorkerPool({ entry, threads: 2, ...options });
  started.push(made);
  return made;
}

/** A worker's program of a test's own. */
async function program(name: string, source: string): Promise<URL> {
  const path = join(directory, name);
  await writeFile(path, `import { parentPort, threadId } from 'node:worker_threads';\n${source}`);
  return pathToFileURL(path);
}

function data(rows = 400, columns = 3) {
  const random = createRandom(1);
  const shared = new SharedArrayBuffer(8 * rows * columns);
  const matrix = new Float64Array(shared);
  for (let i = 0; i < matrix.length; i++) matrix[i] = random();
  return { matrix, rows, columns };
}

const settings = { trees: 5, subsample: 64, seed: 3 };

describe.each([
  ['worker threads', () => pool()],
  ['this thread', () => createInlineRunner()],
])('a task runner in %s', (_name, createRunner) => {
  it('gives the results that the functions give, of as many tasks as there are', async () => {
    const runner = createRunner();
    const input = data();
    const seeds = Array.from({ length: 9 }, (_, seed) => seed);
    const records = await Promise.all(
      seeds.map((seed) => runner.run('growForest', () => ({ data: input, settings: { ...settings, seed } }))),
    );
    records.forEach((record, seed) => {
      const expected = growForest({ data: input, settings: { ...settings, seed } });
      expect(Array.from(record.thresholds)).toEqual(Array.from(expected.thresholds));
      expect(Array.from(record.features)).toEqual(Array.from(expected.features));
      expect(Array.from(record.sizes)).toEqual(Array.from(expected.sizes));
    });
  });

  it('takes the buffers of an argument away, and leaves shared memory', async () => {
    const runner = createRunner();
    const fold = Int32Array.of(1, 2, 3);
    const input = data();
    const scores = await runner.run('scoreHeldOut', () => ({ data: input, settings, fold }));
    expect(scores).toHaveLength(3);
    expect(fold).toHaveLength(0);
    expect(input.matrix).toHaveLength(1_200);
  });

  it('rejects with what the task throws, and what making its argument throws, and goes on', async () => {
    const runner = createRunner();
    const bad = { ...data(), rows: 500 };
    await expect(runner.run('growForest', () => ({ data: bad, settings }))).rejects.toMatchObject({
      name: 'RangeError',
      message: 'the matrix holds 1200 values, 500 × 3 are needed',
    });
    await expect(
      runner.run('growForest', () => {
        throw new TypeError('no argument');
      }),
    ).rejects.toThrow('no argument');
    expect((await runner.run('growForest', () => ({ data: data(), settings }))).trees).toBe(5);
  });

  it('refuses work after its end, and what still waits', async () => {
    const runner = createRunner();
    const input = () => ({ data: data(), settings });
    const waiting = [1, 2, 3, 4].map(() => runner.run('growForest', input));
    const outcomes = Promise.allSettled(waiting);
    await runner.stop();
    const reasons = (await outcomes).map((outcome) => outcome.status === 'rejected' && outcome.reason.code);
    expect(reasons.slice(2)).toEqual(['interrupted', 'interrupted']);
    await expect(runner.run('growForest', input)).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('createWorkerPool', () => {
  it('runs as many tasks at once as it has threads, and makes no argument before a thread is free', async () => {
    // Each answers with the argument when it is told to go on through shared memory.
    const waiting = await program(
      'waiting.mjs',
      `parentPort.on('message', ({ input: { gate, number } }) => {
        Atomics.add(gate, 1, 1);
        Atomics.wait(gate, 0, 0);
        parentPort.postMessage({ ok: true, output: number });
      });`,
    );
    const runner = pool({ entry: waiting });
    const gate = new Int32Array(new SharedArrayBuffer(8));
    let made = 0;
    const run = runner.run as unknown as (name: string, input: () => unknown) => Promise<unknown>;
    const results = [0, 1, 2, 3, 4].map((number) =>
      run('growForest', () => {
        made++;
        return { gate, number };
      }),
    );
    await until(() => Atomics.load(gate, 1) === 2);
    for (let i = 0; i < 20; i++) await nextTurn();
    expect(made).toBe(2);
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    expect(await Promise.all(results)).toEqual([0, 1, 2, 3, 4]);
  });

  it('tells only the task that a crash hit, and starts another thread for the rest', async () => {
    const crashing = await program(
      'crashing.mjs',
      `parentPort.on('message', ({ input }) => {
        if (input.crash) process.exit(7);
        parentPort.postMessage({ ok: true, output: threadId });
      });`,
    );
    const runner = pool({ entry: crashing, threads: 1 });
    const run = runner.run as unknown as (name: string, input: () => unknown) => Promise<unknown>;
    const [first, crash, last] = await Promise.allSettled([
      run('scoreForest', () => ({})),
      run('scoreForest', () => ({ crash: true })),
      run('scoreForest', () => ({})),
    ]);
    expect(crash).toMatchObject({
      status: 'rejected',
      reason: { code: 'overloaded', retryable: true, message: expect.stringContaining('exit code 7') },
    });
    expect(first?.status).toBe('fulfilled');
    expect(last?.status).toBe('fulfilled');
    expect(first).not.toEqual(last);
  });

  it('says so when its program is missing or throws at the start', async () => {
    const missing = pool({ entry: new URL('missing.mjs', entry) });
    await expect(missing.run('growForest', () => ({ data: data(), settings }))).rejects.toMatchObject({
      code: 'overloaded',
      message: expect.stringContaining('missing.mjs'),
    });
    const broken = pool({ entry: await program('broken.mjs', `throw new Error('no licence');`) });
    await expect(broken.run('growForest', () => ({ data: data(), settings }))).rejects.toThrow('no licence');
  });

  it('refuses more than may wait', async () => {
    const runner = pool({ threads: 1, maxWaiting: 2 });
    const ask = () => runner.run('growForest', () => ({ data: data(), settings }));
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, ask));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThanOrEqual(2);
    for (const outcome of refused)
      expect(outcome).toMatchObject({ reason: { code: 'overloaded', retryable: true } });
    expect((await ask()).trees).toBe(5);
  });
});

describe('createForestFitter', () => {
  it('gives the same text in any number of threads as in this one', async () => {
    const random = createRandom(4);
    const columns: ForestColumn[] = [
      { name: 'amount', kind: 'numeric' },
      { name: 'plan', kind: 'categorical' },
    ];
    const rows = Array.from({ length: 900 }, (): CellValue[] => [
      random(),
      random() < 0.8 ? 'basic' : `plan-${Math.floor(random() * 9)}`,
    ]);
    const options = {
      seed: 5,
      trees: 30,
      subsample: 64,
      time: { timestampsMs: rows.map((_, i) => i), pieceMs: 30 },
    };
    const texts = await Promise.all(
      [pool({ threads: 1 }), pool({ threads: 3 }), createInlineRunner()].map((runner) =>
        createForestFitter(runner)(columns, rows, options),
      ),
    );
    const { threshold, pieces } = await fitForestModel(columns, rows, options);
    expect(new Set(texts).size).toBe(1);
    expect(JSON.parse(texts[0] as string)).toMatchObject({
      threshold,
      pieces: pieces.map((piece) => [piece.rows, piece.flagged]),
    });
  });
});
