import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createNormal } from '../../../src/stats/normal-draws.js';
import {
  criticalFlagged,
  designEffect,
  type FlaggedCount,
  fitShareSpread,
  outlierSharePValue,
  type ShareSpread,
  shareDifferenceInterval,
  shareExcessPValue,
  shareRatio,
} from '../../../src/stats/outlier-share.js';
import { createRandom } from '../../../src/stats/random.js';

interface OracleCase extends FlaggedCount {
  readonly referenceRows: number;
  readonly referenceFlagged: number;
  readonly spread: ShareSpread;
  readonly exact: number;
  readonly ratio: number;
  readonly pValue: number;
  readonly low: number;
  readonly high: number;
}

const cases = JSON.parse(readFileSync('test/oracle/outlier-share.json', 'utf8')) as OracleCase[];

function expectRelative(actual: number, expected: number, tolerance: number): void {
  // Below 1e-290 scipy's own value has lost its digits.
  if (expected < 1e-290) expect(actual).toBeLessThan(1e-289);
  else expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance * expected);
}

function binomial(n: number, p: number, random: () => number): number {
  let count = 0;
  for (let i = 0; i < n; i++) if (random() < p) count++;
  return count;
}

describe('against scipy and statsmodels', () => {
  const of = (c: OracleCase) => ({ rows: c.referenceRows, flagged: c.referenceFlagged });

  it('the exact p-value equals the hypergeometric tail to 1e-8', () => {
    for (const c of cases) expectRelative(shareExcessPValue(c, of(c)), c.exact, 1e-8);
  });

  it('the ratio and the temporal p-value equal theirs to 1e-8', () => {
    for (const c of cases) {
      expect(shareRatio(c, of(c))).toBeCloseTo(c.ratio, 7);
      expectRelative(outlierSharePValue(c, of(c), c.spread), c.pValue, 1e-8);
    }
  });

  it("the interval equals Newcombe's to 1e-10", () => {
    for (const c of cases) {
      const interval = shareDifferenceInterval(
        { rows: c.rows, share: c.flagged / c.rows },
        { rows: c.referenceRows, share: c.referenceFlagged / c.referenceRows },
      );
      expect(interval.low).toBeCloseTo(c.low, 10);
      expect(interval.high).toBeCloseTo(c.high, 10);
    }
  });
});

describe('shareExcessPValue', () => {
  it('is the exact law of the count above an order statistic of the reference, whatever the scores', () => {
    // 4,000 draws: 200 reference scores, threshold their 196th, 50 new scores. P(count ≥ 3) by simulation and by formula.
    const random = createRandom(1);
    let hits = 0;
    for (let run = 0; run < 4_000; run++) {
      const scores = Float64Array.from({ length: 200 }, () => random() ** 3).sort();
      const threshold = scores[195] as number;
      let above = 0;
      for (let i = 0; i < 50; i++) if (random() ** 3 > threshold) above++;
      if (above >= 3) hits++;
    }
    const exact = shareExcessPValue({ rows: 50, flagged: 3 }, { rows: 200, flagged: 4 });
    expect(Math.abs(hits / 4_000 - exact)).toBeLessThan(3 * Math.sqrt((exact * (1 - exact)) / 4_000));
  });

  it('falls as more rows are flagged, and lies in [0, 1]', () => {
    const size = fc.integer({ min: 1, max: 2_000 });
    fc.assert(
      fc.property(size, size, fc.double({ min: 0, max: 1, noNaN: true }), (n, m, share) => {
        const reference = { rows: m, flagged: Math.floor(share * m) };
        let before = 1;
        for (let k = 0; k <= n; k += Math.max(1, Math.floor(n / 20))) {
          const p = shareExcessPValue({ rows: n, flagged: k }, reference);
          expect(p).toBeGreaterThanOrEqual(0);
          expect(p).toBeLessThanOrEqual(before + 1e-9);
          before = p;
        }
      }),
    );
  });

  it.each([
    { rows: 3, flagged: 4 },
    { rows: 3, flagged: -1 },
    { rows: 2.5, flagged: 1 },
    { rows: Number.NaN, flagged: 0 },
  ])('refuses %p', (impossible) => {
    expect(() => shareExcessPValue(impossible, { rows: 5, flagged: 1 })).toThrow(RangeError);
    expect(() => shareExcessPValue({ rows: 5, flagged: 1 }, impossible)).toThrow(RangeError);
  });
});

