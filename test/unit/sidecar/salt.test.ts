import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SALT_BYTES } from '../../../src/sidecar/records.js';
import { readSalt } from '../../../src/sidecar/salt.js';
import { createSilentLogger } from '../../support/silent-logger.js';

describe('the salt of a spool', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-salt-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('stays the same, and is made anew where there is none or it is damaged', async () => {
    const logger = createSilentLogger();
    const salt = await readSalt(directory, logger);
    expect(salt).toHaveLength(SALT_BYTES);
    expect(await readSalt(directory, logger)).toEqual(salt);
    await writeFile(join(directory, 'salt'), 'short');
    const other = await readSalt(directory, logger);
    expect(other).not.toEqual(salt);
    expect(await readFile(join(directory, 'salt'))).toEqual(other);
    expect(logger.lines).toEqual([]);
  });

  it('is not written over where it cannot be read for a moment', async () => {
    const logger = createSilentLogger();
    const salt = await readSalt(directory, logger);
    const [path, volume] = [join(directory, 'salt'), join(directory, 'volume')];
    await mkdir(volume);
    await rename(path, join(volume, 'salt'));
    await symlink(join(volume, 'salt'), path);
    // By modes root may read everything: here what it stands in is no directory.
    await rename(volume, `${volume}.away`);
    await writeFile(volume, '');
    await expect(readSalt(directory, logger)).rejects.toMatchObject({
      code: 'data_dir_unusable',
      message: expect.stringMatching(/salt.*make it a file that the sidecar may read.*ENOTDIR/),
    });
    await rm(volume);
    await rename(`${volume}.away`, volume);
    expect(await readSalt(directory, logger)).toEqual(salt);
  });
});
