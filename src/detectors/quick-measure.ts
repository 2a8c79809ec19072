import type { ModelVersion } from '../domain/model.js';
import type { Grid, Profile } from '../domain/profile.js';
import type { Reference } from '../domain/reference.js';
import type { Segment } from '../domain/segment.js';
import { isImmature, nullOf } from './column-baseline.js';
import { appliesTo, type Screen } from './detector.js';
import { type Candidate, judgedColumns, measureTest, type TestSides } from './measure-columns.js';
import { COLUMN_DETECTORS } from './registry.js';
import { pValueOf } from './test-null.js';
import { usualWindow } from './usual-window.js';

/** A screened p-value must be so many times what could reject: screens are near, not exact. */
const MARGIN = 3;
/** A usual window's least p-value at most this is beyond any level and family. */
const SURELY_VISIBLE = 1e-12;
/** Windows within a factor of 2^(1/4) in rows are of one size. */
const SIZES_PER_OCTAVE = 4;

export interface QuickSides {
  readonly model: ModelVersion;
  readonly reference: Reference;
  readonly grids: readonly Grid[];
  readonly referenceProfiles: readonly Profile[];
  /** Whose rows these are; all rows when left out. */
  readonly segment?: Segment;
}

interface Test extends TestSides {
  readonly screen: Screen | null;
  /** What stands for a window without drift, by size; null where such a window has to be measured all the same. */
  readonly standIns: Map<number, Candidate | null>;
  /** Stands for windows in which the test cannot reject. */
  vacuous: Candidate | null;
}

/**
 * Measures the primary tests of many windows against one reference. Whoever only asks which windows have drifted at a level need not
 * know how far the others are from it: what a detector's screen finds far above it is not measured, and a candidate with p = 1
 * stands for it. That rejects nothing and counts in the family, just as the measured one would. In a window of which no test reaches
 * its share of the level nothing is rejected (Holm), so there only tests near their share are measured.
 *
 * @returns the candidates of `measureColumns` but for those stand-ins; at levels above the one given they say nothing
 */
export function createQuickMeasure(
  sides: QuickSides,
): (currentProfiles: readonly Profile[], level: number, feature?: string) => Candidate[] {
  const gridOf = new Map(sides.grids.map((grid) => [grid.feature, grid]));
  const referenceOf = new Map(sides.referenceProfiles.map((profile) => [profile.feature, profile]));
  const tests = judgedColumns(sides.model, sides.segment).flatMap((column) =>
    COLUMN_DETECTORS.filter((detector) => detector.role === 'primary' && appliesTo(detector, column)).map(
      (detector): Test => {
        const grid = gridOf.get(column.name);
        const reference = referenceOf.get(column.name);
        const screen =
          grid === undefined || reference === undefined || grid.kind !== column.kind
            ? null
            : (detector.screen?.({ grid, reference }) ?? null);
        return { column, detector, grid, reference, screen, standIns: new Map(), vacuous: null };
      },
    ),
  );

  const measureOf = (test: Test, current: Profile | undefined): Candidate => ({
    ...measureTest(sides, test, current),
    segment: sides.segment,
  });

  function standInOf(test: Test, rows: number): Candidate | null {
    const size = Math.floor(Math.log2(rows) * SIZES_PER_OCTAVE);
    const known = test.standIns.get(size);
    if (known !== undefined) return known;
    const least = Math.floor(2 ** (size / SIZES_PER_OCTAVE));
    const [usual] = test.reference === undefined ? [] : usualWindow([test.reference], least);
    const usualCandidate = measureOf(test, usual);
    const isVisible =
      typeof usualCandidate.measured !== 'string' &&
      usualCandidate.measured.vacuous === null &&
      usualCandidate.null !== null &&
      usualCandidate.leastPValue <= SURELY_VISIBLE;
    const standIn = isVisible ? { ...usualCandidate, pValue: 1 } : null;
    test.standIns.set(size, standIn);
    return standIn;
  }

  /** A test that need not be measured, with nearly its p-value; null where it must. */
  function screened(test: Test, current: Profile): { standIn: Candidate; pValue: number } | null {
    const { column, detector, reference, screen } = test;
    if (screen === null || reference === undefined || current.kind !== column.kind) return null;
    const glance = screen(current);
    if (glance === null || isImmature(column, reference, current)) return null;
    if (glance === 'no_events') return test.vacuous && { standIn: test.vacuous, pValue: 1 };
    const testNull = nullOf(sides, column, detector, glance);
    const standIn = testNull === null ? null : standInOf(test, glance.currentRows);
    if (testNull === null || standIn === null) return null;
    return { standIn, pValue: pValueOf(testNull, glance.statistic, glance) };
  }

  return (currentProfiles, level, feature) => {
    const currentOf = new Map(currentProfiles.map((profile) => [profile.feature, profile]));
    const candidates: Candidate[] = [];
    const passed: { at: number; test: Test; pValue: number }[] = [];
    for (const test of tests) {
      if (feature !== undefined && test.column.name !== feature) continue;
      const current = currentOf.get(test.column.name);
      const glance = current === undefined ? null : screened(test, current);
      if (glance !== null) {
        if (glance.pValue < 1) passed.push({ at: candidates.length, test, pValue: glance.pValue });
        candidates.push(glance.standIn);
        continue;
      }
      const candidate = measureOf(test, current);
      if (typeof candidate.measured !== 'string' && candidate.measured.vacuous === 'no_events')
        test.vacuous = candidate;
      candidates.push(candidate);
    }
    const measureUpTo = (limit: number) => {
      for (const { at, test, pValue } of passed)
        if (pValue <= MARGIN * limit && candidates[at]?.pValue === 1)
          candidates[at] = measureOf(test, currentOf.get(test.column.name));
    };
    // At any level these are in the family, so that the first step of Holm's has no larger share to give.
    const members = candidates.filter(({ leastPValue }) => leastPValue <= SURELY_VISIBLE).length;
    const share = level / Math.max(1, members);
    measureUpTo(share);
    if (candidates.some(({ pValue }) => pValue <= share)) measureUpTo(level);
    return candidates;
  };
}

export type QuickMeasure = ReturnType<typeof createQuickMeasure>;
