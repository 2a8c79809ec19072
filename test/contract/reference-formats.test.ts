import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Store } from '../../src/domain/ports.js';
import { createStore } from '../../src/store/store.js';
import { categorical, numeric, registerFile } from '../support/register-file.js';
import { createSilentLogger } from '../support/silent-logger.js';

describe('reference files', () => {
  let directory = '';
  let store: Store;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-formats-'));
    const dataDir = join(directory, 'data');
    store = await createStore({ kind: 'embedded', dataDir, logger: createSilentLogger() });
    await store.migrate();
  });
  afterAll(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  const write = async (name: string, content: string) => {
    const path = join(directory, name);
    await writeFile(path, content);
    return path;
  };

  it('reads CSV and NDJSON, without timestamps, with odd names and values', async () => {
    const csv = await write("it's.csv", 'age,plan,prediction\n31,"pro, ""x""",1.5\n40,,2.5\n,basic,3.25\n');
    const fromCsv = await registerFile(store, csv, 'csv');
    expect(fromCsv.schema.task).toBe('regression');
    expect(fromCsv.imported).toEqual({ rows: 3, period: null });
    expect(fromCsv.merged.map(({ feature, rows, missing }) => [feature, rows, missing])).toEqual([
      ['age', 3, 1],
      ['plan', 3, 1],
      ['prediction', 3, 0],
    ]);
    const lines = await write(
      'lines.ndjson',
      '{"a":1,"ok":true,"prediction":"x"}\n{"a":null,"ok":false,"prediction":"y"}\n{"a":3,"prediction":"z"}\n',
    );
    const fromLines = await registerFile(store, lines, 'lines');
    expect(fromLines.schema).toEqual({ task: 'multiclass', features: [numeric('a'), categorical('ok')] });
    expect(fromLines.merged.find((profile) => profile.feature === 'ok')?.missing).toBe(1);
  });

  it('reads values as events would carry them', async () => {
    const path = await write(
      'python.csv',
      'x,flag,y_pred,y_pred_proba\nnan,True,True,0.5\n-0.0,False,False,0.25\ninf,,True,1\n0,True,True,0\n',
    );
    const { schema, merged, grids } = await registerFile(store, path, 'python');
    expect(schema).toEqual({ task: 'binary', features: [numeric('x'), categorical('flag')] });
    const profile = (name: string) => merged.find(({ feature }) => feature === name);
    expect(profile('x')).toMatchObject({
      rows: 4,
      missing: 1,
      nonFinite: 1,
      counts: [0, 2, 0],
      min: 0,
      max: 0,
    });
    expect(grids.find(({ feature }) => feature === 'flag')).toMatchObject({ categories: ['true', 'false'] });
    expect(grids.find(({ feature }) => feature === 'prediction')).toMatchObject({ categories: ['1', '0'] });
    expect(profile('prediction_proba')).toMatchObject({ counts: [0, 1, 0, 1, 0, 1, 0, 1, 0] });
    const columns = [
      numeric('x'),
      categorical('flag'),
      categorical('prediction'),
      numeric('prediction_proba'),
    ];
    const rows = await store.readRows(path, columns, null, 10);
    expect(new Set(rows.map(({ values }) => JSON.stringify(values.map(String))))).toEqual(
      new Set([
        '["null","true","1","0.5"]',
        '["0","false","0","0.25"]',
        '["Infinity","null","1","1"]',
        '["0","true","1","0"]',
      ]),
    );
  });

  it.each([
    ['without a zone', '2013-02-01 10:30:00', '2013-02-01 13:00:00.500', '10:30:00.000Z', '13:00:00.500Z'],
    ['with a zone', '2013-02-01T10:30:00Z', '2013-02-01T15:00:00+02:00', '10:30:00.000Z', '13:00:00.000Z'],
    ['in seconds', '1359714600', '1359723600', '10:30:00.000Z', '13:00:00.000Z'],
    ['in ms', '1359714600123', '1359723600456', '10:30:00.123Z', '13:00:00.456Z'],
    ['in µs', '1359714600123000', '1359723600456000', '10:30:00.123Z', '13:00:00.456Z'],
  ])('reads times %s as UTC', async (name, first, last, from, to) => {
    const path = await write(
      `times ${name}.csv`,
      `timestamp,x,prediction\n${first},1,a\n${last},2,b\n${first},3,c\n`,
    );
    const { imported, timestampColumn } = await registerFile(store, path, `times ${name}`);
    expect(timestampColumn).toBe('timestamp');
    expect(imported.period).toEqual({
      startMs: Date.parse(`2013-02-01T${from}`),
      endMs: Date.parse(`2013-02-01T${to}`) + 1,
    });
  });

  it('keeps apart columns that are called like its own', async () => {
    const names = [
      'hour',
      'rows',
      'numbers',
      'texts',
      'x',
      'value',
      'feature',
      'counts',
      'distinct',
      'row',
      'first',
      't',
    ];
    const lines = Array.from({ length: 10 }, (_, i) =>
      [...names.map((_, j) => i + j), `2026-01-0${1 + (i % 3)} 05:00:00`, i % 2].join(','),
    );
    const header = [...names, 'timestamp', 'prediction'].join(',');
    const path = await write('names.csv', `${header}\n${lines.join('\n')}\n`);
    const { merged, grids } = await registerFile(store, path, 'names');
    for (const [j, name] of names.entries()) {
      const profile = merged.find((p) => p.feature === name);
      expect([name, profile?.min, profile?.max, profile?.rows]).toEqual([name, j, j + 9, 10]);
      const grid = grids.find((g) => g.feature === name);
      expect(grid?.kind === 'numeric' && grid.cutPoints).toEqual(Array.from({ length: 10 }, (_, i) => i + j));
    }
    expect((await store.readRows(path, names.map(numeric), null, 1))[0]?.values).toHaveLength(names.length);
  });

  it('keeps a column without a value, until a later reference has some', async () => {
    const path = await write('all-missing.csv', 'x,y,z,prediction\n1,inf,,1\n2,-inf,,0\n');
    const { merged, grids, schema } = await registerFile(store, path, 'hollow');
    expect(schema.features.map(({ name, kind }) => [name, kind])).toEqual([
      ['x', 'numeric'],
      ['y', 'numeric'],
      ['z', 'categorical'],
    ]);
    expect(grids.find((grid) => grid.feature === 'y')).toMatchObject({ cutPoints: [] });
    expect(merged.find((profile) => profile.feature === 'y')).toMatchObject({
      rows: 2,
      nonFinite: 2,
      counts: [0],
    });
    expect(merged.find((profile) => profile.feature === 'z')).toMatchObject({
      rows: 2,
      missing: 2,
      counts: [0, 0],
    });
    const later = await write('filled.csv', 'x,y,z,prediction\n1,3,a,1\n2,4,b,0\n');
    const filled = await registerFile(store, later, 'hollow');
    expect(filled.grids.find((grid) => grid.feature === 'y')).toMatchObject({ cutPoints: [3, 4] });
    expect(filled.grids.find((grid) => grid.feature === 'z')).toMatchObject({ categories: ['a', 'b'] });
    expect(filled.merged.find((profile) => profile.feature === 'y')).toMatchObject({
      counts: [0, 1, 0, 1, 0],
    });
    // From now on it stays as it is.
    const last = await write('other.csv', 'x,y,z,prediction\n1,9,c,1\n2,9,c,0\n');
    const again = await registerFile(store, last, 'hollow');
    expect(again.grids.find((grid) => grid.feature === 'y')).toMatchObject({ cutPoints: [3, 4] });
  });

  it('numbers with NA between them, as R writes gaps, are numbers; codes with leading zeros are not', async () => {
    const path = await write(
      'gaps.csv',
      'age,zip,size,prediction\n31,01234,3,1\nNA,NA,NULL,0\n45.5,99999,7,1\n',
    );
    const { grids, merged } = await registerFile(store, path, 'gaps');
    expect(Object.fromEntries(grids.map(({ feature, kind }) => [feature, kind]))).toMatchObject({
      age: 'numeric',
      zip: 'categorical',
      size: 'numeric',
    });
    expect(merged.find(({ feature }) => feature === 'age')).toMatchObject({ rows: 3, missing: 1 });
  });

  it.each([
    [
      'semicolons.csv',
      'age;plan\n31;pro\n',
      /the header of \S+ is separated by ";": write the file with commas/,
    ],
    ['tabs.csv', 'age\tplan\n31\tpro\n', /the header of \S+ is separated by "\\t": write/],
    [
      'decimals.csv',
      'age;plan\n31,5;pro\n',
      /its header has 1 column\(s\) and its rows 2, are they separated by commas; is it complete/,
    ],
    [
      'headless.csv',
      '5.1,3.5,setosa\n4.9,3.0,setosa\n',
      /the first line of \S+ looks like data \(5\.1, 3\.5, setosa, …\): begin the file with a line of column names/,
    ],
    ['empty.csv', 'age,prediction\n', /as CSV with a header: it has no rows; is it complete/],
    ['nothing.csv', '', /cannot read|no rows/],
    ['no-prediction.csv', 'age\n1\n', /no column `prediction`/],
    [
      'cut.parquet',
      'PAR1....',
      /^cannot read \S+ as Parquet: Parquet file too short: 8 bytes; is it complete/,
    ],
    ['broken.ndjson', '{"prediction":1', /cannot read .* as NDJSON/],
    ['model.xlsx', 'x', /cannot tell the format/],
    ['sta*r.csv', 'x,prediction\n1,1\n', /rename the file/],
    ['timeless.csv', 'x,timestamp,prediction\n1,2026-01-01 00:00:00,1\n2,,0\n', /1 of 2 rows without/],
    ['words.csv', 'x,timestamp,prediction\n1,yesterday,1\n2,today,0\n', /2 of 2 rows without/],
    ['olden.csv', 'x,timestamp,prediction\n1,1969-12-31 00:00:00,1\n', /outside 1970–2199/],
    ['bad-name.csv', '"a,b",prediction\n1,1\n', /cannot be a metric label/],
  ])('says what is wrong with %s', async (name, content, message) => {
    const path = await write(name, content);
    await expect(registerFile(store, path, 'bad')).rejects.toThrow(message);
  });

  it('names a file that is not there', async () => {
    await expect(store.describeFile(join(directory, 'none.csv'))).rejects.toThrow(/cannot read .*none\.csv/);
  });
});