describe('fitShareSpread', () => {
  const reference = { rows: 20_000, flagged: 200 };

  it('finds no excess among independent rows', () => {
    const random = createRandom(2);
    const pieces = Array.from({ length: 60 }, () => ({ rows: 500, flagged: binomial(500, 0.01, random) }));
    const spread = fitShareSpread(pieces, reference);
    expect(spread?.pieces).toBe(60);
    expect(designEffect(spread, 500, 20_000)).toBeLessThan(1.5);
  });

  it('finds the excess of clustered rows, and keeps its level on new ones', () => {
    // Shares vary from piece to piece: a quarter have 4 %, the rest none. New pieces of the same kind: false alarms at 5 %.
    const random = createRandom(3);
    const draw = () => ({ rows: 500, flagged: binomial(500, random() < 0.25 ? 0.04 : 0, random) });
    let alarms = 0;
    let naive = 0;
    const runs = 400;
    for (let run = 0; run < runs; run++) {
      const pieces = Array.from({ length: 30 }, draw);
      const total = {
        rows: 15_000,
        flagged: pieces.reduce((sum, piece) => sum + piece.flagged, 0),
      };
      const spread = fitShareSpread(pieces, total);
      const next = draw();
      if (outlierSharePValue(next, total, spread) <= 0.05) alarms++;
      if (outlierSharePValue(next, total, null) <= 0.05) naive++;
    }
    expect(alarms / runs).toBeLessThan(0.08);
    expect(naive / runs).toBeGreaterThan(0.15);
  });

  it('keeps its level where states last from piece to piece, counting the pieces for fewer', () => {
    const random = createRandom(11);
    const normal = createNormal(random);
    const lasting = 0.6;
    const runs = 400;
    let alarms = 0;
    let effective = 0;
    for (let run = 0; run < runs; run++) {
      let state = normal();
      const draw = () => {
        const share = 1 / (1 + Math.exp(4.9 - 0.8 * state));
        state = lasting * state + Math.sqrt(1 - lasting ** 2) * normal();
        return { rows: 500, flagged: binomial(500, share, random) };
      };
      const pieces = Array.from({ length: 28 }, draw);
      const total = { rows: 14_000, flagged: pieces.reduce((sum, piece) => sum + piece.flagged, 0) };
      const spread = fitShareSpread(pieces, total);
      effective += (spread?.effectivePieces ?? 0) / runs;
      state = normal();
      if (outlierSharePValue(draw(), total, spread) <= 0.05) alarms++;
    }
    expect(effective).toBeLessThan(24);
    expect(alarms / runs).toBeLessThan(0.075);
  });

  it('leaves out pieces of less than half the usual size, and says nothing with fewer than ten', () => {
    const full = Array.from({ length: 10 }, () => ({ rows: 100, flagged: 1 }));
    expect(fitShareSpread([...full, { rows: 10, flagged: 10 }], reference)?.pieces).toBe(10);
    expect(fitShareSpread(full.slice(1), reference)).toBeNull();
    expect(fitShareSpread([], reference)).toBeNull();
  });

  it('copes with pieces that are all alike', () => {
    const pieces = Array.from({ length: 12 }, () => ({ rows: 100, flagged: 0 }));
    expect(fitShareSpread(pieces, { rows: 1_200, flagged: 0 })).toEqual({
      pieces: 12,
      excess: 0,
      shape: 1,
      effectivePieces: 12,
      autocorrelation: 0,
    });
  });
});

describe('outlierSharePValue', () => {
  const reference = { rows: 25_000, flagged: 250 };
  const spread: ShareSpread = { pieces: 28, excess: 0.08, shape: 0.4 };

  it('is never below the exact one, and 1 for a share that is no larger', () => {
    const window = { rows: 900, flagged: 90 };
    expect(outlierSharePValue(window, reference, spread)).toBeGreaterThan(
      shareExcessPValue(window, reference),
    );
    expect(outlierSharePValue({ rows: 900, flagged: 5 }, reference, spread)).toBe(1);
  });
});

describe('criticalFlagged', () => {
  it('is the least significant count', () => {
    const spread = fc.option(
      fc.record({
        pieces: fc.integer({ min: 10, max: 50 }),
        excess: fc.double({ min: 0, max: 0.2, noNaN: true }),
        shape: fc.double({ min: 0.1, max: 1, noNaN: true }),
      }),
    );
    const rows = fc.integer({ min: 1, max: 3_000 });
    fc.assert(
      fc.property(rows, rows, spread, fc.constantFrom(0.05, 0.001), (n, m, between, level) => {
        const reference = { rows: m, flagged: Math.floor(m / 100) };
        const p = (flagged: number) => outlierSharePValue({ rows: n, flagged }, reference, between);
        const critical = criticalFlagged(n, reference, between, level);
        if (critical === null) expect(p(n)).toBeGreaterThan(level);
        else {
          expect(p(critical)).toBeLessThanOrEqual(level);
          if (critical > 0) expect(p(critical - 1)).toBeGreaterThan(level);
        }
      }),
    );
  });
});
