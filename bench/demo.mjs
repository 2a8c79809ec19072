// Seconds and memory of the demo: `plumbline demo --exit`, from its start to its end.
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds, freePort, peakBytesOf, root, startNode } from './harness.mjs';

const SAMPLE_MS = 100;

export const demo = {
  name: 'demo',
  title: 'demo',
  bar: null,
  rounds: 1,

  async run({ directory, log, rounds }) {
    const runs = [];
    for (let round = 0; round < rounds; round++) {
      const port = await freePort();
      const before = performance.now();
      const child = startNode([
        join(root, 'dist/plumbline.mjs'),
        'demo',
        '--exit',
        '--json',
        '--port',
        String(port),
        '--data-dir',
        join(directory, `data-${round}`),
      ]);
      let peakBytes = 0;
      let cpu = 0;
      let running = true;
      const sampling = (async () => {
        while (running) {
          try {
            peakBytes = Math.max(peakBytes, await peakBytesOf(child.pid));
            cpu = await cpuSeconds(child.pid);
          } catch (error) {
            // Gone between two samples.
            if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
          }
          await delay(SAMPLE_MS);
        }
      })();
      const { code, stdout, stderr } = await child.ended();
      const seconds = (performance.now() - before) / 1_000;
      running = false;
      await sampling;
      if (code !== 0) throw new Error(`the demo ended with ${code}: ${stderr}`);
      const { predictions, windows } = JSON.parse(stdout);
      log(
        `${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of processor time, ${Math.round(peakBytes / 1e6)} MB at most`,
      );
      runs.push({
        seconds,
        cpuSeconds: cpu,
        peakMb: peakBytes / 1e6,
        predictions: predictions.accepted,
        windows: windows.judged,
      });
    }
    const worst = (field) => Math.max(...runs.map((result) => result[field]));
    return {
      figures: [
        { name: 'time', value: worst('seconds'), unit: 's', bar: { atMost: 90 } },
        { name: 'memory at its height', value: worst('peakMb'), unit: 'MB', bar: { atMost: 1_500 } },
      ],
      notes: { runs },
    };
  },
};
