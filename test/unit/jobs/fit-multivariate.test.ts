import { describe, expect, it } from '@jest/globals';
import { judgeDomainClassifier } from '../../../src/detectors/domain-classifier.js';
import type { FeatureSchema, ModelVersion } from '../../../src/domain/model.js';
import { DEFAULT_MULTIVARIATE } from '../../../src/domain/multivariate.js';
import type { Reference } from '../../../src/domain/reference.js';
import { DAY_MS } from '../../../src/domain/window.js';
import { fitMultivariate, type MultivariateInput } from '../../../src/jobs/fit-multivariate.js';
import { createNormal } from '../../../src/stats/normal-draws.js';
import { comparePairs } from '../../../src/stats/pair-classifier.js';
import { encodePairRows } from '../../../src/stats/pair-rows.js';
import { parsePairSample, serialisePairSample } from '../../../src/stats/pair-sample.js';
import { fitAucSpread } from '../../../src/stats/pair-spread.js';
import { comparePieces } from '../../../src/stats/pair-tasks.js';
import { createRandom } from '../../../src/stats/random.js';

const COLUMNS: FeatureSchema[] = ['a', 'b', 'c'].map((name) => ({ name, kind: 'numeric' }));
const PARTS = {
  comparePieces: async (input: () => Parameters<typeof comparePieces>[0]) => comparePieces(input()),
  pause: async () => undefined,
};
const covers = () => true;

function fitOn(change: Partial<MultivariateInput>) {
  return fitMultivariate({ columns: COLUMNS, rows: [], settings: DEFAULT_MULTIVARIATE, ...change }, PARTS);
}

/** Days whose first two columns go together by a correlation of their own. */
function createDays(seed: number, spread: number) {
  const random = createRandom(seed);
  const normal = createNormal(random);
  return (rows: number, mean = 0) => {
    const r = Math.tanh(mean + spread * normal());
    return Array.from({ length: rows }, () => {
      const a = normal();
      return [a, r * a + Math.sqrt(1 - r * r) * normal(), normal()];
    });
  };
}

/** Days of a reference in random order, with their times. */
function referenceOf(
  day: (rows: number) => number[][],
  days: number,
  rowsPerDay: number,
  random: () => number,
) {
  const timed = Array.from({ length: days }, (_, d) =>
    day(rowsPerDay).map((values) => ({ values, ms: d * DAY_MS, at: random() })),
  )
    .flat()
    .sort((a, b) => a.at - b.at);
  return { rows: timed.map(({ values }) => values), timestampsMs: timed.map(({ ms }) => ms) };
}

