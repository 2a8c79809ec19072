import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { tail } from '../../../src/cli/tail.js';
import type { TailPosition } from '../../../src/cli/tail-file.js';

let directory = '';
let path = '';
let stop: AbortController;
let work: Promise<unknown> = Promise.resolve();
let sent: string[] = [];
let failing = false;
let stderr: PassThrough;

function start(settledMs = 100): void {
  stop = new AbortController();
  stderr = new PassThrough();
  work = tail({
    client: {
      postLines: async (_path, lines) => {
        if (failing) throw new Error('service away');
        sent.push(...lines);
        return { received: lines.length, accepted: lines.length, duplicate: 0, rejected: 0 };
      },
    },
    path,
    stateFile: join(directory, 'state'),
    endpoint: '/v1/ingest',
    output: { stderr },
    signal: stop.signal,
    pollMs: 5,
    retryMs: 5,
    settledMs,
  });
}
/** Once it has kept how far it came. */
async function end(): Promise<void> {
  stop.abort();
  await work;
}
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > deadline)
      throw new Error(`sent after a minute: ${sent.length} lines, ${sent.slice(-9)}`);
    await sleep(5);
  }
}
const line = (n: number) => `{"n":${n}}`;
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => line(from + i));
const text = (from: number, to: number) => `${lines(from, to).join('\n')}\n`;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'plumbline-tail-'));
  path = join(directory, 'predictions.ndjson');
  sent = [];
  failing = false;
});
afterEach(async () => {
  await end();
  await rm(directory, { recursive: true, force: true });
});

