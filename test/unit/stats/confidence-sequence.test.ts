import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { rowsForHalfWidth, sequenceHalfWidth } from '../../../src/stats/confidence-sequence.js';
import { mcNemarExact } from '../../../src/stats/mc-nemar.js';

/** Made by test/oracle/versions.py. */
const oracle = JSON.parse(readFileSync('test/oracle/versions.json', 'utf8')) as {
  sequence: [rows: number, level: number, halfWidth: number][];
  rowsNeeded: [deviation: number, designEffect: number, halfWidth: number, level: number, rows: number][];
  mcNemar: [one: number, other: number, pValue: number][];
};

describe('the confidence sequence', () => {
  it.each(oracle.sequence)('has the half-width of its source: %d rows at %d', (rows, level, expected) => {
    expect(Math.abs(sequenceHalfWidth(rows, level) / expected - 1)).toBeLessThan(1e-12);
  });

  it('is wider than the interval of one look at every size', () => {
    for (let rows = 1; rows < 1e9; rows *= 3) expect(sequenceHalfWidth(rows, 0.05)).toBeGreaterThan(1.96);
  });

  it.each(oracle.rowsNeeded)(
    'needs as many rows as root finding says: %d %d %d at %d',
    (deviation, designEffect, halfWidth, level, expected) => {
      expect(rowsForHalfWidth({ deviation, designEffect, halfWidth, level })).toBe(expected);
    },
  );

  it('refuses what has no interval', () => {
    expect(() => sequenceHalfWidth(0, 0.05)).toThrow('rows is 0: it must be above 0');
    expect(() => sequenceHalfWidth(10, 1)).toThrow('level is 1: it must lie between 0 and 1');
    expect(() => rowsForHalfWidth({ deviation: 1, designEffect: 1, halfWidth: 0, level: 0.05 })).toThrow(
      'halfWidth is 0: it must be above 0',
    );
  });
});

describe('McNemar’s exact test', () => {
  it.each(oracle.mcNemar)('has the p-value of statsmodels: %d against %d', (one, other, expected) => {
    expect(Math.abs(mcNemarExact(one, other) / expected - 1)).toBeLessThan(1e-10);
  });

  it('refuses a part of a pair', () => {
    expect(() => mcNemarExact(1.5, 2)).toThrow('a count of pairs is 1.5');
  });
});
