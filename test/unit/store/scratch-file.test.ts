import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createScratchFiles, type ScratchFiles } from '../../../src/store/scratch-file.js';

let directory: string;
let scratch: ScratchFiles;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'plumbline-scratch-*{a,b}-'));
  scratch = createScratchFiles(directory);
});
afterEach(async () => {
  await scratch.close();
  await rm(directory, { recursive: true });
});

test('gives the bytes under a path, and leaves no name in the directory even while they are used', async () => {
  const bytes = Buffer.from('a\0b');
  const read = await scratch.use([bytes], undefined, async (path) => {
    expect(path).toMatch(/^\/dev\/fd\/\d+$/);
    expect(await readdir(directory)).toEqual([]);
    return readFile(path);
  });
  expect(read).toEqual(bytes);
});

test('passes on what the use throws, and what the directory refuses', async () => {
  const failing = () => Promise.reject(new Error('no such table'));
  await expect(scratch.use([Buffer.from('x')], undefined, failing)).rejects.toThrow('no such table');
  await expect(
    createScratchFiles(join(directory, 'missing')).use([Buffer.from('x')], undefined, async () => 1),
  ).rejects.toMatchObject({ code: 'ENOENT' });
});

test('an aborted wait ends at once, while the file stays open for the use', async () => {
  const controller = new AbortController();
  let finish: () => void = () => undefined;
  let path = '';
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const used = new Promise<string>((resolve, reject) => {
    const waiting = scratch.use([Buffer.from('held')], controller.signal, async (given) => {
      path = given;
      begin();
      await new Promise<void>((done) => {
        finish = done;
      });
      resolve(await readFile(path, 'utf8'));
    });
    waiting.then(
      () => reject(new Error('not aborted')),
      (error: unknown) => expect(error).toMatchObject({ message: 'too late' }),
    );
  });
  await begun;
  controller.abort(new Error('too late'));
  await new Promise((resolve) => setImmediate(resolve));
  finish();
  expect(await used).toBe('held');
  await expect(scratch.use([Buffer.from('x')], controller.signal, async () => 1)).rejects.toThrow('too late');
});

test('a file that is used again holds the new bytes alone, and none is shared at one time', async () => {
  for (const text of ['a long text', 'short', '', 'longer again'])
    expect(
      await scratch.use([Buffer.from(text), Buffer.from('')], undefined, (path) => readFile(path, 'utf8')),
    ).toBe(text);
  const texts = ['one', 'two', 'three', 'four'];
  const read = texts.map((text) =>
    scratch.use([Buffer.from(text), Buffer.from('')], undefined, async (path) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return readFile(path, 'utf8');
    }),
  );
  expect(await Promise.all(read)).toEqual(texts);
});
