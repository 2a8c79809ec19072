import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { TailPosition } from '../../../src/cli/tail-file.js';

/** What may not be read: by modes it may for root, as whom tests run in containers. */
const forbidden = new Set<string>();
/** What happens between the listing of the files and the opening of one. */
let meanwhile = async (_path: string): Promise<void> => undefined;
jest.unstable_mockModule('node:fs/promises', () => ({
  ...fs,
  open: async (path: string, flags: string) => {
    if (forbidden.has(path)) throw Object.assign(new Error(`EACCES: ${path}`), { code: 'EACCES' });
    await meanwhile(path);
    return fs.open(path, flags);
  },
}));
const { createFileTail } = await import('../../../src/cli/tail-file.js');

describe('tail, of a file that may not be read', () => {
  let directory = '';
  let path = '';
  const gone: TailPosition[] = [];
  beforeEach(async () => {
    directory = await fs.mkdtemp(join(tmpdir(), 'plumbline-tail-'));
    path = join(directory, 'a.log');
    await fs.writeFile(path, 'one\n');
  });
  afterEach(async () => {
    forbidden.clear();
    meanwhile = async () => undefined;
    gone.splice(0);
    await fs.rm(directory, { recursive: true, force: true });
  });

  const follow = () =>
    createFileTail(path, { gone: (position) => gone.push(position), compressed: () => undefined }, 0);
  /** All lines from a position on. */
  async function rest(tail: ReturnType<typeof follow>, from: TailPosition | null) {
    const lines: string[] = [];
    let position = from;
    for (let batch = await tail.next(position); batch !== null; batch = await tail.next(position)) {
      lines.push(...batch.lines);
      position = batch.next;
    }
    return { lines, position };
  }

  it('waits for one that was rotated away, and loses none of its lines', async () => {
    const tail = follow();
    const { position } = await rest(tail, null);
    await fs.appendFile(path, 'two\nthree\n');
    await fs.rename(path, `${path}.1`);
    await fs.writeFile(path, 'four\n');
    forbidden.add(`${path}.1`);
    for (let look = 0; look < 3; look += 1)
      await expect(tail.next(position)).rejects.toMatchObject({ code: 'EACCES' });
    forbidden.clear();
    expect((await rest(tail, position)).lines).toEqual(['two', 'three', 'four']);
    expect(gone).toEqual([]);
  });

  it.each([
    ['nothing', async () => undefined],
    ['the next one', async () => fs.rename(path, `${path}.1`)],
  ])('loses no line of one that is renamed at this very moment, with %s in its place', async (_, replace) => {
    // At each of the moments at which it is opened.
    for (const moment of [1, 2, 3]) {
      const tail = follow();
      await fs.writeFile(path, 'one\n');
      const { position } = await rest(tail, null);
      await fs.appendFile(path, 'two\nthree\n');
      await fs.rename(path, `${path}.1`);
      await fs.writeFile(path, 'four\n');
      let opened = 0;
      meanwhile = async (at) => {
        if (at !== `${path}.1`) return;
        opened += 1;
        if (opened !== moment) return;
        await fs.rename(at, `${path}.2`);
        await replace();
      };
      const lines: string[] = [];
      let from = position;
      for (let look = 0; look < 9; look += 1) {
        const batch = await tail.next(from);
        lines.push(...(batch?.lines ?? []));
        from = batch?.next ?? from;
      }
      expect({ moment, lines, gone }).toEqual({ moment, lines: ['two', 'three', 'four'], gone: [] });
      for (const name of await fs.readdir(directory)) await fs.rm(join(directory, name));
    }
  });

  it('passes over one that may be a copy, for the next one', async () => {
    const tail = follow();
    const { position } = await rest(tail, null);
    await fs.appendFile(path, 'two\n');
    await fs.copyFile(path, `${path}.1`);
    await fs.writeFile(`${path}.old`, 'of another user');
    // Looked at first.
    const later = Date.now() / 1_000 + 100;
    await fs.utimes(`${path}.old`, later, later);
    await fs.writeFile(path, 'three\n');
    forbidden.add(`${path}.old`);
    const batch = await tail.next(position);
    expect([batch?.lines, gone]).toEqual([['two'], []]);
  });
});
