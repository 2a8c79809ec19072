// `plumbline compare` on 1,000,000 × 50 against 100,000 rows, against scipy by hand on the same two Parquet files. Both as one would run
// them: a whole process each time, from its start to its exit.

import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  baselineEnv,
  baselineOverSubject,
  pythonEnvironment,
  root,
  startNode,
  startPython,
  takeTurns,
} from './harness.mjs';

const run = promisify(execFile);
const EXIT_DRIFT = 3;

/** High-water mark of a process's resident memory, MB, asked until it ends. */
async function peakMemory(pid, ended) {
  let peak = 0;
  let over = false;
  ended.then(() => {
    over = true;
  });
  while (!over) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1_024);
    await delay(20);
  }
  return Math.round(peak);
}

/** The largest distance between our KS statistics and scipy's, and of χ² relative to scipy's: the two must have done the same work. */
function differences(document, byHand) {
  const largest = { ks: 0, chiSquare: 0 };
  for (const { column, detectors } of document.columns) {
    const expected = byHand[column].statistic;
    for (const { detector, statistic } of detectors) {
      if (detector === 'ks' && column !== 'prediction')
        largest.ks = Math.max(largest.ks, Math.abs(statistic - expected));
      if (detector === 'chiSquare')
        largest.chiSquare = Math.max(largest.chiSquare, Math.abs(statistic / expected - 1));
    }
  }
  return largest;
}

export const compare = {
  name: 'compare',
  title: 'plumbline compare, 1,000,000 × 50 against 100,000, against scipy by hand',
  bar: { atLeast: 2 },
  rounds: 5,

  async run({ directory, log, rounds }) {
    const built = join(root, 'dist/plumbline.mjs');
    await access(built).catch(() => {
      throw new Error(`${built} is missing: run npm run build`);
    });
    const python = await pythonEnvironment(log);
    const maker = startPython(python, ['bench/full-check.py', directory]);
    const { columns, versions } = await maker.answer();
    await maker.stop();
    const files = ['reference', 'current'].map((name) => join(directory, `${name}.parquet`));
    const peaks = [];
    let document = null;
    let byHand = {};
    const turns = await takeTurns({
      rounds,
      log,
      ratioOf: baselineOverSubject,
      baseline: async () => {
        const before = performance.now();
        const { stdout } = await run(python, ['bench/full-check.py', directory, 'once'], {
          cwd: root,
          env: baselineEnv(),
          maxBuffer: 1 << 26,
        });
        const seconds = (performance.now() - before) / 1_000;
        byHand = JSON.parse(stdout);
        return seconds;
      },
      subject: async () => {
        const before = performance.now();
        const child = startNode([built, 'compare', ...files, '--json']);
        const ended = child.ended();
        const peak = peakMemory(child.pid, ended);
        const { code, stdout, stderr } = await ended;
        const seconds = (performance.now() - before) / 1_000;
        if (code !== EXIT_DRIFT) throw new Error(`compare ended with ${code}: ${stderr}`);
        peaks.push(await peak);
        document = JSON.parse(stdout);
        return seconds;
      },
    });
    return {
      unit: 's',
      ...turns,
      notes: {
        columns,
        peakMemoryMb: Math.max(...peaks),
        largestDifference: differences(document, byHand),
        ...versions,
      },
    };
  },
};
