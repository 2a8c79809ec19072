import { z } from 'zod';
import { HOUR_MS } from '../domain/window.js';
import { limit, name, text, wholeHour } from './request-schemas.js';

const MAX_SPAN_MS = 366 * 24 * HOUR_MS;

export const reportsQuery = z.strictObject({
  schedule: text.max(60).optional(),
  limit: limit.default(100),
});

/** A report now: of a schedule (the model's first by default), or of a period. */
export const reportRunBody = z
  .strictObject({
    schedule: text.max(60).optional(),
    version: name.optional(),
    from: wholeHour.optional(),
    to: wholeHour.optional(),
    /** Also to whom the schedule's reports go. */
    announce: z.boolean().default(false),
  })
  .refine(({ from, to }) => (from === undefined) === (to === undefined), 'from goes with to')
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, 'to must be after from')
  .refine(
    ({ from, to }) => from === undefined || to === undefined || to - from <= MAX_SPAN_MS,
    'a report is of at most 366 days',
  );

const count = z.int().min(0);
const share = z.number().nullable();
const time = z.int().describe('ms since the epoch');
const period = z.strictObject({ startMs: time, endMs: time });
const compared = <T extends z.ZodType>(side: T) => z.strictObject({ now: side, previous: side });

const entry = {
  id: z.string(),
  model: z.string(),
  schedule: z.string().describe('name of the schedule, or `manual`'),
  timeZone: z.string(),
  period,
  madeAtMs: time,
  missed: count.describe('earlier times of the schedule without a report, as the service was away'),
  summary: z.string(),
};
export const reportEntry = z.strictObject({
  ...entry,
  versions: z.array(z.string()),
  links: z.strictObject({ page: z.string(), html: z.string(), markdown: z.string(), json: z.string() }),
});
export const reportList = z.strictObject({ reports: z.array(reportEntry) });

const change = z.strictObject({
  kind: z.enum([
    'episode_opened',
    'episode_closed',
    'feature_drifts',
    'feature_recovered',
    'performance',
    'volume',
    'missing',
    'outliers',
    'reference',
    'version',
    'retraining',
    'no_data',
  ]),
  modelVersion: z.string(),
  feature: z.string().nullable(),
  worse: z.boolean().nullable().describe('bad news, good news, or neither'),
  text: z.string(),
});

const windows = z.strictObject({ judged: count, drifted: count, undecided: count, noData: count });

const feature = z.strictObject({
  feature: z.string(),
  kind: z.enum(['numeric', 'categorical']),
  windowsMaterial: compared(count),
  windowsDecided: compared(count),
  detector: z.string().nullable(),
  medianEffect: z.number().nullable(),
  largestEffect: z.number().nullable(),
  move: z.string().nullable(),
});

const episode = z.strictObject({
  id: z.string(),
  category: z.enum(['drift', 'dataQuality', 'outliers', 'performance', 'service']),
  severity: z.enum(['warning', 'critical']),
  state: z.enum(['open', 'closed']),
  firstWindow: period,
  closedBy: period.nullable(),
  drivers: z.array(z.looseObject({ feature: z.string(), detector: z.string(), effect: z.number() })),
  mark: z.enum(['true', 'false']).nullable(),
});

const figures = z
  .strictObject({
    predictions: count,
    labelled: count,
    maturity: z.number().describe('share of predictions that are labelled'),
    usualMaturity: share,
    status: z.enum(['decided', 'undecided']),
    reason: z.string().nullable(),
    figures: z.record(
      z.string(),
      z.strictObject({
        value: z.number(),
        low: z.number().nullable(),
        high: z.number().nullable(),
        rows: count,
      }),
    ),
  })
  .nullable();

const shares = z.strictObject({ now: share, previous: share, reference: share });
const quality = z.strictObject({
  feature: z.string(),
  missing: shares,
  unseen: shares.nullable(),
  mistyped: compared(count),
  nonFinite: compared(count),
  windowsMaterial: compared(count),
});

const outliers = z.strictObject({
  scored: compared(count),
  flagged: compared(count),
  share: compared(share),
  windowsMaterial: compared(count),
  isolatedBy: z.array(z.strictObject({ feature: z.string(), rows: count })),
});

const version = z.strictObject({
  modelVersion: z.string(),
  task: z.enum(['binary', 'multiclass', 'regression']),
  rows: compared(count),
  windows: compared(windows),
  referenceHash: z.string().nullable(),
  features: z.array(feature),
  episodes: z.array(episode),
  performance: z.strictObject({ now: figures, previous: figures, reference: figures }).nullable(),
  quality: z.array(quality),
  outliers,
  retrainings: z.array(
    z.strictObject({
      modelVersion: z.string(),
      episodeId: z.string(),
      verdict: z.enum(['cured', 'not_cured', 'cannot_tell']),
      sentence: z.string(),
    }),
  ),
});

/** A report as JSON: `domain/report.ts`, for programs that read it. */
export const reportFacts = z.strictObject({
  format: z.literal(1),
  ...entry,
  previous: period.describe('the period before, which everything is compared with'),
  changes: z.array(change),
  versions: z.array(version),
  versionsLeftOut: count,
  comparisons: z.array(z.strictObject({ champion: z.string(), challenger: z.string(), summary: z.string() })),
});
