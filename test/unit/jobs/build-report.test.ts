import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DAY_MS, HOUR_MS } from '../../../src/domain/window.js';
import { buildReport, reportFileName } from '../../../src/jobs/build-report.js';
import { createExplainer } from '../../../src/jobs/explain-window.js';
import { createFakeViewStore, createLookFixture } from '../../fakes/look-fixture.js';
import { START_MS } from '../../fakes/look-verdicts.js';

const store = createFakeViewStore(createLookFixture(10, 40));
const deps = {
  store,
  explain: createExplainer({ store: { ...store, findReference: async () => null } }),
  clock: { now: () => START_MS + 10 * DAY_MS },
};
const period = { startMs: START_MS, endMs: START_MS + 10 * DAY_MS };
const key = { model: 'flight-delay', modelVersion: '1' };
let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'plumbline-report-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('buildReport', () => {
  test('writes one file that needs nothing else, the same one each time', async () => {
    const directory = join(root, 'new', 'reports');
    const built = await buildReport(deps, { ...key, period, directory });
    expect(isAbsolute(built.path)).toBe(true);
    const text = readFileSync(built.path, 'utf8');
    expect(text).toContain('Drift by feature and time');
    expect(text).toContain('Month by month');
    expect(text).toContain(built.data.reference?.hash.slice(0, 12));
    expect(text).not.toMatch(/<script|src=|href="(?!data:)|url\((?!#)|NaN|undefined|Infinity/);
    const again = await buildReport(deps, { ...key, period, directory });
    expect(again.path).toBe(built.path);
    expect(readFileSync(again.path, 'utf8')).toBe(text);
    expect(readdirSync(directory)).toEqual(['flight-delay_1_2013-03-01_2013-03-11.html']);
  });

  test('a period without windows still says so', async () => {
    const built = await buildReport(deps, { ...key, period: { startMs: 0, endMs: DAY_MS }, directory: root });
    expect(built.summary).toBe('No window was judged (1 Jan 1970).');
    expect(readFileSync(built.path, 'utf8')).not.toContain('NaN');
  });

  test('fails with what to do', async () => {
    await expect(
      buildReport(deps, { ...key, modelVersion: '9', period, directory: root }),
    ).rejects.toMatchObject({
      code: 'unknown_model',
      message: 'model flight-delay has no registered version 9: register it first',
    });
    const file = join(root, 'a-file');
    writeFileSync(file, '');
    await expect(buildReport(deps, { ...key, period, directory: file })).rejects.toMatchObject({
      code: 'file_unreadable',
      message: expect.stringContaining('choose a directory that can be written'),
    });
    await expect(
      buildReport(deps, { ...key, period: { startMs: 1, endMs: 1 }, directory: root }),
    ).rejects.toThrow(RangeError);
  });
});

describe('reportFileName', () => {
  test('stays inside the directory and apart for any two names', () => {
    const hour = { startMs: START_MS + HOUR_MS, endMs: START_MS + 2 * HOUR_MS };
    const names = ['a/b', 'a:b', 'a-b', '../../etc/passwd', '..', '', 'x'.repeat(500), '<img>'].map((model) =>
      reportFileName({ model, modelVersion: '1' }, hour),
    );
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^\w[\w.-]{0,200}\.html$/);
    expect(names[2]).toBe('a-b_1_2013-03-01T0100_2013-03-01T0200.html');
  });
});
