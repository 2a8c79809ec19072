import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Detector, Measurement, Samples } from '../../../src/detectors/detector.js';
import { mergeProfiles } from '../../../src/detectors/merge-profiles.js';
import { COLUMN_DETECTORS } from '../../../src/detectors/registry.js';
import type { FeatureKind } from '../../../src/domain/model.js';
import { gridOf, profileOf, type Value } from '../../support/count-profiles.js';
import { draws, normals } from '../../support/judge-fixture.js';

/** What every registered detector has to keep. A new one needs no line here. */
const CASES = COLUMN_DETECTORS.flatMap((detector) => detector.accepts.map((kind) => ({ detector, kind })));

const numeric = fc.oneof(
  fc.integer({ min: -6, max: 6 }),
  fc.constant(null),
  fc.constant('text'),
  fc.constant(Number.NaN),
  fc.constant(Number.POSITIVE_INFINITY),
);
const category = fc.oneof(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.constant(null));
const valuesOf = (kind: FeatureKind): fc.Arbitrary<Value[]> =>
  fc.array<Value>(kind === 'numeric' ? numeric : category, { maxLength: 120 });

function compare(
  detector: Detector,
  kind: FeatureKind,
  reference: readonly Value[],
  current: readonly Value[],
) {
  const grid = gridOf('x', kind, reference);
  return detector.measure({ grid, reference: profileOf(grid, reference), current: profileOf(grid, current) });
}

function measured(
  detector: Detector,
  kind: FeatureKind,
  reference: readonly Value[],
  current: readonly Value[],
) {
  const found = compare(detector, kind, reference, current);
  if (typeof found === 'string') throw new RangeError(`${detector.name} did not measure: ${found}`);
  return found;
}

const sample = (kind: FeatureKind, seed: number, rows: number): Value[] =>
  kind === 'numeric' ? normals(seed, rows) : draws(seed, rows, { a: 6, b: 3, c: 2, d: 1 });

/** Two hundred pairs of samples without drift, 600 rows and 60, counted once for all detectors. */
const CLEAN_RUNS = 200;
const cleanPairs = new Map<FeatureKind, readonly Samples[]>();

function cleanPairsOf(kind: FeatureKind): readonly Samples[] {
  const known = cleanPairs.get(kind);
  if (known !== undefined) return known;
  const pairs = Array.from({ length: CLEAN_RUNS }, (_, run) => {
    const reference = sample(kind, 1_000 + run, 600);
    const grid = gridOf('x', kind, reference);
    const current = profileOf(grid, sample(kind, 5_000 + run, 60));
    return { grid, reference: profileOf(grid, reference), current };
  });
  cleanPairs.set(kind, pairs);
  return pairs;
}

function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(numbersIn) : [];
}

/** Ordered statistics that the maps have to be monotone on. */
function ladder(found: Measurement): number[] {
  const top = Math.max(found.largest, found.statistic);
  return [...new Set([0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95, 1].map((f) => f * top))];
}

/** What is wrong with a measurement; one list, since a matcher call costs more than the measurement itself. */
function faultsOf(found: Measurement): string[] {
  const faults: string[] = [];
  const must = (holds: boolean, what: string) => {
    if (!holds) faults.push(what);
  };
  must(found.statistic >= 0, `statistic ${found.statistic} is negative`);
  must(found.statistic <= found.largest * (1 + 1e-12), `statistic ${found.statistic} > ${found.largest}`);
  must(found.degreesOfFreedom > 0, `${found.degreesOfFreedom} degrees of freedom`);
  must(found.referenceRows > 0 && found.currentRows > 0, 'measured without rows');
  for (const scale of [found, ...(found.opposite === null ? [] : [found.opposite])]) {
    let before = { p: 1, ratio: 0 };
    for (const statistic of ladder({
      ...found,
      ...scale,
      statistic: found === scale ? found.statistic : 0,
    })) {
      const now = { p: scale.iidPValueOf(statistic), ratio: scale.ratioOf(statistic, 20) };
      must(now.p >= 0 && now.p <= before.p * (1 + 1e-9), `p ${now.p} at ${statistic} after ${before.p}`);
      must(
        now.ratio >= before.ratio * (1 - 1e-9) && Number.isFinite(now.ratio),
        `ratio ${now.ratio} at ${statistic} after ${before.ratio}`,
      );
      before = now;
    }
  }
  for (const designEffect of [1, 40]) {
    const effect = found.effectWithInterval(designEffect);
    must(effect.low <= effect.value && effect.value <= effect.high, `effect ${JSON.stringify(effect)}`);
    must(numbersIn(effect).every(Number.isFinite), `effect ${numbersIn(effect)}`);
  }
  must(Number.isFinite(found.effectOf(found.statistic)), `effect of ${found.statistic} is not finite`);
  must(numbersIn(found.parameters).every(Number.isFinite), `parameters ${numbersIn(found.parameters)}`);
  return faults;
}

describe.each(CASES)('$detector.name on $kind columns', ({ detector, kind }) => {
  test('never says NaN, keeps p falling and ratios growing, and the statistic within its largest', () => {
    fc.assert(
      fc.property(valuesOf(kind), valuesOf(kind), (reference, current) => {
        const found = compare(detector, kind, reference, current);
        if (typeof found !== 'string') expect(faultsOf(found)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test('identical samples are not drifted', () => {
    const values = sample(kind, 5, 400);
    const found = measured(detector, kind, values, values);
    expect(found.iidPValueOf(found.statistic)).toBeGreaterThan(0.5);
    expect(found.effectWithInterval(1).value).toBeCloseTo(0, 9);
  });

  test('an empty window has no data, an empty reference is none', () => {
    const values = sample(kind, 6, 50);
    expect(compare(detector, kind, values, [])).toBe('no_data');
    const grid = gridOf('x', kind, values);
    expect(detector.measure({ grid, reference: profileOf(grid, []), current: profileOf(grid, values) })).toBe(
      'no_reference',
    );
  });

  test('is the same each time, and the same from merged buckets as from the whole', () => {
    const reference = sample(kind, 7, 300);
    const current = sample(kind, 8, 90);
    const grid = gridOf('x', kind, reference);
    const merged = (values: readonly Value[]) =>
      mergeProfiles([profileOf(grid, values.slice(40)), profileOf(grid, values.slice(0, 40))]);
    const whole = measured(detector, kind, reference, current);
    const parts = detector.measure({ grid, reference: merged(reference), current: merged(current) });
    expect(JSON.stringify(parts)).toBe(JSON.stringify(whole));
    expect(JSON.stringify(measured(detector, kind, reference, current))).toBe(JSON.stringify(whole));
  });

  test('false alarms at 5 % stay at 5 %, windows of 60 rows', () => {
    let flagged = 0;
    for (const pair of cleanPairsOf(kind)) {
      const found = detector.measure(pair);
      if (typeof found === 'string') throw new RangeError(`${detector.name} did not measure: ${found}`);
      if (found.vacuous === null && found.iidPValueOf(found.statistic) <= 0.05) flagged++;
    }
    // Binomial(200, 0.05) stays below 21 with probability 0.999.
    expect(flagged).toBeLessThanOrEqual(20);
  });
});

test('names are unique and the suite sees every detector', () => {
  const names = COLUMN_DETECTORS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(['ks', 'chiSquare', 'psi', 'jensenShannon', 'hellinger']));
});
