import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createNormal } from '../../../src/stats/normal-draws.js';
import { comparePairs, type PairComparison } from '../../../src/stats/pair-classifier.js';
import { encodePairRows, fitPairColumns, type SourceColumn } from '../../../src/stats/pair-rows.js';
import { createRandom } from '../../../src/stats/random.js';
import { rankAuc } from '../../../src/stats/rank-auc.js';
import { normalSf } from '../../../src/stats/special.js';

type Cell = number | string | null;
type Draw = () => Cell[];

interface AucCase {
  readonly positives: number[];
  readonly negatives: number[];
  readonly auc: number;
  readonly pValue: number;
  readonly variance: number;
}

interface PairCase extends Pick<AucCase, 'auc' | 'pValue' | 'variance'> {
  /** By column. */
  readonly reference: Cell[][];
  readonly current: Cell[][];
  readonly chosen: number;
  readonly candidates: number;
  readonly best: [string, string | null][];
  readonly share: number;
  readonly correlations: [number, number];
}

/** Made by test/oracle/pairs.py with scipy, statsmodels and scikit-learn. */
const oracle = JSON.parse(readFileSync('test/oracle/pairs.json', 'utf8')) as {
  rankAuc: AucCase[];
  comparePairs: PairCase[];
};

const pValueOf = ({ auc, nullVariance }: Pick<PairComparison, 'auc' | 'nullVariance'>) =>
  normalSf((auc - 0.5) / Math.sqrt(nullVariance));

function compare(columns: readonly SourceColumn[], reference: readonly Cell[][], current: readonly Cell[][]) {
  const fitted = fitPairColumns(columns, reference);
  return comparePairs({
    columns: fitted,
    reference: encodePairRows(fitted, reference),
    current: encodePairRows(fitted, current),
  });
}

function decided(found: ReturnType<typeof compare>): PairComparison {
  if (typeof found === 'string') throw new Error(`undecided: ${found}`);
  return found;
}

const numbers = (count: number): SourceColumn[] =>
  Array.from({ length: count }, (_, i) => ({ name: `x${i}`, kind: 'numeric' as const }));

const drawn = (rows: number, draw: Draw) => Array.from({ length: rows }, draw);

/** Six normal columns: the first two correlate by `r`, the next two by ½. */
function sixNormals(seed: number): (r: number) => Draw {
  const normal = createNormal(createRandom(seed));
  const beside = (x: number, r: number) => r * x + Math.sqrt(1 - r * r) * normal();
  return (r) => () => {
    const [a, c] = [normal(), normal()];
    return [a, beside(a, r), c, beside(c, 0.5), normal(), normal()];
  };
}

describe('rankAuc', () => {
  it('equals scikit-learn’s AUC, the permutation p-value of scipy and DeLong’s variance by its definition', () => {
    for (const { positives, negatives, auc, pValue, variance } of oracle.rankAuc) {
      const found = rankAuc(positives, negatives);
      expect(found.auc).toBeCloseTo(auc, 12);
      expect(Math.abs(pValueOf(found) - pValue)).toBeLessThanOrEqual(1e-10 * pValue);
      expect(found.variance).toBeCloseTo(variance, 12);
    }
  });

  it('knows nothing of scores that are all the same', () => {
    expect(rankAuc([1, 1, 1], [1, 1])).toEqual({ auc: 0.5, nullVariance: 0, variance: 0 });
    expect(() => rankAuc([1], [1, 2])).toThrow(RangeError);
  });
});