describe('fitMultivariate', () => {
  it('compares every day with the others, and keeps a sample that reads back as it was', async () => {
    const { rows, timestampsMs } = referenceOf(createDays(1, 0), 12, 150, createRandom(2));
    const fitted = await fitOn({
      rows: rows.map((row) => [...row, 'an output']),
      settings: { ...DEFAULT_MULTIVARIATE, referenceRows: 600 },
      time: { timestampsMs, pieceMs: DAY_MS, covers },
    });
    expect(fitted?.baseline).toMatchObject({ rows: 600, features: 3, windowRows: 150 });
    expect(fitted?.baseline.pieces.map(({ startMs }) => startMs / DAY_MS)).toEqual([
      ...Array.from({ length: 12 }).keys(),
    ]);
    for (const { auc } of fitted?.baseline.pieces ?? []) expect(Math.abs(auc - 0.5)).toBeLessThan(0.2);
    const sample = parsePairSample(fitted?.sample ?? '');
    expect(sample.columns.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect([...sample.rows.values]).toEqual(rows.slice(0, 600).flat());
    expect(serialisePairSample(sample)).toBe(fitted?.sample);
  });

  it('learns nothing of days with too few rows, at the ends, or without timestamps', async () => {
    const day = createDays(3, 0);
    const few = referenceOf(day, 20, 50, createRandom(4));
    const time = { timestampsMs: few.timestampsMs, pieceMs: DAY_MS, covers };
    expect((await fitOn({ rows: few.rows, time }))?.baseline).toEqual({
      rows: 1_000,
      features: 3,
      windowRows: 2_000,
      pieces: [],
    });
    expect((await fitOn({ rows: few.rows }))?.baseline.pieces).toEqual([]);
    const enough = referenceOf(day, 10, 120, createRandom(5));
    const inside = { timestampsMs: enough.timestampsMs, pieceMs: DAY_MS, covers };
    expect((await fitOn({ rows: enough.rows, time: inside }))?.baseline.pieces).toHaveLength(10);
    const cut = { ...inside, covers: (piece: { startMs: number }) => piece.startMs > 0 };
    expect((await fitOn({ rows: enough.rows, time: cut }))?.baseline.pieces).toEqual([]);
  });

  it('keeps nothing when switched off, or of a single feature', async () => {
    const rows = createDays(6, 0)(200);
    expect(await fitOn({ rows, settings: { ...DEFAULT_MULTIVARIATE, enabled: false } })).toBeNull();
    expect(await fitOn({ rows, columns: COLUMNS.slice(0, 1) })).toBeNull();
    expect((await fitOn({ rows: [] }))?.baseline).toMatchObject({ rows: 0, pieces: [] });
  });

  it('refuses a sample that is damaged', () => {
    const sample = serialisePairSample({
      columns: [{ name: 'a', kind: 'numeric', categories: [] }],
      rows: { values: new Float64Array([1, Number.NaN]), rows: 2 },
    });
    expect([...parsePairSample(sample).rows.values]).toEqual([1, Number.NaN]);
    for (const text of [
      '',
      'null',
      '{}',
      sample.replace('"rows":2', '"rows":3'),
      sample.replace('rows/1', 'rows/9'),
    ])
      expect(() => parsePairSample(text)).toThrow(/register the reference again/);
  });

  // 200 references of twelve days, whose features go together otherwise every day; one new such day each. A share of 0.05 has a
  // standard error of 0.015. By the law of independent rows most of these days would be flagged.
  it('flags days that differ as the days of the reference do no more often than its level', async () => {
    const model: ModelVersion = {
      model: 'm',
      modelVersion: '1',
      schema: { task: 'regression', features: COLUMNS },
      registeredAtMs: 0,
    };
    const random = createRandom(7);
    let flagged = 0;
    let naive = 0;
    let turned = 0;
    for (let repetition = 0; repetition < 200; repetition++) {
      const day = createDays(100 + repetition, 0.35);
      const { rows, timestampsMs } = referenceOf(day, 12, 120, random);
      const fitted = await fitOn({ rows, time: { timestampsMs, pieceMs: DAY_MS, covers } });
      if (fitted === null) throw new Error('nothing was fitted');
      const { columns, rows: kept } = parsePairSample(fitted.sample);
      const pValueOf = (current: number[][], isTemporal: boolean) => {
        const reference: Reference = {
          model: 'm',
          modelVersion: '1',
          hash: 'h',
          rows: rows.length,
          period: null,
          provenance: '',
          createdAtMs: 0,
          nullModel: { kind: isTemporal ? 'temporal' : 'iid', pieceMs: 0, spreads: [] },
          forest: null,
        };
        const verdict = judgeDomainClassifier({
          model,
          window: { startMs: 0, endMs: DAY_MS },
          reference,
          baseline: fitted.baseline,
          comparison: comparePairs({ columns, reference: kept, current: encodePairRows(columns, current) }),
          currentRows: current.length,
          spread: isTemporal ? fitAucSpread(fitted.baseline.pieces) : null,
          level: 0.05,
        });
        return verdict.pValue ?? Number.NaN;
      };
      const next = day(120);
      flagged += Number(pValueOf(next, true) <= 0.05);
      naive += Number(pValueOf(next, false) <= 0.05);
      turned += Number(pValueOf(day(120, 2), true) <= 0.05);
    }
    expect(flagged / 200).toBeLessThan(0.05 + 3 * 0.015);
    expect(naive / 200).toBeGreaterThan(0.2);
    expect(turned / 200).toBeGreaterThan(0.8);
  });
});
