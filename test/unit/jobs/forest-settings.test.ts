import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../../src/config.js';
import { forestSettings, referenceHash } from '../../../src/jobs/forest-settings.js';

describe('forestSettings', () => {
  it('takes what is asked for, then what is configured, then 100 trees of 256 rows', () => {
    expect(forestSettings()).toEqual({ trees: 100, sampleSize: 256 });
    const configured = { trees: 50, sampleSize: 512 };
    expect(forestSettings(configured)).toEqual(configured);
    expect(forestSettings(configured, { trees: 200 })).toEqual({ trees: 200, sampleSize: 512 });
    expect(forestSettings(configured, { sampleSize: 64 })).toEqual({ trees: 50, sampleSize: 64 });
  });

  it('refuses a forest that is too large although each of the two is not', () => {
    expect(forestSettings({ trees: 125, sampleSize: 4_096 }).trees).toBe(125);
    expect(() => forestSettings({ trees: 100, sampleSize: 4_096 }, { trees: 126 })).toThrow(
      'a forest of 126 trees of 4096 rows is too large: trees × sampleSize must be at most 512000',
    );
  });
});

describe('referenceHash', () => {
  const rows = createHash('sha256').update('rows').digest('hex');

  it('is that of the rows for the usual forest, and another for each other forest', () => {
    expect(referenceHash(rows, { trees: 100, sampleSize: 256 })).toBe(rows);
    const others = [
      { trees: 200, sampleSize: 256 },
      { trees: 100, sampleSize: 128 },
      { trees: 10, sampleSize: 256 },
    ].map((settings) => referenceHash(rows, settings));
    expect(new Set([rows, ...others]).size).toBe(4);
    for (const hash of others) expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(referenceHash(rows, { trees: 200, sampleSize: 256 })).toBe(others[0]);
  });
});

describe('the outliers section of a model', () => {
  const outliers = (given: object) => parseConfig({ models: { m: { outliers: given } } }).models.m?.outliers;

  it('has the paper’s trees and rows by default', () => {
    expect(outliers({})).toEqual({ trees: 100, sampleSize: 256 });
    expect(outliers({ trees: 300 })).toEqual({ trees: 300, sampleSize: 256 });
  });

  it.each([
    [{ trees: 9 }, 'models.m.outliers.trees'],
    [{ trees: 1_001 }, 'models.m.outliers.trees'],
    [{ sampleSize: 15 }, 'models.m.outliers.sampleSize'],
    [{ sampleSize: 4_097 }, 'models.m.outliers.sampleSize'],
    [{ trees: 500, sampleSize: 2_048 }, 'trees × sampleSize must be at most 512000'],
    [{ depth: 8 }, 'models.m.outliers'],
  ])('refuses %j', (given, problem) => {
    expect(() => outliers(given)).toThrow(problem);
  });
});
