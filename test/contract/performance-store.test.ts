import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Task } from '../../src/domain/model.js';
import type { BusinessValue } from '../../src/domain/performance-figures.js';
import { PRODUCTION } from '../../src/domain/ports.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { figuresOf } from '../../src/performance/figures.js';
import { classFigures } from '../../src/performance/multiclass.js';
import {
  PLAIN_SETTING,
  type ScoredRow,
  scoredLabel,
  scoredModel,
  scoredPrediction,
} from '../support/performance-rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

interface Expected {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

interface OracleCase {
  readonly name: string;
  readonly task: Task;
  readonly value?: BusinessValue;
  readonly rows: readonly ScoredRow[];
  readonly delong?: number;
  readonly figures: Readonly<Record<string, Expected>>;
  readonly classes?: Readonly<
    Record<string, { rows: number; precision: number; recall: number; f1: number }>
  >;
}

/** Made by test/oracle/performance.py. */
const { cases } = JSON.parse(readFileSync('test/oracle/performance.json', 'utf8')) as {
  cases: OracleCase[];
};
const start = Date.UTC(2026, 2, 30, 21);
/** Over the edges of a day and of a month. */
const HOURS = 30;
const all = { startMs: start, endMs: start + HOURS * HOUR_MS };

/** As many digits as sums in another order keep. */
function expectNear(found: number | null, expected: number | null, scale = 1) {
  if (expected === null) expect(found).toBeNull();
  else
    expect(Math.abs((found ?? Number.NaN) - expected)).toBeLessThanOrEqual(
      1e-9 * Math.max(scale, Math.abs(expected)),
    );
}

describe.each(BACKENDS)('performance figures, %s', (kind) => {
  let backend: StoreBackend;

  beforeAll(async () => {
    backend = await openBackend(kind);
    for (const [index, { task, rows }] of cases.entries()) {
      const model = scoredModel(`m${index}`, task);
      const timeOf = (row: number) => start + Math.floor((row * HOURS * HOUR_MS) / rows.length);
      await backend.store.insertRows({
        predictions: rows.map((row, i) => scoredPrediction(model, `p${i}`, timeOf(i), row)),
        labels: rows.map((row, i) => scoredLabel(model, `p${i}`, timeOf(i) + DAY_MS, row.label)),
        rejected: [],
        token: model.model,
      });
      const hours = Array.from({ length: HOURS }, (_, hour) => start + hour * HOUR_MS);
      await backend.store.profileHours(model, hours);
      expect(await backend.store.measurePerformance(model, PLAIN_SETTING)).toEqual({
        hourStartsMs: hours,
        correctedMs: [],
      });
      expect((await backend.store.measurePerformance(model, PLAIN_SETTING)).hourStartsMs).toEqual([]);
    }
  });
  afterAll(() => backend.close());

  it.each(cases.map(({ name }, index) => [name, index] as const))(
    'are scikit-learn’s: %s',
    async (_, index) => {
      const { task, value, rows, figures, delong, classes } = cases[index] as OracleCase;
      const [counts, ...others] = await backend.store.performanceCounts(
        { model: `m${index}`, modelVersion: '1', task, scope: PRODUCTION, window: all },
        'all',
      );
      if (counts === undefined) throw new RangeError('nothing was counted');
      expect(others).toEqual([]);
      expect(counts).toMatchObject({ window: all, predictions: rows.length, labelled: rows.length });
      const found = figuresOf(task, counts, { positiveClass: '1', value, quantiles: [0.1, 0.5, 0.9] });
      expect(Object.keys(found).sort()).toEqual(Object.keys(figures).sort());
      for (const [name, expected] of Object.entries(figures)) {
        expectNear(found[name]?.value ?? null, expected.value);
        if (name === 'rocAuc' || name === 'averagePrecision') continue;
        expectNear(found[name]?.low ?? null, expected.low);
        expectNear(found[name]?.high ?? null, expected.high);
      }
      if (delong !== undefined) {
        expectNear(counts.ranking?.aucVariance ?? null, delong, delong);
        expect(counts.ranking?.aucResolution).toBe(0);
      }
      for (const { class: name, rows: ofClass, figures: own } of classFigures(counts)) {
        const expected = classes?.[name];
        if (expected === undefined) continue;
        expect(ofClass).toBe(expected.rows);
        for (const figure of ['precision', 'recall', 'f1'] as const)
          expectNear(own[figure]?.value ?? 0, expected[figure]);
      }
    },
  );

  it('cuts time into hours, days, weeks and months of UTC', async () => {
    const query = { model: 'm0', modelVersion: '1', task: 'binary', scope: PRODUCTION, window: all } as const;
    const pieces = async (piece: 'hour' | 'day' | 'week' | 'month') =>
      (await backend.store.performanceCounts(query, piece)).map(({ window, predictions }) => [
        new Date(window.startMs).toISOString().slice(0, 13),
        predictions,
      ]);
    expect(await pieces('hour')).toHaveLength(HOURS);
    expect(await pieces('day')).toEqual([
      ['2026-03-30T21', 60],
      ['2026-03-31T00', 480],
      ['2026-04-01T00', 60],
    ]);
    expect(await pieces('month')).toEqual([
      ['2026-03-30T21', 540],
      ['2026-04-01T00', 60],
    ]);
    expect(await pieces('week')).toEqual([['2026-03-30T21', 600]]);
  });
});
