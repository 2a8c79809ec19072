import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { COMMAND, plumbline, until } from '../support/service-process.js';

const example = (name: string) => fileURLToPath(new URL(`../../examples/flights/${name}`, import.meta.url));
const REFERENCE = example('reference.parquet');
const MAY = example('may.parquet');

interface ColumnDocument {
  column: string;
  kind: string;
  status: 'stable' | 'drifted' | 'undecided';
  material: boolean;
  primary: string | null;
  detectors: { detector: string; statistic: number; effect: number; pValue: number; status: string }[];
  missing: { reference: number | null; current: number | null };
  explanation: string;
}
interface Document {
  reference: { rows: number; hash: string };
  current: { rows: number };
  columns: ColumnDocument[];
  dataset: { status: string; drifted: number; undecided: number };
  windows?: { window: string; rows: number; drifted: boolean; columns: ColumnDocument[] }[];
  segments?: { segment: string; rows: { reference: number; current: number }; columns: ColumnDocument[] }[];
}

const column = (document: { columns: ColumnDocument[] }, name: string) =>
  document.columns.find((each) => each.column === name);

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'plumbline-compare-test-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function compareJson(args: readonly string[]): Promise<{ code: number | null; document: Document }> {
  const { code, stdout, stderr } = await plumbline(['compare', ...args, '--json']);
  expect([code === 1 || code === 2 ? stderr : '', stdout.trimEnd().split('\n').length]).toEqual(['', 1]);
  return { code, document: JSON.parse(stdout) as Document };
}

describe('compare on the example flights', () => {
  it('prints one line per column, says what moved, and exits with 3', async () => {
    const { code, stdout } = await plumbline(['compare', REFERENCE, MAY]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^temp +numeric +neyman +[\d,]+ +0\.\d+ .* drifted +.*[▁▂▃▄▅▆▇█]/m);
    expect(stdout).toMatch(/^weekday +categorical +chiSquare .* stable/m);
    expect(stdout).toContain('temp drifted: its median went from 35.1 to');
    expect(stdout).not.toContain('\u001b[');
  });

  it("prints what the README's first example shows", async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const [, args = ''] = /^npx plumbline (compare .*)$/m.exec(readme) ?? [];
    const { code, stdout } = await plumbline(args.split(' '));
    expect(code).toBe(3);
    const printed = stdout.split('\n');
    const shown = readme.slice(readme.indexOf('feature           kind'));
    const lines = shown.slice(0, shown.indexOf('```')).trimEnd().split('\n');
    // Not the statistics: what the example tells is which column drifted, and where its values went.
    const told = (line: string) => line.replace(/ *[^ ]* +[\d.<–, ]+ (?=(?:drifted|stable|undecided))/, ' ');
    for (const line of lines.slice(1).filter((each) => each !== '…'))
      expect(printed.some((each) => told(each).startsWith(told(line.replace(/(?:; )?…$/, ''))))).toBe(true);
    expect(lines).toHaveLength(8);
  });

  it('gives the document that docs/compare.md describes', async () => {
    const { code, document } = await compareJson([REFERENCE, MAY]);
    expect(code).toBe(3);
    expect(document.reference).toEqual({ rows: 24_951, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(Object.keys(document)).toEqual(['reference', 'current', 'columns', 'dataset']);
    const temp = column(document, 'temp');
    expect(Object.keys(temp ?? {})).toEqual([
      'column',
      'kind',
      'status',
      'material',
      'primary',
      'detectors',
      'missing',
      'explanation',
    ]);
    expect(temp).toMatchObject({ kind: 'numeric', status: 'drifted', material: true });
    expect(Object.keys(temp?.detectors[0] ?? {})).toEqual([
      'detector',
      'statistic',
      'effect',
      'pValue',
      'adjustedPValue',
      'threshold',
      'smallestVisibleEffect',
      'resolution',
      'status',
    ]);
    expect(column(document, 'prediction_id')).toMatchObject({ kind: 'identifier', status: 'undecided' });
    expect(column(document, 'timestamp')).toBeUndefined();
    const count = (status: string) => document.columns.filter((each) => each.status === status).length;
    expect(document.dataset).toEqual({
      status: 'drifted',
      drifted: count('drifted'),
      undecided: count('undecided'),
    });
  });

  it('finds nothing in a file against itself, and exits with 0', async () => {
    const { code, document } = await compareJson([REFERENCE, REFERENCE]);
    expect([code, document.dataset.status, document.dataset.drifted]).toEqual([0, 'stable', 0]);
  });

  it('is not put off by a reader that has seen enough', async () => {
    const child = spawn(process.execPath, [COMMAND, 'compare', REFERENCE, MAY], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    expect([await once(child, 'close'), stderr.includes('EPIPE')]).toEqual([[3, null], false]);
  });

  it('leaves no engine behind', async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('plumbline-compare-')).length;
    await plumbline(['compare', REFERENCE, REFERENCE]);
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith('plumbline-compare-')).length;
    expect(after).toBe(before);
  });

  it('writes a report that is one file without scripts or requests', async () => {
    const report = join(directory, 'report.html');
    await plumbline(['compare', REFERENCE, MAY, '--report', report]);
    const text = await readFile(report, 'utf8');
    expect(text).toContain('temp drifted');
    expect(text).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)|src=/);
  });
});