describe('comparePairs', () => {
  const columns: SourceColumn[] = [
    { name: 'a', kind: 'numeric' },
    { name: 'b', kind: 'numeric' },
    { name: 'c', kind: 'numeric' },
    { name: 'd', kind: 'categorical' },
    { name: 'e', kind: 'numeric' },
  ];
  const rowsOf = (byColumn: Cell[][]) =>
    Array.from(byColumn[0] ?? [], (_, i) => byColumn.map((values) => values[i] ?? null));

  it('equals the classifier made of numpy, scipy and scikit-learn', () => {
    for (const known of oracle.comparePairs) {
      const found = decided(compare(columns, rowsOf(known.reference), rowsOf(known.current)));
      expect(found.auc).toBeCloseTo(known.auc, 12);
      expect(pValueOf(found)).toBeCloseTo(known.pValue, 9);
      expect(found.variance).toBeCloseTo(known.variance, 12);
      expect([found.chosen, found.candidates, found.leftOut]).toEqual([known.chosen, known.candidates, 0]);
      const [best] = found.pairs;
      expect(best?.parts).toEqual(
        known.best.map(([feature, part]) =>
          part === null
            ? { feature }
            : part === 'missing'
              ? { feature, missing: true }
              : { feature, category: part },
        ),
      );
      expect(best?.share).toBeCloseTo(known.share, 9);
      expect(best?.reference).toBeCloseTo(known.correlations[0], 9);
      expect(best?.current).toBeCloseTo(known.correlations[1], 9);
    }
  });

  it('names the two columns whose correlation turned, with what it was and is', () => {
    const rows = sixNormals(1);
    const found = decided(compare(numbers(6), drawn(2_000, rows(0.4)), drawn(1_000, rows(-0.4))));
    expect(found.auc).toBeGreaterThan(0.62);
    const [best] = found.pairs;
    expect(best?.parts.map(({ feature }) => feature)).toEqual(['x0', 'x1']);
    expect(best?.share).toBeGreaterThan(0.9);
    expect(Math.abs((best?.reference ?? 0) - 0.4)).toBeLessThan(0.1);
    expect(Math.abs((best?.current ?? 0) + 0.4)).toBeLessThan(0.1);
  });

  it('sees a category that goes with other numbers, and values that are missing elsewhere', () => {
    const random = createRandom(2);
    const normal = createNormal(random);
    const source: SourceColumn[] = [
      { name: 'plan', kind: 'categorical' },
      { name: 'age', kind: 'numeric' },
    ];
    const byPlan =
      (shift: number): Draw =>
      () => {
        const plan = random() < 0.3 ? 'pro' : 'free';
        return [plan, normal() + (plan === 'pro' ? shift : 0)];
      };
    const moved = decided(compare(source, drawn(2_000, byPlan(0)), drawn(1_000, byPlan(1.2))));
    expect(moved.pairs[0]?.parts).toEqual([{ feature: 'plan', category: 'free' }, { feature: 'age' }]);
    expect(pValueOf(moved)).toBeLessThan(1e-3);
    const gaps =
      (inPro: number, inFree: number): Draw =>
      () => {
        const plan = random() < 0.5 ? 'pro' : 'free';
        return [plan, random() < (plan === 'pro' ? inPro : inFree) ? null : normal()];
      };
    const elsewhere = decided(compare(source, drawn(2_000, gaps(0.4, 0.2)), drawn(1_000, gaps(0.2, 0.4))));
    expect(elsewhere.pairs[0]?.parts[1]).toEqual({ feature: 'age', missing: true });
    expect(pValueOf(elsewhere)).toBeLessThan(1e-3);
  });

  // 400 repetitions of each: the standard error of a share of 0.05 is 0.011, of 0.01 it is 0.005.
  it('rejects equal samples no more often than its level, whatever the columns are like', () => {
    const normals = sixNormals(3);
    const random = createRandom(4);
    const normal = createNormal(random);
    /** Without correlation but dependent, heavy-tailed, rounded, rare, partly missing. */
    const odd: Draw = () => {
      const x = normal();
      return [
        x,
        x * x + 0.3 * normal(),
        Math.abs(x) * normal(),
        Math.round(Math.exp(x)),
        random() < 0.1 ? 'a' : 'b',
        random() < 0.05 + (x > 1 ? 0.2 : 0) ? null : x ** 3,
      ];
    };
    const oddColumns = numbers(6).map(
      (column, i): SourceColumn => (i === 4 ? { ...column, kind: 'categorical' } : column),
    );
    for (const [source, draw] of [
      [numbers(6), normals(0.3)],
      [oddColumns, odd],
    ] as const) {
      let at5 = 0;
      let at1 = 0;
      for (let repetition = 0; repetition < 400; repetition++) {
        const pValue = pValueOf(decided(compare(source, drawn(240, draw), drawn(140, draw))));
        at5 += Number(pValue <= 0.05);
        at1 += Number(pValue <= 0.01);
      }
      expect(at5 / 400).toBeGreaterThan(0.05 - 3 * 0.011);
      expect(at5 / 400).toBeLessThan(0.05 + 3 * 0.011);
      expect(at1 / 400).toBeLessThan(0.01 + 3 * 0.005);
    }
  });

  it('says why nothing can be compared', () => {
    const rows = sixNormals(5);
    const some = drawn(200, rows(0));
    expect(compare(numbers(6), some, drawn(99, rows(0)))).toBe('too_few_rows');
    expect(compare(numbers(6), drawn(1, rows(0)), some)).toBe('too_few_rows');
    expect(compare(numbers(6), [], [])).toBe('too_few_rows');
    const of = (row: Cell[]) => drawn(200, () => row);
    expect(compare(numbers(2), of([1, 2]), of([1, 2]))).toBe('not_applicable');
    expect(compare(numbers(2), of([null, null]), of([null, null]))).toBe('not_applicable');
    expect(compare(numbers(2), of([Number.NaN, Number.POSITIVE_INFINITY]), of(['text', null]))).toBe(
      'not_applicable',
    );
    expect(
      compare(
        numbers(1),
        some.map(([x]) => [x ?? null]),
        some.map(([x]) => [x ?? null]),
      ),
    ).toBe('not_applicable');
    expect(compare([], of([]), of([]))).toBe('not_applicable');
  });

  it('compares columns that are all categorical, and passes over those that are one value on either side', () => {
    const random = createRandom(6);
    const source: SourceColumn[] = ['a', 'b', 'day'].map((name) => ({ name, kind: 'categorical' }));
    const draw =
      (same: number, days: number): Draw =>
      () => {
        const a = random() < 0.5 ? 'u' : 'v';
        const b = random() < same ? a : a === 'u' ? 'v' : 'u';
        return [a, b, `day ${Math.floor(random() * days)}`];
      };
    const found = decided(compare(source, drawn(1_000, draw(0.8, 7)), drawn(500, draw(0.2, 1))));
    expect(found.candidates).toBe(1);
    expect(found.pairs[0]?.parts).toEqual([
      { feature: 'a', category: expect.any(String) },
      { feature: 'b', category: expect.any(String) },
    ]);
    expect(pValueOf(found)).toBeLessThan(1e-6);
  });
});
