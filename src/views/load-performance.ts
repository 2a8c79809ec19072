import type { ErrorStreamAnswer, ErrorStreamQuestion } from '../domain/error-stream.js';
import type { EstimateAnswer } from '../domain/estimate.js';
import type { PieceLength } from '../domain/performance.js';
import type { PerformanceAnswer } from '../domain/performance-figures.js';
import type { VersionKey } from '../domain/ports.js';
import { DAY_MS, type Window } from '../domain/window.js';

/** What is known of how good a version was. */
export interface KnownPerformance {
  readonly performance: PerformanceAnswer;
  /** What labels were expected to show; null: not asked. */
  readonly estimates: EstimateAnswer | null;
  /** Where the errors changed in the time shown; null: not asked. */
  readonly conceptDrift: ErrorStreamAnswer | null;
}

interface Question extends VersionKey {
  readonly period: Window;
  readonly bucket: PieceLength;
  readonly segment: null;
}

/** Who answers; what is left out is not shown. */
export interface PerformanceSources {
  readonly performance?: (question: Question) => Promise<PerformanceAnswer>;
  readonly estimates?: (question: Question) => Promise<EstimateAnswer>;
  readonly conceptDrift?: (question: ErrorStreamQuestion) => Promise<ErrorStreamAnswer>;
}

/** Newest detections that a page or report reads; docs/concept-drift.md has how many come in a year. */
export const MAX_DETECTIONS = 10_000;

/** Stretches that a picture of so much time can tell apart. */
export function bucketFor({ startMs, endMs }: Window): PieceLength {
  const days = (endMs - startMs) / DAY_MS;
  if (days <= 7) return 'hour';
  if (days <= 190) return 'day';
  return days <= 1_500 ? 'week' : 'month';
}

/** As `bucketFor`, but coarser: a stretch is estimated in some 0.1 s of processor time, and a page waits for all of them. */
export function estimatedBucketFor({ startMs, endMs }: Window): PieceLength {
  const days = (endMs - startMs) / DAY_MS;
  if (days <= 1) return 'hour';
  if (days <= 31) return 'day';
  return days <= 217 ? 'week' : 'month';
}

/** How good a version was and was expected to be in a period, by the same stretches; null where nobody is asked. */
export async function loadPerformance(
  { performance, estimates, conceptDrift }: PerformanceSources,
  key: VersionKey,
  period: Window,
): Promise<KnownPerformance | null> {
  if (performance === undefined) return null;
  const { model, modelVersion } = key;
  const bucket = estimates === undefined ? bucketFor(period) : estimatedBucketFor(period);
  const question: Question = { model, modelVersion, period, bucket, segment: null };
  return {
    performance: await performance(question),
    estimates: (await estimates?.(question)) ?? null,
    conceptDrift: (await conceptDrift?.({ model, modelVersion, period, limit: MAX_DETECTIONS })) ?? null,
  };
}
