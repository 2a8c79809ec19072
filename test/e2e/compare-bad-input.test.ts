import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRandom } from '../../src/stats/random.js';
import { plumbline } from '../support/service-process.js';

const PARQUET = fileURLToPath(new URL('../../examples/flights/reference.parquet', import.meta.url));
const ROWS = 400;

type Row = Record<string, unknown>;
interface Column {
  column: string;
  kind: string;
  status: string;
  explanation: string;
}
interface Document {
  columns: Column[];
  dataset: { status: string; drifted: number; undecided: number };
}

let directory = '';
let rows: Row[] = [];
const at = (name: string) => join(directory, name);

function csv(some: readonly Row[]): string {
  const names = Object.keys(some[0] ?? {});
  return [names, ...some.map((row) => names.map((name) => row[name] ?? ''))]
    .map((line) => `${line.join(',')}\n`)
    .join('');
}
const write = (name: string, some: readonly Row[]) =>
  writeFile(
    at(name),
    name.endsWith('csv') ? csv(some) : some.map((row) => `${JSON.stringify(row)}\n`).join(''),
  );

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'plumbline-bad-input-'));
  const random = createRandom(1);
  rows = Array.from({ length: ROWS }, (_, i) => ({
    x: Number(random().toFixed(6)),
    k: i % 5,
    c: 'abc'[i % 3],
    t: new Date(Date.UTC(2024, 0, 1) + i * 60_000).toISOString(),
  }));
  await write('reference.csv', rows);
  await write('reference.ndjson', rows);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Compares with the reference; the answer must never be a stack trace. */
async function compare(reference: string, current: readonly string[], ...options: string[]) {
  const { code, stdout, stderr } = await plumbline(['compare', reference, ...current, '--json', ...options]);
  expect(stderr).not.toMatch(/^\s+at |internal error|Error:/m);
  const columns = new Map<string, Column>();
  const document = stdout === '' ? null : (JSON.parse(stdout) as Document);
  for (const column of document?.columns ?? []) columns.set(column.column, column);
  return { code, stderr, document, columns };
}

describe('texts of which the reference holds a part', () => {
  const names = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({ c: `${prefix}${i}`, k: i % 5 }));

  it('five rows of all different texts say nothing about the next ones', async () => {
    await write('few.csv', names('a', 5));
    await write('others.csv', names('b', 2_000));
    const { columns } = await compare(at('few.csv'), [at('others.csv')]);
    expect(columns.get('c')).toMatchObject({ status: 'undecided' });
  });

  it('new values of a column with many rare ones are no drift', async () => {
    const random = createRandom(5);
    // Zipf's law over 5,000 values: about one row in seven brings a value that 4,000 rows lack.
    const zipf = (count: number) =>
      Array.from({ length: count }, () => ({ c: `v${Math.floor(5_001 ** random())}`, k: 1 }));
    await write('zipf.csv', zipf(4_000));
    await write('zipf-later.csv', zipf(2_000));
    const { columns } = await compare(at('zipf.csv'), [at('zipf-later.csv')]);
    expect(columns.get('c')).toMatchObject({ kind: 'categorical', status: 'stable' });
  });
});