describe('tail', () => {
  /** It has sent a file of two lines, and was stopped. */
  async function stopped(): Promise<void> {
    await writeFile(path, text(0, 2));
    start();
    await until(() => sent.length === 2);
    await end();
  }

  it('waits for the file, and sends whole lines as they come', async () => {
    start();
    await sleep(20);
    await writeFile(path, `${text(0, 3)}{"n":`);
    await until(() => sent.length === 3);
    await appendFile(path, '3}\n\n');
    await until(() => sent.length === 4);
    expect(sent).toEqual(lines(0, 4));
  });

  it('goes on where it was after a restart, and sends nothing twice', async () => {
    await writeFile(path, text(0, 20_000));
    start();
    await until(() => sent.length === 20_000);
    await end();
    await appendFile(path, text(20_000, 20_003));
    start();
    await until(() => sent.length === 20_003);
    expect(sent).toEqual(lines(0, 20_003));
  });

  it('reads a renamed file to its end, also when that happened while it was away', async () => {
    await stopped();
    await appendFile(path, `${text(2, 4)}{"n":4}`);
    await rename(path, `${path}.1`);
    await writeFile(path, text(5, 7));
    start();
    await until(() => sent.length === 7);
    expect(sent).toEqual(lines(0, 7));
  });

  it('stays with a file that was renamed as long as its writer does', async () => {
    await writeFile(path, text(0, 2));
    // Longer than any pause of a slow machine: that the writer has stopped is said by the time of the file.
    start(3_600_000);
    await until(() => sent.length === 2);
    await rename(path, `${path}.1`);
    await writeFile(path, text(5, 7));
    for (const [part, count] of [
      ['{"n":', 2],
      ['2}\n{"n":3}', 3],
      ['\n{"n":4}\n', 5],
    ] as const) {
      await appendFile(`${path}.1`, part);
      await until(() => sent.length === count);
      await sleep(40);
    }
    expect(sent).toEqual(lines(0, 5));
    await utimes(`${path}.1`, 0, 0);
    await until(() => sent.length === 7);
    expect(sent).toEqual(lines(0, 7));
  });

  it('passes over a directory that is named like a rotated file, and knows which of two with one time is older', async () => {
    await mkdir(`${path}.old`);
    await stopped();
    const at = Math.round(Date.now() / 1_000) + 500;
    for (const [number, from] of [
      [3, 2],
      [2, 4],
      [1, 6],
    ] as const) {
      await appendFile(path, text(from, from + 2));
      await utimes(path, at, at);
      await rename(path, `${path}.${number}`);
    }
    await writeFile(path, text(8, 9));
    start();
    await until(() => sent.length === 9);
    expect(sent).toEqual(lines(0, 9));
  });

  /** Renames the file; its age is held against those of the other rotated ones. */
  async function rotate(to: string, ageSeconds: number): Promise<void> {
    const at = Date.now() / 1000 + 1_000 - ageSeconds;
    await utimes(path, at, at);
    await rename(path, to);
  }

  it('reads every file that was rotated away while it was stopped, the oldest first', async () => {
    await stopped();
    await appendFile(path, text(2, 4));
    await rotate(`${path}.3`, 300);
    await writeFile(path, text(4, 6));
    await rotate(`${path}.2`, 200);
    await writeFile(path, '');
    await rotate(`${path}.4`, 150); // nothing was written for a day
    await writeFile(path, `${text(6, 7)}{"n":7}`);
    await rotate(`${path}-20260101`, 100);
    await writeFile(`${path}.lock`, 'no rotated file');
    await writeFile(path, text(8, 10));
    start();
    await until(() => sent.length === 10);
    await sleep(30);
    expect(sent).toEqual(lines(0, 10));
    expect(stderr.readableLength).toBe(0);
  });

  it('goes on with the younger files when the one it was in is gone, and names those that are compressed', async () => {
    await stopped();
    await rotate(`${path}.4`, 500);
    await writeFile(path, 'packed');
    await rotate(`${path}.3.gz`, 200);
    await writeFile(path, text(2, 4));
    await rotate(`${path}.1`, 100);
    await writeFile(path, text(4, 6));
    const state = JSON.parse(await readFile(join(directory, 'state'), 'utf8')) as { inode: number };
    await writeFile(join(directory, 'state'), JSON.stringify({ ...state, inode: state.inode + 1_000_000 }));
    await unlink(`${path}.4`);
    start();
    await until(() => sent.length === 6);
    expect(sent).toEqual(lines(0, 6));
    const told = String(stderr.read());
    expect(told).toContain('rotated away');
    expect(told).toContain(`${path}.3.gz was compressed before it was read`);
  });

  it('takes a state file of an earlier version', async () => {
    await stopped();
    const { inode, offset } = JSON.parse(await readFile(join(directory, 'state'), 'utf8')) as TailPosition;
    await writeFile(join(directory, 'state'), JSON.stringify({ inode, offset }));
    await appendFile(path, text(2, 3));
    start();
    await until(() => sent.length === 3);
    expect(sent).toEqual(lines(0, 3));
  });

  it('begins again with a file that was copied and truncated', async () => {
    await writeFile(path, text(0, 3));
    start();
    await until(() => sent.length === 3);
    await sleep(30);
    await copyFile(path, `${path}.1`);
    await truncate(path);
    await appendFile(path, text(3, 4));
    await until(() => sent.length === 4);
    expect(sent).toEqual(lines(0, 4));
  });

  it('begins again with one that has grown beyond where it was by the next look, and reads the copy to its end', async () => {
    await stopped();
    await appendFile(path, text(2, 4));
    await copyFile(path, `${path}.1`);
    await truncate(path);
    await appendFile(path, text(4, 2_000));
    start();
    await until(() => sent.length === 2_000);
    expect(sent).toEqual(lines(0, 2_000));
    expect(stderr.readableLength).toBe(0);
  });

  it('begins again with one that was truncated without a copy, or is another one of the same inode, and says so', async () => {
    await writeFile(path, text(0, 1));
    start();
    await until(() => sent.length === 1);
    await sleep(30);
    // In place: the inode stays. Equal in size, then longer.
    await writeFile(path, text(1, 2));
    await until(() => sent.length === 2);
    await sleep(30);
    await writeFile(path, text(2, 400));
    await until(() => sent.length === 400);
    expect(sent).toEqual(lines(0, 400));
    expect(String(stderr.read()).match(/truncated, before it was read behind byte 8/g)).toHaveLength(2);
  });

  it('finds the files between, where the current one got the inode of the one it was in', async () => {
    await stopped();
    await writeFile(path, text(4, 400)); // the one it was in is gone
    await writeFile(`${path}.1`, text(2, 4));
    const at = Date.now() / 1000 + 100;
    await utimes(`${path}.1`, at, at);
    start();
    await until(() => sent.length === 400);
    expect(sent).toEqual(lines(0, 400));
  });

  it('sends again what was not answered, and says so', async () => {
    failing = true;
    await writeFile(path, text(0, 2));
    start();
    await until(() => stderr.readableLength > 0);
    failing = false;
    await until(() => sent.length === 2);
    expect(sent).toEqual(lines(0, 2));
    expect(String(stderr.read())).toContain('not sent, trying again: service away');
  });

  it('says when a file is gone before it was read', async () => {
    await writeFile(path, text(0, 1));
    start();
    await until(() => sent.length === 1);
    await end();
    await unlink(path);
    await writeFile(`${path}.other`, text(1, 2));
    await rename(`${path}.other`, path);
    const state = JSON.parse(await readFile(join(directory, 'state'), 'utf8')) as { inode: number };
    await writeFile(join(directory, 'state'), JSON.stringify({ ...state, inode: state.inode + 1_000_000 }));
    start();
    await until(() => sent.length === 2);
    expect(String(stderr.read())).toContain('rotated away');
  });

  it('names a state file that is damaged', async () => {
    await writeFile(join(directory, 'state'), '{');
    start();
    await expect(work).rejects.toMatchObject({ code: 'file_unreadable' });
    work = Promise.resolve();
  });
});
