import type { Policy } from './episode.js';
import type { EpisodeCategory } from './verdict.js';
import type { Window } from './window.js';

/** A policy to be tried. */
export interface TriedPolicy {
  /** As people call it. */
  readonly name: string;
  readonly policy: Policy;
  readonly falseEpisodesPer30Days?: number | undefined;
  readonly level?: number | undefined;
}

/**
 * A drift to be planted in one column of the stored counts, from some window on. `value`: numbers move up by `size` reference standard
 * deviations, of categories `size` of all rows move to the second most frequent one. `missing`: `size` of the present values are lost.
 */
export interface PlantedShift {
  readonly feature: string;
  readonly kind: 'value' | 'missing';
  readonly size: number;
}

export interface BacktestEpisode {
  readonly category: EpisodeCategory;
  readonly severity: 'warning' | 'critical';
  readonly firstWindow: Window;
  readonly openedBy: Window;
  /** Null while still open at the end of the period. */
  readonly closedBy: Window | null;
  /** Columns that opened it, most affected first; of a segment with its name, `temp (carrier = AA)`. */
  readonly features: readonly string[];
}

/** How soon a policy opens an episode over a planted shift alone, for starts spread over the period. */
export interface ShiftDelays extends PlantedShift {
  readonly starts: number;
  /** Starts after which an episode opened within 30 days. */
  readonly detected: number;
  /** From the start of the first shifted window to the end of the one that opened it; null where too few starts were detected. */
  readonly medianDelayMs: number | null;
  readonly p90DelayMs: number | null;
}

export interface PolicyOutcome {
  readonly name: string;
  /** Least and greatest window level over the period. */
  readonly level: { readonly least: number; readonly greatest: number };
  readonly driftedWindows: Readonly<Partial<Record<EpisodeCategory, number>>>;
  /** Windows with fewer rows than its minimum: they decided nothing. */
  readonly windowsBelowMinimum: number;
  /** All that it opened; `episodes` holds the first thousand. */
  readonly opened: number;
  readonly episodes: readonly BacktestEpisode[];
  readonly pagesPerWeek: number;
  readonly shifts: readonly ShiftDelays[];
}

export interface Backtest {
  readonly model: string;
  readonly modelVersion: string;
  readonly referenceHash: string;
  readonly period: Window;
  readonly windowMs: number;
  readonly stepMs: number;
  /** Windows of the period, and those of them without a row. */
  readonly windows: number;
  readonly emptyWindows: number;
  /** Hours of the period with rows that were not counted when the backtest began: their windows lack them. */
  readonly hoursNotCounted: number;
  readonly policies: readonly PolicyOutcome[];
}