describe('columns that cannot be compared are undecided, with the reason', () => {
  it.each<[string, string, (row: Row, i: number) => Row, string, RegExp]>([
    ['is absent', 'ndjson', ({ x: _x, ...rest }) => rest, 'x', /only the reference has it/],
    ['is new', 'ndjson', (row) => ({ ...row, y: 1 }), 'y', /only the current files have it/],
    ['turned into text', 'ndjson', (row, i) => ({ ...row, x: i % 2 ? 'lo' : 'hi' }), 'x', /its type changed/],
    ['turned into numbers', 'ndjson', (row, i) => ({ ...row, c: i }), 'c', /its type changed/],
    ['holds lists', 'ndjson', (row) => ({ ...row, x: [1, 2] }), 'x', /lists and objects are not compared/],
    ['holds times as text', 'csv', (row) => row, 't', /times move on/],
  ])('a column that %s (%s)', async (what, ending, change, column, reason) => {
    const name = `${what.replaceAll(' ', '-')}.${ending}`;
    await write(name, rows.map(change));
    const { code, columns, document } = await compare(at(`reference.${ending}`), [at(name)]);
    expect(code).toBe(0);
    expect(columns.get(column)).toMatchObject({ status: 'undecided' });
    expect(columns.get(column)?.explanation).toMatch(reason);
    expect(columns.get('k')).toMatchObject({ status: 'stable' });
    expect(document?.dataset).toMatchObject({ status: 'stable', drifted: 0 });
  });

  it('a column that is null on both sides, and one that became null', async () => {
    const empty = rows.map((row) => ({ ...row, x: null }));
    await write('null.ndjson', empty);
    const both = await compare(at('null.ndjson'), [at('null.ndjson')]);
    expect(both.columns.get('x')).toMatchObject({ status: 'undecided' });
    expect(both.columns.get('x')?.explanation).toMatch(/no values/);
    const became = await compare(at('reference.ndjson'), [at('null.ndjson')]);
    expect(became.columns.get('x')).toMatchObject({
      kind: 'numeric',
      status: 'drifted',
      missing: { current: 1 },
    });
  });

  it('identifiers, as text and as counters', async () => {
    const identified = (from: number) =>
      rows.map((row, i) => ({ ...row, user: `user ${from + i}`, number: from + i }));
    await write('first.csv', identified(0));
    await write('second.csv', identified(ROWS));
    const { code, columns } = await compare(at('first.csv'), [at('second.csv')]);
    expect(code).toBe(0);
    expect(columns.get('user')).toMatchObject({ kind: 'identifier', status: 'undecided' });
    expect(columns.get('number')).toMatchObject({ kind: 'identifier', status: 'undecided' });
  });

  it('whole numbers of nineteen digits, which a double does not tell apart', async () => {
    const lines = (from: number) =>
      rows.map((row, i) => `{"id":${2n ** 60n + BigInt(from + 3 * i)},"k":${row.k}}\n`).join('');
    await writeFile(at('long-a.ndjson'), lines(0));
    await writeFile(at('long-b.ndjson'), lines(9_000));
    const { code, columns } = await compare(at('long-a.ndjson'), [at('long-b.ndjson')]);
    expect(code).toBe(0);
    expect(columns.get('id')).toMatchObject({ kind: 'identifier', status: 'undecided' });
    expect(columns.get('id')?.explanation).toMatch(/more than 15 digits/);
  });

  it('a million distinct values', async () => {
    const million = (letter: string) =>
      `id\n${Array.from({ length: 1e6 }, (_, i) => `${letter}${i}`).join('\n')}\n`;
    await writeFile(at('million-a.csv'), million('a'));
    await writeFile(at('million-b.csv'), million('b'));
    const { columns } = await compare(at('million-a.csv'), [at('million-b.csv')]);
    expect(columns.get('id')).toMatchObject({ kind: 'identifier', status: 'undecided' });
    expect(columns.get('id')?.explanation).toContain('1000000 distinct values');
  });

  it('files of one side that differ in their columns and types', async () => {
    await mkdir(at('parts'));
    await write('parts/a.ndjson', rows.slice(0, 200));
    await write(
      'parts/b.ndjson',
      rows.slice(200).map(({ k: _k, ...row }) => ({ ...row, x: `<${row.x}>` })),
    );
    const { columns } = await compare(at('reference.ndjson'), [at('parts/*.ndjson')]);
    expect(columns.get('k')?.explanation).toMatch(/1 of 2 files of the current side lack it/);
    expect(columns.get('x')?.explanation).toMatch(/files that disagree on its type/);
    expect(columns.get('c')).toMatchObject({ status: 'stable' });
  });

  it('one row says nothing about anything, which is a failure to answer, not an all-clear', async () => {
    await write('one.csv', rows.slice(0, 1));
    const { code, document, columns } = await compare(at('reference.csv'), [at('one.csv')]);
    expect([code, document?.dataset.status]).toEqual([1, 'undecided']);
    for (const { status } of columns.values()) expect(status).toBe('undecided');
  });
});

describe('values that are no numbers count against the column', () => {
  it.each([
    ['Infinity', 'inf'],
    ['text among numbers', 'oops'],
    ['gaps', ''],
  ])('%s', async (_what, value) => {
    await write(
      'broken.csv',
      rows.map((row, i) => (i % 10 === 0 ? { ...row, x: value } : row)),
    );
    const { code, columns } = await compare(at('reference.csv'), [at('broken.csv')]);
    expect(code).toBe(3);
    expect(columns.get('x')).toMatchObject({ kind: 'numeric', status: 'drifted' });
  });
});