describe('parts of the current data', () => {
  it('judges each run of rows, the last one from half on', async () => {
    const { document } = await compareJson([REFERENCE, MAY, '--window-rows', '5000']);
    expect(document.windows?.map(({ window, rows }) => [window, rows])).toEqual([
      ['1-5000', 5_000],
      ['5001-10000', 5_000],
      ['10001-15000', 5_000],
      ['15001-19543', 4_543],
    ]);
    for (const window of document.windows ?? [])
      expect(column(window, 'temp')).toMatchObject({ status: 'drifted', material: true });
    const fewer = await compareJson([REFERENCE, MAY, '--window-rows', '8000']);
    expect(fewer.document.windows?.map(({ rows }) => rows)).toEqual([8_000, 8_000]);
  });

  it('exits with 3 for a window that drifted, where all rows together have not', async () => {
    const { code, document } = await compareJson([REFERENCE, REFERENCE, '--window-rows', '6000']);
    expect([code, document.dataset.status]).toEqual([3, 'stable']);
    expect(document.windows?.filter(({ drifted }) => drifted).length).toBeGreaterThan(0);
  });

  it('judges each day against how much the days of the reference differ', async () => {
    const { document } = await compareJson([REFERENCE, MAY, '--window', '1d', '--time', 'timestamp']);
    expect(document.windows?.map(({ window }) => window).at(0)).toBe('2013-05-01T00:00Z/2013-05-02T00:00Z');
    expect(document.windows).toHaveLength(21);
    const days = (name: string, status: string) =>
      document.windows?.filter((window) => column(window, name)?.status === status).length;
    // The level, shared by all columns, leaves out two cool days in mid-May.
    expect(days('temp', 'drifted')).toBe(19);
    // A day holds one weekday: that says nothing about the others, and a plain test would alarm each day.
    expect(days('weekday', 'undecided')).toBe(21);
    expect(days('origin', 'drifted')).toBe(0);
    expect(document.columns.length).toBe(document.windows?.[0]?.columns.length);
  });

  it('compares each value of a column with itself', async () => {
    const { document } = await compareJson([REFERENCE, MAY, '--segment', 'origin']);
    expect(document.segments?.map(({ segment }) => segment).sort()).toEqual(['EWR', 'JFK', 'LGA']);
    const rows = document.segments?.map((segment) => segment.rows) ?? [];
    expect(rows.reduce((sum, each) => sum + each.reference, 0)).toBe(24_951);
    expect(rows.reduce((sum, each) => sum + each.current, 0)).toBe(19_543);
    for (const segment of document.segments ?? []) {
      expect(column(segment, 'temp')).toMatchObject({ status: 'drifted' });
      expect(column(segment, 'origin')).toBeUndefined();
    }
  });

  it('finds little in the days of the reference itself', async () => {
    const { code, document } = await compareJson([
      REFERENCE,
      REFERENCE,
      '--window',
      '1d',
      '--time',
      'timestamp',
    ]);
    // One or two days at 5 % each are chance: of 28 together none counts.
    expect([code, document.windows?.some((window) => window.drifted)]).toEqual([0, false]);
    const drifted = document.windows?.filter(({ columns }) =>
      columns.some(({ status, material }) => status === 'drifted' && material),
    );
    expect(document.windows).toHaveLength(28);
    expect(drifted?.length).toBeLessThanOrEqual(3);
  });
});

describe('an interrupted comparison', () => {
  it('leaves nothing behind, and says that it was interrupted', async () => {
    const temporary = await mkdtemp(join(directory, 'tmp-'));
    const big = join(directory, 'big.csv');
    const line = `${Array.from({ length: 20 }, (_, i) => i / 7).join(',')}\n`;
    await writeFile(
      big,
      `${Array.from({ length: 20 }, (_, i) => `n${i}`).join(',')}\n${line.repeat(400_000)}`,
    );
    const child = spawn(process.execPath, [COMMAND, 'compare', big, big], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    const ended = once(child, 'close');
    await until('it has begun', 120_000, async () => {
      if (child.exitCode !== null) throw new Error(`it ended early: ${stderr}`);
      return (await readdir(temporary)).length > 0 ? true : null;
    });
    await delay(300);
    child.kill('SIGINT');
    expect(await ended).toEqual([1, null]);
    expect(stderr).toMatch(/the comparison was interrupted/);
    expect(await readdir(temporary)).toEqual([]);
  });
});
