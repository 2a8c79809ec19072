import type { Distribution } from '../domain/distribution.js';
import type { Episode } from '../domain/episode.js';
import type { EpisodeMark } from '../domain/feedback.js';
import type { FeatureKind, ModelVersion } from '../domain/model.js';
import type { OutlierRecord } from '../domain/outlier-ports.js';
import type { RunRecord } from '../domain/ports.js';
import type { Reference, ReferenceChange, ReferenceSummary } from '../domain/reference.js';
import type { Segment } from '../domain/segment.js';
import type { Verdict } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import type { Look } from './severity.js';

/** One cell of the heatmap: a feature in one column of time. */
export interface HeatCell {
  readonly row: number;
  readonly column: Window;
  readonly look: Look;
  /** Nearness to the alarm, 1 = alarm; null when unknown. */
  readonly ratio: number | null;
  readonly worst: Verdict | null;
  /** The windows whose worst verdict the cell shows; more than one when columns are coarser than windows. */
  readonly windows: number;
  /** The judged window to look at: that of `worst`, else the column. */
  readonly window: Window;
}

export interface Heatmap {
  readonly range: Window;
  /** Length of a column, ms. */
  readonly columnMs: number;
  /** Worst first. */
  readonly features: readonly string[];
  /** One for each row and column with a judged or attempted window. */
  readonly cells: readonly HeatCell[];
}

/** One detector of one feature over time. */
export interface SeriesPoint {
  readonly window: Window;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly look: Look;
}

export interface Series {
  readonly detector: string;
  readonly role: Verdict['role'];
  readonly points: readonly SeriesPoint[];
  /** The effect from which a drift is material, where the statistic is the effect; else null. */
  readonly minimumEffect: number | null;
}

export interface RankedFeature {
  readonly feature: string;
  readonly kind: FeatureKind;
  readonly look: Look;
  readonly ratio: number | null;
  /** The shape test of the last judged window that has one. */
  readonly verdict: Verdict | null;
  readonly distribution: Distribution | null;
  /** Medians of numeric features, reference and current. */
  readonly medians: { readonly reference: number | null; readonly current: number | null };
  readonly windowsMaterial: number;
  readonly windowsDecided: number;
}

export type ModelState = 'ok' | 'drifting' | 'undecided' | 'no_data';

export interface VersionSummary {
  readonly version: ModelVersion;
  readonly state: ModelState;
  readonly rows: number;
  /** Newest event, ms; null before the first. */
  readonly watermarkMs: number | null;
  readonly lastRun: RunRecord | null;
  /** Columns in the last window, by look. */
  readonly looks: Readonly<Record<Look, number>>;
  /** Worst columns of the last window, worst first. */
  readonly worst: readonly Verdict[];
  readonly openEpisodes: readonly Episode[];
}

export interface OverviewData {
  readonly generatedAtMs: number;
  readonly versions: readonly VersionSummary[];
  readonly openEpisodes: readonly Episode[];
  readonly totals: {
    readonly predictions: number;
    readonly labels: number;
    readonly labelsMatched: number;
    readonly rejected: number;
  };
}

/** One part of a window's rows. */
export interface SegmentSummary {
  readonly segment: Segment;
  readonly rows: number;
  /** Columns by look. */
  readonly looks: Readonly<Record<Look, number>>;
  /** The primary verdicts nearest to their alarm, worst first. */
  readonly worst: readonly Verdict[];
}

export interface ModelData {
  readonly generatedAtMs: number;
  readonly version: ModelVersion;
  readonly reference: Reference | null;
  /** All that the version has had, the current one first. */
  readonly references: readonly ReferenceSummary[];
  /** Newest first. */
  readonly referenceChanges: readonly ReferenceChange[];
  readonly rows: number;
  readonly watermarkMs: number | null;
  /** The time shown. */
  readonly range: Window;
  /** What is judged at all, for the links to other ranges; null before the first window. */
  readonly judged: Window | null;
  readonly lastRun: RunRecord | null;
  readonly windows: { readonly judged: number; readonly noData: number; readonly skipped: number };
  readonly heatmap: Heatmap;
  readonly ranked: readonly RankedFeature[];
  readonly episodes: readonly Episode[];
  /** What people said of them, by id. */
  readonly marks: ReadonlyMap<string, EpisodeMark>;
  /** Of the last judged window; empty without segments. */
  readonly segments: readonly SegmentSummary[];
  readonly outlierShare: Series | null;
  /** AUC of the domain classifier over windows. */
  readonly together: Series | null;
  readonly outliers: readonly OutlierRecord[];
  /** The range holds more verdicts than a page reads; the newest are left out. */
  readonly truncated: boolean;
}

export interface FeatureData {
  readonly generatedAtMs: number;
  readonly version: ModelVersion;
  readonly reference: Reference | null;
  readonly feature: string;
  readonly kind: FeatureKind;
  readonly window: Window;
  readonly range: Window;
  readonly previousWindow: Window | null;
  readonly nextWindow: Window | null;
  readonly worstWindow: Window | null;
  readonly distribution: Distribution | null;
  readonly medians: { readonly reference: number | null; readonly current: number | null };
  /** Of the chosen window, primary first. */
  readonly verdicts: readonly Verdict[];
  readonly series: readonly Series[];
}

/** A calendar month (UTC) of a report. */
export interface MonthSummary {
  readonly window: Window;
  readonly windowsJudged: number;
  readonly windowsNoData: number;
  readonly windowsUndecided: number;
  readonly windowsDrifted: number;
  readonly features: readonly {
    readonly feature: string;
    readonly detector: string;
    readonly windowsMaterial: number;
    readonly windowsSignificant: number;
    readonly windowsDecided: number;
    /** Median over the month's decided windows. */
    readonly medianEffect: number;
    readonly maxEffect: number;
    readonly maxRatio: number;
    readonly worstWindow: Window;
  }[];
}

export interface QualityRow {
  readonly feature: string;
  readonly kind: FeatureKind;
  readonly missing: { readonly reference: number | null; readonly current: number | null };
  readonly unseen: { readonly reference: number | null; readonly current: number | null } | null;
  readonly mistyped: number;
  readonly nonFinite: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly referenceMin: number | null;
  readonly referenceMax: number | null;
  readonly windowsMaterial: number;
}

/** A feature with pictures of its own: `ranked` describes the whole period. */
export interface ReportFeature {
  readonly ranked: RankedFeature;
  readonly series: Series | null;
}

export interface ReportData extends ModelData {
  readonly period: Window;
  /** Over the whole period. */
  readonly summaries: MonthSummary['features'];
  readonly months: readonly MonthSummary[];
  /** Most often drifted first. */
  readonly top: readonly ReportFeature[];
  readonly quality: readonly QualityRow[];
  readonly rowsInPeriod: number;
}
