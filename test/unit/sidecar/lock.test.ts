import { lutimes, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { lockDirectory } from '../../../src/sidecar/lock.js';

describe('the lock of a directory', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-lock-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  const lock = () => join(directory, 'lock');
  const beginOf = async (pid: number) =>
    (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ')[19] ?? '';

  it('is held by a process that has not written its number yet', async () => {
    await writeFile(lock(), '');
    // The half second that it is given does not pass, however late a busy machine writes the number.
    const clock = jest.spyOn(performance, 'now').mockReturnValue(performance.now());
    try {
      const asked = lockDirectory(directory);
      setTimeout(() => writeFile(lock(), '1'), 100);
      await expect(asked).rejects.toMatchObject({ code: 'data_dir_in_use' });
    } finally {
      clock.mockRestore();
    }
    expect(await readFile(lock(), 'utf8')).toBe('1');
  });

  it('is taken from a dead process by one at a time, and by the next one when that died, too', async () => {
    const turn = join(directory, 'lock.taking');
    await writeFile(lock(), '4194999');
    await symlink('1', turn);
    // Not older than its turn may take, for as long as this lasts.
    await lutimes(turn, 4e9, 4e9);
    await expect(lockDirectory(directory)).rejects.toMatchObject({ code: 'data_dir_in_use' });
    expect(await readFile(lock(), 'utf8')).toBe('4194999');
    await lutimes(turn, 1, 1);
    await (await lockDirectory(directory))();
    expect(await readdir(directory)).toEqual([]);
  });

  it('is held by nobody when its process died before it wrote its number', async () => {
    await writeFile(lock(), '');
    await (await lockDirectory(directory))();
    expect(await readdir(directory)).toEqual([]);
  });

  it('is held by the process that began when it says, and not by a later one with its number', async () => {
    // This process's parent lives as long as the test.
    const pid = process.ppid;
    const began = await beginOf(pid);
    await writeFile(lock(), `${pid} ${began}`);
    await expect(lockDirectory(directory)).rejects.toMatchObject({
      code: 'data_dir_in_use',
      message: expect.stringContaining(`process ${pid} `),
    });
    await writeFile(lock(), `${pid} ${Number(began) + 1}`);
    const unlock = await lockDirectory(directory);
    expect(await readlink(lock())).toBe(`${process.pid} ${await beginOf(process.pid)}`);
    await unlock();
    // Of a version that wrote the number alone.
    await writeFile(lock(), String(pid));
    await expect(lockDirectory(directory)).rejects.toMatchObject({ code: 'data_dir_in_use' });
  });
});
