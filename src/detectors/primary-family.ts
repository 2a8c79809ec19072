import type { ModelVersion } from '../domain/model.js';
import type { Grid, Profile } from '../domain/profile.js';
import type { Reference } from '../domain/reference.js';
import type { Segment } from '../domain/segment.js';
import type { EpisodeCategory } from '../domain/verdict.js';
import { LEAST_PAIR_ROWS } from '../stats/pair-classifier.js';
import { fitAucSpread } from '../stats/pair-spread.js';
import { type SegmentBaseline, spreadOf } from './column-baseline.js';
import { appliesTo } from './detector.js';
import { judgedColumns } from './measure-columns.js';
import { spreadDegrees } from './performance-drop.js';
import { COLUMN_DETECTORS } from './registry.js';

/** The tests that can flag an ordinary window of a model version. */
export interface PrimaryFamily {
  /** Tests per category, in the order of the detectors; categories without a test are absent. */
  readonly tests: ReadonlyMap<EpisodeCategory, number>;
  /** Median degrees of freedom of the scales that a temporal null has estimated; infinite for independent rows. */
  readonly scaleDegrees: number;
}

/**
 * Counts the primary tests that an ordinary window puts to the reference: those that a window distributed like the reference could
 * decide. Tests that cannot reject there (no missing value on either side, a constant column) take no share of the level.
 */
export function primaryFamily(input: {
  readonly model: ModelVersion;
  readonly reference: Reference;
  readonly grids: readonly Grid[];
  readonly referenceProfiles: readonly Profile[];
  /** Parts of the rows that are judged as well: their tests join the family. */
  readonly segments?: readonly SegmentBaseline[];
}): PrimaryFamily {
  const { nullModel, forest, multivariate } = input.reference;
  const gridOf = new Map(input.grids.map((grid) => [grid.feature, grid]));
  const tests = new Map<EpisodeCategory, number>();
  const count = (category: EpisodeCategory) => tests.set(category, (tests.get(category) ?? 0) + 1);
  const degrees: number[] = [];
  const populations: (Pick<SegmentBaseline, 'reference' | 'referenceProfiles'> & { segment?: Segment })[] = [
    input,
    ...(input.segments ?? []),
  ];
  for (const { segment, reference, referenceProfiles } of populations) {
    const { nullModel } = reference;
    const profileOf = new Map(referenceProfiles.map((profile) => [profile.feature, profile]));
    for (const column of judgedColumns(input.model, segment)) {
      const grid = gridOf.get(column.name);
      const profile = profileOf.get(column.name);
      if (grid === undefined || profile === undefined || grid.kind !== column.kind) continue;
      for (const detector of COLUMN_DETECTORS) {
        if (detector.role !== 'primary' || !appliesTo(detector, column)) continue;
        const measured = detector.measure({ grid, reference: profile, current: profile });
        if (typeof measured === 'string' || measured.vacuous !== null) continue;
        const spread = spreadOf(nullModel, column.name, detector.name);
        if (nullModel.kind === 'temporal' && spread === undefined) continue;
        if (spread !== undefined) degrees.push(spread.shape * (spread.effectivePieces ?? spread.pieces));
        count(detector.category);
      }
    }
  }
  if (forest !== null) count('outliers');
  // As it is judged: where windows differ by nobody knows how much, it decides nothing.
  const spread = fitAucSpread(multivariate?.pieces ?? []);
  const isKnown = nullModel.kind === 'iid' || nullModel.learned !== undefined || spread !== null;
  if (multivariate !== undefined && multivariate.rows >= LEAST_PAIR_ROWS && isKnown) {
    if (nullModel.kind === 'temporal' && spread !== null) degrees.push(spread.effectivePieces - 1);
    count('drift');
  }
  for (const { reference } of populations) {
    // Production says how windows differ where the reference does not.
    const isLearned = reference.nullModel.kind === 'iid' || reference.nullModel.learned !== undefined;
    for (const { spread } of reference.performance ?? []) {
      if (spread === null && !isLearned) continue;
      if (spread !== null) degrees.push(spreadDegrees(spread));
      count('performance');
    }
  }
  degrees.sort((a, b) => a - b);
  return { tests, scaleDegrees: degrees[Math.floor(degrees.length / 2)] ?? Number.POSITIVE_INFINITY };
}
