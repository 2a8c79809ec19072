import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { expandPattern } from '../../../src/store/expand-pattern.js';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'plumbline-pattern-'));
  for (const folder of ['a/deep', 'b', '.hidden', 'spark.parquet', 'none'])
    mkdirSync(join(directory, folder), { recursive: true });
  const files = [
    ...[
      '1.csv',
      '2.csv',
      '10.csv.gz',
      'x[1].csv',
      '.h.csv',
      'notes.txt',
      'a/3.csv',
      'a/deep/4.csv',
      'b/5.csv',
    ],
    ...[
      '.hidden/6.csv',
      'spark.parquet/part-0.parquet',
      'spark.parquet/_SUCCESS',
      'spark.parquet/.crc',
      'none/a.txt',
    ],
  ];
  for (const file of files) writeFileSync(join(directory, file), '');
});
afterAll(() => rmSync(directory, { recursive: true }));

const expand = async (pattern: string) =>
  (await expandPattern(join(directory, pattern))).map((file) => file.slice(directory.length + 1));

describe('expandPattern', () => {
  test.each<[string, string[]]>([
    ['1.csv', ['1.csv']],
    ['nowhere.csv', ['nowhere.csv']],
    ['*.csv', ['1.csv', '2.csv', 'x[1].csv']],
    ['?.csv', ['1.csv', '2.csv']],
    ['*.csv*', ['1.csv', '10.csv.gz', '2.csv', 'x[1].csv']],
    ['.*.csv', ['.h.csv']],
    ['*/*.csv', ['a/3.csv', 'b/5.csv']],
    ['**/*.csv', ['1.csv', '2.csv', 'a/3.csv', 'a/deep/4.csv', 'b/5.csv', 'x[1].csv']],
    ['a/**', ['a/3.csv', 'a/deep/4.csv']],
    ['x[1]*', ['x[1].csv']],
    ['spark.parquet', ['spark.parquet/part-0.parquet']],
    ['a', ['a/3.csv', 'a/deep/4.csv']],
  ])('%s', async (pattern, files) => {
    expect(await expand(pattern)).toEqual(files);
  });

  test('says what is wrong when there is no file', async () => {
    await expect(expand('*.parquet-old')).rejects.toThrow(/no file matches .* quote it for the shell/);
    await expect(expand('gone/*.csv')).rejects.toThrow(/cannot list the folder .*gone/);
    await expect(expand('none')).rejects.toThrow(/holds no Parquet, CSV or NDJSON file/);
  });
});
