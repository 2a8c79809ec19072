import type { z } from 'zod';
import { type FeatureKind, type FeatureSchema, LABEL, LATENCY } from '../domain/model.js';
import type { Grid, Profile } from '../domain/profile.js';
import type { Effect, EpisodeCategory, UndecidedReason } from '../domain/verdict.js';

/** Two samples of one column, counted on the same grid. */
export interface Samples {
  readonly grid: Grid;
  readonly reference: Profile;
  readonly current: Profile;
}

/**
 * The maps from a statistic to its null. All are pure; p-values fall and ratios grow as the statistic grows, so thresholds
 * can be found by inversion.
 */
export interface Scale {
  /** The largest statistic that this window could have shown. */
  readonly largest: number;
  /** The statistic on its null scale, mean 1 under independent rows. `pieces` limits how extreme it can be read. */
  readonly ratioOf: (statistic: number, pieces: number) => number;
  readonly iidPValueOf: (statistic: number) => number;
}

/** What a detector saw, with the maps that a null needs. */
export interface Measurement extends Scale {
  /** Larger means more drift. */
  readonly statistic: number;
  /** Rows that took part. */
  readonly referenceRows: number;
  readonly currentRows: number;
  /** Degrees of freedom of the statistic under independent rows: the most that a fitted shape may have. */
  readonly degreesOfFreedom: number;
  /** How far the statistic can lie below the exact one; null when it is exact by construction. */
  readonly resolution: number | null;
  /**
   * `constant`: both samples hold one and the same value. `no_events`: no row of either sample is a hit.
   * Such a test cannot reject whatever its level, so it takes no part in the family.
   */
  readonly vacuous: 'constant' | 'no_events' | null;
  /** For a two-sided test with a direction: the maps of the direction that was not seen. */
  readonly opposite: Scale | null;
  /** The size of effect that goes with a statistic at these sample sizes. */
  readonly effectOf: (statistic: number) => number;
  readonly effectWithInterval: (designEffect: number) => Effect;
  readonly parameters: Readonly<Record<string, number | string | boolean>>;
}

/** What a detector's statistic nearly is in one window. */
export interface Glance extends Pick<Scale, 'ratioOf' | 'iidPValueOf'> {
  readonly statistic: number;
  readonly referenceRows: number;
  readonly currentRows: number;
}

/**
 * Looks at many windows against one reference, much faster than `measure`, and near enough that a p-value of twice a level is above
 * that level when measured. `no_events`: that is what `measure` will find. Null: it cannot tell, `measure` must.
 */
export type Screen = (current: Profile) => Glance | 'no_events' | null;

export interface Detector {
  /** Name in verdicts, metrics and configuration. */
  readonly name: string;
  readonly accepts: readonly FeatureKind[];
  /** The one column it judges, where that is no feature. */
  readonly column?: string;
  readonly category: EpisodeCategory;
  readonly role: 'primary' | 'descriptive';
  /** The effect from which a drift is material. */
  readonly minimumEffect: number;
  /** Compares two samples, or says why it cannot. */
  readonly measure: (samples: Samples) => Measurement | UndecidedReason;
  /** Prepares for many windows; left out where measuring is fast enough. */
  readonly screen?: (sides: Pick<Samples, 'grid' | 'reference'>) => Screen;
}

export interface Descriptor<Params extends z.ZodType> extends Omit<Detector, 'measure' | 'screen'> {
  readonly params: Params;
  readonly measure: (samples: Samples, params: z.output<Params>) => Measurement | UndecidedReason;
  readonly screen?: (sides: Pick<Samples, 'grid' | 'reference'>, params: z.output<Params>) => Screen;
}

/** Makes a detector of its descriptor; parameters that are not given take the schema's defaults. */
export function defineDetector<Params extends z.ZodType>(
  descriptor: Descriptor<Params>,
): (params?: z.input<Params>) => Detector {
  const { params: schema, measure, screen, ...rest } = descriptor;
  return (input) => {
    const params = schema.parse(input ?? {});
    return {
      ...rest,
      measure: (samples) => measure(samples, params),
      ...(screen === undefined ? {} : { screen: (sides) => screen(sides, params) }),
    };
  };
}

/**
 * Whether a detector judges a column. Latencies have tests of their own, and a row without a label is one whose truth is not
 * known yet.
 */
export function appliesTo(detector: Detector, column: FeatureSchema): boolean {
  if (!detector.accepts.includes(column.kind)) return false;
  if (detector.column !== undefined || column.name === LATENCY) return detector.column === column.name;
  return !(column.name === LABEL && detector.name === 'missing');
}

/** n·m/(n + m): the sample size that a two-sample comparison is worth. */
export function informationOf(sizes: { referenceRows: number; currentRows: number }): number {
  return (sizes.referenceRows * sizes.currentRows) / (sizes.referenceRows + sizes.currentRows);
}

/** With more of its values occurring once in the reference, a column holds identifiers or free text: new ones are no news. */
const IDENTIFIER_SHARE = 0.95;

/** Whether nearly every value of the reference is one of its own. */
export function holdsIdentifiers(grid: Grid): boolean {
  return grid.kind === 'categorical' && (grid.singletonShare ?? 0) > IDENTIFIER_SHARE;
}

/** Rows without a value that the column's kind allows: null or absent, NaN or ±Infinity, text in a numeric column. */
export function unusableRows(profile: Profile): number {
  return profile.missing + profile.nonFinite + profile.mistyped;
}

/** Cell that holds all of a sample's mass, or −1. */
export function onlyCell(counts: readonly number[]): number {
  let only = -1;
  for (let cell = 0; cell < counts.length; cell++) {
    if ((counts[cell] ?? 0) === 0) continue;
    if (only >= 0) return -1;
    only = cell;
  }
  return only;
}

/** Whether both samples of a categorical column hold one and the same category; the pooled tail and unseen values may be many. */
export function isSameCategory(grid: Grid, reference: Profile, current: Profile): boolean {
  const only = onlyCell(reference.counts);
  return (
    grid.kind === 'categorical' && only >= 0 && only < grid.headSize && only === onlyCell(current.counts)
  );
}
