import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { prepareDataDir } from '../../../src/store/data-dir.js';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'plumbline-dir-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('the data directory', () => {
  it('is made with its parents, for its user alone, and may be there already', () => {
    const path = join(root, 'a', 'b');
    expect(prepareDataDir(path)).toBe(path);
    expect(prepareDataDir(path)).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('is refused at once where nothing can be made: mkdir of the whole path never returned below /proc', () => {
    expect(() => prepareDataDir('/proc/plumbline/data')).toThrow(
      expect.objectContaining({ code: 'data_dir_unusable' }),
    );
  });

  it('is refused when it is a file', () => {
    const path = join(root, 'file');
    writeFileSync(path, '');
    expect(() => prepareDataDir(path)).toThrow(/cannot write in the data directory .*EEXIST/);
  });
});
