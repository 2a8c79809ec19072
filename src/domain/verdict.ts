import type { PairChange } from './multivariate.js';
import type { Segment } from './segment.js';
import type { Window } from './window.js';

export type VerdictStatus = 'stable' | 'drifted' | 'undecided';
export const EPISODE_CATEGORIES = ['drift', 'dataQuality', 'outliers', 'performance', 'service'] as const;
export type EpisodeCategory = (typeof EPISODE_CATEGORIES)[number];

/** Why a detector could not decide. Never read as "no drift". Documented in docs/detectors.md. */
export const UNDECIDED_REASONS = [
  'no_data',
  'no_reference',
  'too_few_rows',
  'minimum_traffic',
  'not_visible_at_window_length',
  'labels_immature',
  'high_cardinality',
  'constant_column',
  'not_applicable',
] as const;
export type UndecidedReason = (typeof UNDECIDED_REASONS)[number];

/** The test on the rows of a window against those of earlier ones: it alone depends on other windows' rows. */
export const VOLUME = 'volume';

export interface Effect {
  readonly value: number;
  /** 95 % interval. */
  readonly low: number;
  readonly high: number;
}

/**
 * One detector's answer for one window and column. The same inputs give the same verdict, byte for byte.
 * `status` is significance alone; `material` says whether the effect also reaches `minimumEffect`.
 */
export interface Verdict {
  readonly model: string;
  readonly modelVersion: string;
  /** Column name; empty for a verdict about whole rows (isolation forest, domain classifier). */
  readonly feature: string;
  /** The rows that it is about; all of the window's when left out. */
  readonly segment?: Segment;
  readonly detector: string;
  readonly category: EpisodeCategory;
  /** Primary verdicts form the corrected family and can alarm; descriptive ones rank and explain. */
  readonly role: 'primary' | 'descriptive';
  readonly window: Window;
  readonly status: VerdictStatus;
  readonly reason: UndecidedReason | null;
  readonly material: boolean;
  /** Larger means more drift. */
  readonly statistic: number | null;
  readonly effect: Effect | null;
  readonly pValue: number | null;
  readonly adjustedPValue: number | null;
  /** The statistic at which this test turns `drifted` at its share of the window's level. */
  readonly threshold: number | null;
  /** The effect from which a drift is material. */
  readonly minimumEffect: number;
  readonly referenceRows: number;
  readonly currentRows: number;
  readonly effectiveReferenceRows: number;
  readonly effectiveCurrentRows: number;
  readonly null: 'iid' | 'temporal';
  /** Variance inflation of the statistic against independent rows, at this window's size; 1 for iid. */
  readonly designEffect: number;
  /** How far the reported statistic can lie below the exact one, from the grid's cells. */
  readonly resolution: number | null;
  /** The smallest effect that this window could have shown at its level. */
  readonly smallestVisibleEffect: number | null;
  readonly referenceHash: string;
  readonly parameters: Readonly<Record<string, number | string | boolean>>;
  readonly seed: number | null;
  /** Of a domain classifier: the features that tell the window apart, at most three pairs. */
  readonly pairs?: readonly PairChange[];
}

/** What one judged window means for one category: the input of the policy. */
export interface WindowOutcome {
  readonly model: string;
  readonly modelVersion: string;
  readonly category: EpisodeCategory;
  readonly window: Window;
  /** drifted: a primary verdict is drifted and material. clean: none is, and at least one decided. Else undecided. */
  readonly state: 'drifted' | 'clean' | 'undecided';
  /** The material primary verdicts, worst first; empty unless drifted. */
  readonly drivers: readonly Verdict[];
  /** What happened to the drivers' columns, in sentences of bounded length; left out unless drifted. */
  readonly why?: readonly string[];
}
