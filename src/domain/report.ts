import type { EpisodeDriver } from './episode.js';
import type { EpisodeMark } from './feedback.js';
import type { FeatureKind, Task } from './model.js';
import type { Figure } from './performance-figures.js';
import type { EpisodeCategory, UndecidedReason } from './verdict.js';
import type { Window } from './window.js';

/** The event that tells of a report. */
export const REPORT_READY = 'report.ready';
/** `schedule` of reports that people asked for. */
export const BY_HAND = 'manual';

/** The same of the period and of the one before it. */
export interface Compared<T> {
  readonly now: T;
  readonly previous: T;
}

/** What moved between the periods, in a sentence for people, and named for programs. */
export interface ReportChange {
  readonly kind:
    | 'episode_opened'
    | 'episode_closed'
    | 'feature_drifts'
    | 'feature_recovered'
    | 'performance'
    | 'volume'
    | 'missing'
    | 'outliers'
    | 'reference'
    | 'version'
    | 'retraining'
    | 'no_data';
  readonly modelVersion: string;
  /** The column that it is about; null where it is about the whole version. */
  readonly feature: string | null;
  /** Whether it is bad news; null where it is neither. */
  readonly worse: boolean | null;
  readonly text: string;
}

export interface ReportWindows {
  readonly judged: number;
  /** With a material drift. */
  readonly drifted: number;
  readonly undecided: number;
  readonly noData: number;
}

export interface ReportedFeature {
  readonly feature: string;
  readonly kind: FeatureKind;
  readonly windowsMaterial: Compared<number>;
  readonly windowsDecided: Compared<number>;
  /** The test that was material most often; null where none was. */
  readonly detector: string | null;
  readonly medianEffect: number | null;
  readonly largestEffect: number | null;
  /** How it moved over the whole period, in its own terms; null where that is not known. */
  readonly move: string | null;
}

export interface ReportedEpisode {
  readonly id: string;
  readonly category: EpisodeCategory;
  readonly severity: 'warning' | 'critical';
  readonly state: 'open' | 'closed';
  readonly firstWindow: Window;
  readonly closedBy: Window | null;
  readonly drivers: readonly EpisodeDriver[];
  /** What people said of it. */
  readonly mark: EpisodeMark['mark'];
}

export interface ReportedFigures {
  readonly predictions: number;
  readonly labelled: number;
  /** Share of predictions that are labelled. */
  readonly maturity: number;
  /** The share that usually are at this age; null where no earlier prediction was as old. */
  readonly usualMaturity: number | null;
  readonly status: 'decided' | 'undecided';
  readonly reason: UndecidedReason | null;
  readonly figures: Readonly<Record<string, Figure>>;
}

export interface ReportedQuality {
  readonly feature: string;
  /** Shares of rows. */
  readonly missing: Compared<number | null> & { readonly reference: number | null };
  readonly unseen: (Compared<number | null> & { readonly reference: number | null }) | null;
  /** Rows. */
  readonly mistyped: Compared<number>;
  readonly nonFinite: Compared<number>;
  readonly windowsMaterial: Compared<number>;
}

export interface ReportedOutliers {
  /** Rows that the isolation forest scored, and those that it flagged. */
  readonly scored: Compared<number>;
  readonly flagged: Compared<number>;
  readonly share: Compared<number | null>;
  readonly windowsMaterial: Compared<number>;
  /** What isolated the rows with the highest scores, most often first. */
  readonly isolatedBy: readonly { readonly feature: string; readonly rows: number }[];
}

export interface ReportedRetraining {
  readonly modelVersion: string;
  readonly episodeId: string;
  readonly verdict: 'cured' | 'not_cured' | 'cannot_tell';
  readonly sentence: string;
}

export interface ReportedVersion {
  readonly modelVersion: string;
  readonly task: Task;
  readonly rows: Compared<number>;
  readonly windows: Compared<ReportWindows>;
  readonly referenceHash: string | null;
  /** Those that drifted in either period, most often first. */
  readonly features: readonly ReportedFeature[];
  /** Open or opened in the period. */
  readonly episodes: readonly ReportedEpisode[];
  readonly performance:
    | (Compared<ReportedFigures | null> & { readonly reference: ReportedFigures | null })
    | null;
  /** Columns with something to say. */
  readonly quality: readonly ReportedQuality[];
  readonly outliers: ReportedOutliers;
  readonly retrainings: readonly ReportedRetraining[];
}

/** What a report says. HTML, Markdown and mails tell the same. Times in ms since the epoch. Counts and names only, no rows. */
export interface ReportFacts {
  readonly format: 1;
  readonly id: string;
  readonly model: string;
  /** Name of the schedule, or `manual`. */
  readonly schedule: string;
  readonly timeZone: string;
  readonly period: Window;
  readonly previous: Window;
  readonly madeAtMs: number;
  /** Earlier times of the schedule at which none was made, because the service was down. */
  readonly missed: number;
  readonly summary: string;
  readonly changes: readonly ReportChange[];
  /** Most rows first. */
  readonly versions: readonly ReportedVersion[];
  /** Versions that are left out for room. */
  readonly versionsLeftOut: number;
  readonly comparisons: readonly {
    readonly champion: string;
    readonly challenger: string;
    readonly summary: string;
  }[];
}

/** A report as lists show it. */
export interface ReportEntry
  extends Pick<
    ReportFacts,
    'id' | 'model' | 'schedule' | 'timeZone' | 'period' | 'madeAtMs' | 'missed' | 'summary'
  > {
  readonly versions: readonly string[];
}

export interface StoredReport {
  readonly facts: ReportFacts;
  /** The page, with its pictures: one file that needs nothing else. */
  readonly html: string;
}

/** What became of one time of a schedule. */
export interface ReportRun {
  readonly model: string;
  readonly schedule: string;
  /** Also the report's, and the same wherever it is worked out: of model, schedule and the period's end. */
  readonly id: string;
  readonly firesAtMs: number;
  /** `begun`: the schedule was seen for the first time, and begins after this. `failed` is tried again, `given_up` is not. */
  readonly state: 'begun' | 'made' | 'failed' | 'given_up';
  readonly attempts: number;
  readonly missed: number;
  readonly detail: string;
  readonly atMs: number;
}

export interface ReportStore {
  /** Replaces the report of the same id. */
  saveReport(report: StoredReport): Promise<void>;
  findReport(model: string, id: string): Promise<StoredReport | null>;
  /** Newest first; of every model when that is left out. */
  listReports(query: { model?: string; schedule?: string; limit: number }): Promise<ReportEntry[]>;
  /** Returns how many there were. */
  removeReports(model: string, ids: readonly string[]): Promise<number>;
  /** Removes reports, and events about them, in which one of the texts stands. Returns how many there were. */
  removeReportsWith(model: string, texts: readonly string[]): Promise<number>;
  /** Replaces the run of the same schedule and id. */
  saveReportRun(run: ReportRun): Promise<void>;
  /** The run of the newest time; null before the first. */
  lastReportRun(model: string, schedule: string): Promise<ReportRun | null>;
}
