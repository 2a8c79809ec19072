import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DriftedEntry } from '../../src/cli/demo-summary.js';
import { plumbline } from '../support/service-process.js';

interface DemoDocument {
  predictions: { received: number; accepted: number; duplicate: number; rejected: number };
  labels: { accepted: number; matched: number };
  windows: { judged: number; undecided: number };
  drifted: DriftedEntry[];
  outliers: { scored: number; flagged: number };
  episodes: { category: string; drivers: { feature: string }[] }[];
  webhooks: { delivered: number; verified: number };
  report: string;
  page: string;
  elapsedSeconds: number;
}

describe('the demo', () => {
  let directory = '';
  let document: DemoDocument;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-demo-test-'));
    const args = ['demo', '--exit', '--json', '--port', '0', '--data-dir', join(directory, 'data')];
    const { code, stdout, stderr } = await plumbline(args);
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    document = JSON.parse(stdout) as DemoDocument;
  }, 600_000);
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('takes every event once and matches every label', () => {
    expect(document.predictions).toEqual({ received: 85_868, accepted: 85_868, duplicate: 0, rejected: 0 });
    expect(document.labels).toEqual({ accepted: 83_506, matched: 83_506 });
  });

  it('judges every whole day of three months, and scores every row', () => {
    expect(document.windows).toEqual({ judged: 91, undecided: 0 });
    expect(document.outliers.scored).toBe(85_868);
    expect(document.outliers.flagged).toBeGreaterThan(0);
  });

  it('finds spring: temperature drifts on most days of May and on few of March', () => {
    const days = (month: string) =>
      document.drifted.filter(
        (entry) => entry.material && entry.feature === 'temp' && entry.window.start.startsWith(month),
      ).length;
    expect(days('2013-03')).toBeLessThanOrEqual(5);
    expect(days('2013-05')).toBeGreaterThanOrEqual(25);
    for (const quiet of ['hour', 'origin', 'distance', 'weekday'])
      expect(document.drifted.filter((entry) => entry.material && entry.feature === quiet)).toEqual([]);
    for (const { statistic, threshold, pValue } of document.drifted) {
      expect(statistic).toBeGreaterThanOrEqual(threshold ?? Number.NaN);
      expect(pValue).toBeLessThan(0.05);
    }
  });

  it('opens an episode for it and delivers signed webhooks', () => {
    const drift = document.episodes.filter((episode) => episode.category === 'drift');
    expect(drift.some((episode) => episode.drivers[0]?.feature === 'temp')).toBe(true);
    expect(document.webhooks.delivered).toBeGreaterThan(0);
    expect(document.webhooks.verified).toBe(document.webhooks.delivered);
  });

  it('leaves a report with pictures', async () => {
    expect(isAbsolute(document.report)).toBe(true);
    const html = await readFile(document.report, 'utf8');
    expect(html).toContain('<svg');
    expect(html).not.toContain('<script');
    expect(document.page).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });
});
