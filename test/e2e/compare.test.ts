import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { plumbline } from '../support/service-process.js';

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
  windows?: { window: string; rows: number; columns: ColumnDocument[] }[];
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
    expect(stdout).toMatch(/^temp +numeric +ks +0\.\d+ .* drifted +.*[▁▂▃▄▅▆▇█]/m);
    expect(stdout).toMatch(/^weekday +categorical +chiSquare .* stable/m);
    expect(stdout).toContain('temp drifted: its median went from 35.1 to');
    expect(stdout).not.toContain('\u001b[');
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
