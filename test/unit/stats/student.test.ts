import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { studentQuantile, studentSf } from '../../../src/stats/student.js';

/** t, degrees of freedom (0 for the normal), P(T ≥ t); made by test/oracle/performance.py with scipy. */
const { studentTails } = JSON.parse(readFileSync('test/oracle/performance.json', 'utf8')) as {
  studentTails: [number, number, number][];
};

describe('Student’s t', () => {
  it('has scipy’s tails, and the quantiles that belong to them', () => {
    for (const [t, df, tail] of studentTails) {
      const degrees = df === 0 ? Number.POSITIVE_INFINITY : df;
      expect(Math.abs(studentSf(t, degrees) - tail)).toBeLessThanOrEqual(1e-10 * tail);
      if (t > 0.01 && tail > 1e-16) {
        const back = studentQuantile(tail, degrees);
        expect(Math.abs(back - t)).toBeLessThanOrEqual(1e-8 * t);
      }
    }
  });

  it('takes a tail of at most one half', () => {
    expect(studentQuantile(0.5, 5)).toBeLessThan(1e-6);
    for (const p of [0, 0.6, Number.NaN]) expect(() => studentQuantile(p, 5)).toThrow(RangeError);
  });
});