describe('what a CSV file does not say about its columns', () => {
  const gapped = (word: string) =>
    rows.map(({ x, k }, i) => ({
      x: i % 10 === 0 ? word : x,
      zip: i % 9 ? `0${Number(k) + 1}` : word,
      on: i % 2 ? 'True' : 'False',
    }));

  it.each(['NA', 'null', 'N/A'])('%s is a gap between numbers, and a text among codes', async (word) => {
    await write('gapped.csv', gapped(word));
    const { columns } = await compare(at('gapped.csv'), [at('gapped.csv')]);
    expect(columns.get('x')).toMatchObject({
      kind: 'numeric',
      status: 'stable',
      missing: { reference: 0.1, current: 0.1 },
    });
    expect(columns.get('zip')).toMatchObject({ kind: 'categorical', status: 'stable' });
    expect(columns.get('on')).toMatchObject({ kind: 'boolean', status: 'stable' });
  });
});

it('column names may hold any character', async () => {
  const names = ["it's", 'a\\b', '`q`', 'tab\there', 'line\nbreak', '{x:String}', 'naïve 😀', "'; DROP"];
  await write(
    'names.ndjson',
    rows.map(({ k }) => Object.fromEntries(names.map((name) => [name, k]))),
  );
  const { code, columns } = await compare(at('names.ndjson'), [at('names.ndjson')]);
  expect(code).toBe(0);
  expect([...columns.values()].map(({ column, status }) => [column, status])).toEqual(
    names.map((name) => [name, 'stable']),
  );
});

describe('files that cannot be read', () => {
  it.each<[string, () => Promise<string>, RegExp]>([
    ['is not there', async () => at('nowhere.parquet'), /cannot read .*nowhere\.parquet/],
    ['is empty', () => file('empty.csv', ''), /empty\.csv is empty/],
    ['has a header alone', () => file('header.csv', 'x,k,c,t\n'), /header\.csv.* has no rows/],
    ['is no Parquet', () => file('text.parquet', 'hello'), /text\.parquet as Parquet.*is it complete/],
    ['is cut off', () => cut('cut.parquet'), /cut\.parquet as Parquet.*is it complete/],
    ['is broken JSON', () => file('broken.ndjson', '{"x":1}\n{"x":\n'), /broken\.ndjson/],
    ['has a column twice', () => file('twice.csv', 'x,x\n1,2\n3,4\n'), /twice\.csv.*"x"/],
    ['has an unknown ending', () => file('data.txt', 'x\n1\n'), /cannot tell the format/],
    ['matches no pattern', async () => at('none-*.csv'), /no file matches/],
  ])('a file that %s fails with what is wrong', async (_what, make, message) => {
    const { code, stderr, document } = await compare(at('reference.csv'), [await make()]);
    expect([code, document]).toEqual([1, null]);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/\[file_unreadable\]$/m);
  });

  async function file(name: string, text: string): Promise<string> {
    await writeFile(at(name), text);
    return at(name);
  }
  async function cut(name: string): Promise<string> {
    const bytes = await readFile(PARQUET);
    await writeFile(at(name), bytes.subarray(0, bytes.length / 2));
    return at(name);
  }
});

describe('usage', () => {
  it.each([
    [['a.csv'], /missing required argument/],
    [['a.csv', 'b.csv', '--window', '1d'], /--time/],
    [['a.csv', 'b.csv', '--window', 'soon', '--time', 't'], /1d or 6h/],
    [['a.csv', 'b.csv', '--window-rows', '0'], /above 0/],
    [['a.csv', 'b.csv', '--window-rows', '10', '--segment', 'c'], /choose one of/],
    [['a.csv', 'b.csv', '--level', '5'], /between 0 and 1/],
    [['a.csv', 'b.csv', '--colour'], /unknown option/],
  ])('%j is refused with exit code 2', async (args, message) => {
    const { code, stderr, stdout } = await plumbline(['compare', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  it('names the columns there are when the one asked for is not', async () => {
    const { code, stderr } = await compare(at('reference.csv'), [at('reference.csv')], '--segment', 'plan');
    expect(code).toBe(1);
    expect(stderr).toMatch(/has no column plan: choose one of x, k, c, t/);
  });
});
