import type { VersionKey } from './ports.js';
import type { Window } from './window.js';

/** Detectors that look at the errors one by one, in the order in which labels came. */
export const STREAM_DETECTORS = ['adwin', 'pageHinkley', 'ddm'] as const;
export type StreamDetectorName = (typeof STREAM_DETECTORS)[number];

/** A label's place in the order of arrival: by when it was stored, its own time, and its fingerprint (decimal text of a UInt64). */
export interface LabelCursor {
  readonly storedMs: number;
  readonly labelMs: number;
  readonly fingerprint: string;
}

/** One labelled prediction. */
export interface StreamedError {
  /** 0 or 1 of a classifier, |prediction − label| of a regression. */
  readonly error: number;
  /** The label's own time, ms. */
  readonly labelMs: number;
}

export interface ErrorPage {
  /** Labels looked at. */
  readonly labels: number;
  /** First labels of predictions that are there, in order; a later label for the same prediction is no new error. */
  readonly errors: readonly StreamedError[];
  /** Labels of the page without a prediction. */
  readonly unmatched: number;
  /** The page's last label; null when there is none. */
  readonly cursor: LabelCursor | null;
}

/** Where a version's stream has come to, with all that its detectors know. */
export interface ErrorStreamState {
  readonly cursor: LabelCursor;
  /** Errors seen. */
  readonly position: number;
  readonly unmatched: number;
  /** What errors are divided by: 1 for a classifier, the mean of the first errors for a regression. */
  readonly scale: number;
  /** States of the detectors, by name. */
  readonly detectors: Readonly<Record<string, unknown>>;
}

/** A point from which on errors are unlike those before, says one detector. */
export interface StreamDetection {
  readonly detector: StreamDetectorName;
  /** Number of the error at which it was seen, from 1. */
  readonly position: number;
  /** Time of that error's label, ms. */
  readonly labelMs: number;
}

/** What one detector compares the next errors with. */
export interface StreamDetectorSummary {
  readonly detector: StreamDetectorName;
  /** Errors since it began, or began again after its last detection. */
  readonly errors: number;
  /** Their mean: the share of wrong predictions of a classifier, the mean absolute error of a regression; null without any. */
  readonly meanError: number | null;
}

export interface ErrorStreamAnswer extends VersionKey {
  /** Labelled predictions seen so far, and labels whose prediction was not there. */
  readonly errors: number;
  readonly unmatched: number;
  /** Of each that looks at this version's errors; empty before the first label. */
  readonly detectors: readonly StreamDetectorSummary[];
  /** Newest first. */
  readonly detections: readonly StreamDetection[];
}

export interface ErrorStreamQuestion extends VersionKey {
  /** Most detections of the answer. */
  readonly limit: number;
  /** Only detections at labels of this time; all when left out. */
  readonly period?: Window;
}

export interface ErrorStreamStore {
  /** Stored labels of each version that has any, and the newest ten minutes in which some came, from the epoch. */
  labelArrivals(): Promise<(VersionKey & { readonly labels: number; readonly newest: number })[]>;
  /**
   * Labels of a version stored after `after` (from the first on when null), and `settledMs` ago at least, with the errors of their
   * predictions. An insert under way for longer than that may come too late to be seen.
   */
  nextErrors(
    key: VersionKey & { readonly regression: boolean },
    after: LabelCursor | null,
    limits: { readonly rows: number; readonly settledMs: number },
  ): Promise<ErrorPage>;
  errorStream(key: VersionKey): Promise<ErrorStreamState | null>;
  /** Saves the detections first: a crash in between repeats them, and replaces them by themselves. */
  saveErrorStream(
    key: VersionKey,
    state: ErrorStreamState,
    detections: readonly StreamDetection[],
  ): Promise<void>;
  /** Newest first. */
  streamDetections(question: ErrorStreamQuestion): Promise<StreamDetection[]>;
}
