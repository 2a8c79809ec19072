import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { fitInfluence } from '../../../src/detectors/influence.js';
import { explainWindow } from '../../../src/detectors/why.js';
import type { FeatureSchema } from '../../../src/domain/model.js';
import { gridOf, profileOf, type Value } from '../../support/count-profiles.js';
import { judge, modelOf } from '../../support/judge-fixture.js';

interface InfluenceOracle {
  readonly reference: Value[][];
  readonly current: Value[][];
  readonly features: Record<string, { explains: number; shift: number }>;
  readonly means: { reference: number; current: number };
}

const oracle = JSON.parse(
  readFileSync(new URL('../../oracle/influence.json', import.meta.url), 'utf8'),
) as InfluenceOracle;
const COLUMNS: FeatureSchema[] = [
  { name: 'temperature', kind: 'numeric' },
  { name: 'carrier', kind: 'categorical' },
  { name: 'noise', kind: 'numeric' },
  { name: 'prediction', kind: 'numeric' },
];
const valuesOf = (rows: readonly Value[][], index: number) => rows.map((row) => row[index] ?? null);
const grids = COLUMNS.map(({ name, kind }, index) =>
  // The prediction's grid knows both sides: its mean is then exact without offsets.
  gridOf(
    name,
    kind,
    valuesOf(index === 3 ? [...oracle.reference, ...oracle.current] : oracle.reference, index),
  ),
);
const influence = fitInfluence({ columns: COLUMNS, grids, rows: oracle.reference });

describe('fitInfluence', () => {
  test.each(Object.entries(oracle.features))(
    'explains as much of the prediction by %s as scipy’s ANOVA',
    (name, expected) => {
      const own = influence?.features.find(({ feature }) => feature === name);
      expect(own?.explains).toBeCloseTo(expected.explains, 10);
    },
  );

  test('has the same means as pandas, with which the window’s shift is made', () => {
    const model = modelOf({ temperature: 'numeric', carrier: 'categorical', noise: 'numeric' });
    const side = (rows: readonly Value[][]) =>
      grids.map((grid, index) => profileOf(grid, valuesOf(rows, index)));
    const columnsOf = (rows: readonly Value[][]) =>
      Object.fromEntries(COLUMNS.map(({ name }, index) => [name, valuesOf(rows, index)]));
    const { verdicts } = judge(model, columnsOf(oracle.reference), columnsOf(oracle.current));
    const why = explainWindow({
      model,
      grids,
      referenceProfiles: side(oracle.reference),
      currentProfiles: side(oracle.current),
      verdicts,
      influence,
    });
    expect(why.features.map(({ feature }) => feature)).toEqual(['temperature', 'carrier']);
    for (const reason of why.features)
      expect(reason.predictionShift).toBeCloseTo(oracle.features[reason.feature]?.shift ?? Number.NaN, 10);
    expect(why.prediction?.reference).toBeCloseTo(oracle.means.reference, 10);
    expect(why.prediction?.current).toBeCloseTo(oracle.means.current, 10);
    expect(why.rankedBy).toBe('predictionShift');
  });

  test('follows each class where the prediction is one', () => {
    const columns: FeatureSchema[] = [
      { name: 'x', kind: 'categorical' },
      { name: 'prediction', kind: 'categorical' },
    ];
    const rows = [...Array(30)].map((_, i) => [['a', 'b', 'c'][i % 3] ?? '', ['u', 'v', 'w'][i % 3] ?? '']);
    const found = fitInfluence({
      columns,
      grids: columns.map(({ name, kind }, index) => gridOf(name, kind, valuesOf(rows, index))),
      rows,
    });
    expect(found?.classes).toEqual(['u', 'v', 'w']);
    expect(found?.features[0]?.explains).toBeCloseTo(1, 12);
    expect(found?.features[0]?.means).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [1 / 3, 1 / 3, 1 / 3],
    ]);
  });

  test('takes the class, not its score, where there are several', () => {
    const columns: FeatureSchema[] = [
      { name: 'prediction', kind: 'categorical' },
      { name: 'prediction_proba', kind: 'numeric' },
    ];
    const columnFor = (classes: readonly string[]) =>
      fitInfluence({
        columns,
        grids: [],
        rows: [...Array(30)].map((_, i) => [classes[i % classes.length] ?? '', i / 30]),
      })?.column;
    expect(columnFor(['a', 'b', 'c'])).toBe('prediction');
    expect(columnFor(['0', '1'])).toBe('prediction_proba');
  });

  test('says nothing where no prediction is there, or it never varies', () => {
    const rows = oracle.reference.map((row) => [...row.slice(0, 3), null]);
    expect(fitInfluence({ columns: COLUMNS, grids, rows })).toBeNull();
    const constant = oracle.reference.map((row) => [...row.slice(0, 3), 0.5]);
    expect(fitInfluence({ columns: COLUMNS, grids, rows: constant })).toBeNull();
  });

  test('does not take chance for influence', () => {
    const own = influence?.features.find(({ feature }) => feature === 'noise');
    expect(own?.explains).toBeLessThan(0.02);
  });

  test('keeps values that only have the name of a property apart', () => {
    const columns: FeatureSchema[] = [
      { name: 'x', kind: 'categorical' },
      { name: 'prediction', kind: 'numeric' },
    ];
    const rows: Value[][] = [...Array(40)].map((_, i) => [i % 2 === 0 ? '__proto__' : 'constructor', i % 2]);
    const found = fitInfluence({
      columns,
      grids: columns.map(({ name, kind }, index) => gridOf(name, kind, valuesOf(rows, index))),
      rows,
    });
    expect(found?.features[0]?.explains).toBeCloseTo(1, 12);
  });
});
