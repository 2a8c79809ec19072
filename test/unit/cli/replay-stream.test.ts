import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { replay } from '../../../src/cli/replay-stream.js';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plumbline-replay-'));
});
afterAll(() => rm(dir, { recursive: true }));

const minute = (i: number) => new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString();
const prediction = (i: number) =>
  JSON.stringify({ prediction_id: `p${i}`, timestamp: minute(i), features: {}, prediction: 1 });
const label = (i: number) => JSON.stringify({ prediction_id: `p${i}`, timestamp: minute(i), label: 1 });

/** A service that takes everything, and remembers the order. */
function recorder() {
  const sent: { path: string; lines: string[] }[] = [];
  return {
    sent,
    postLines: async (path: string, lines: readonly string[]) => {
      sent.push({ path, lines: [...lines] });
      return { received: lines.length, accepted: lines.length, duplicate: 0, rejected: 0, errors: [] };
    },
  };
}

describe('replay', () => {
  it('sends every event once, and no label before an event that precedes it by more than a batch', async () => {
    const predictions = join(dir, 'predictions.ndjson.gz');
    const labels = join(dir, 'labels.ndjson');
    const count = 12_345;
    await writeFile(predictions, gzipSync(Array.from({ length: count }, (_, i) => prediction(i)).join('\n')));
    await writeFile(labels, Array.from({ length: count }, (_, i) => label(i)).join('\n\n'));
    const service = recorder();
    const progress: number[] = [];
    const counts = await replay({
      client: service,
      files: [labels, predictions],
      onProgress: (done, total) => progress.push(done / total),
    });
    expect(counts.predictions).toEqual({ received: count, accepted: count, duplicate: 0, rejected: 0 });
    expect(counts.labels.accepted).toBe(count);
    const ids = service.sent.filter((s) => s.path === '/v1/ingest').flatMap((s) => s.lines);
    expect(new Set(ids).size).toBe(count);
    expect(progress.at(-1)).toBe(1);
    expect(Math.max(...service.sent.map((s) => s.lines.length))).toBeLessThanOrEqual(5_000);
  });

  it('fails on a truncated archive instead of ending early', async () => {
    const path = join(dir, 'cut.ndjson.gz');
    const whole = gzipSync(Array.from({ length: 5_000 }, (_, i) => prediction(i)).join('\n'));
    await writeFile(path, whole.subarray(0, whole.length - 100));
    await expect(replay({ client: recorder(), files: [path] })).rejects.toMatchObject({
      code: 'file_unreadable',
      message: expect.stringMatching(/cut\.ndjson\.gz to its end: .*unexpected end of file/),
    });
  });

  it('names a directory, and a file that is no archive, as unreadable', async () => {
    const path = join(dir, 'no.ndjson.gz');
    await writeFile(path, 'plain text');
    for (const file of [dir, path])
      await expect(replay({ client: recorder(), files: [file] })).rejects.toMatchObject({
        code: 'file_unreadable',
        message: expect.stringContaining(file),
      });
  });

  it('names a missing file', async () => {
    await expect(replay({ client: recorder(), files: [join(dir, 'none')] })).rejects.toThrow(/no such file/);
  });
});
