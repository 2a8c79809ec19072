import { z } from 'zod';
import { NAME_PATTERN, RESERVED_FEATURES } from '../domain/model.js';
import { REJECT_REASONS } from '../domain/prediction.js';
import { HOUR_MS } from '../domain/window.js';
import { AppError, type ErrorCode } from '../errors.js';

const MAX_PAGE = 10_000;
const MAX_FEATURES = 2_000;

/** ISO date or date and time with a zone → ms since the epoch. */
const time = z
  .union(
    [z.iso.date(), z.iso.datetime({ offset: true })],
    'must be an ISO date or time, e.g. 2026-01-01T00:00:00Z',
  )
  .transform((text) => Date.parse(text));
export const wholeHour = time.refine((ms) => ms % HOUR_MS === 0, 'must be a whole hour');
export const name = z
  .string()
  .regex(NAME_PATTERN, 'must have 1 to 120 letters, digits, spaces and . : / _ -');
export const limit = z.coerce.number().int().min(1).max(MAX_PAGE).default(1_000);
/** Any text can be asked for; what is not there is an empty list. */
export const text = z.string().max(512);

export const modelPath = z.object({ model: name });
export const versionPath = z.object({ model: name, version: name });

/** Of events that name no model or version themselves. */
export const ingestQuery = z.object({ model: text.max(120).optional(), version: text.max(120).optional() });

/** A place in a list, as an earlier answer named it. */
const cursor = z
  .string()
  .max(1_000)
  .regex(
    /^\d{1,15}\.-?\d{1,10}\.-?\d{1,19}\.\d{1,10}\.[\w-]*\.[0-9A-F]{32}$/,
    'must be the `next` of an earlier answer',
  );
const rejectedScope = {
  model: text.optional(),
  reason: z.enum(REJECT_REASONS).optional(),
  kind: z.enum(['prediction', 'label']).optional(),
  after: cursor.optional(),
};
export const rejectedQuery = z.strictObject({ ...rejectedScope, limit: limit.default(100) });
export const rejectedRedrive = z.strictObject({
  ...rejectedScope,
  version: text.optional(),
  before: time.optional(),
});

/** Values may hold `=`, columns do not. */
function segmentOf(text: string): { column: string; value: string } {
  const at = text.indexOf('=');
  return { column: text.slice(0, at), value: text.slice(at + 1) };
}
/** `every`, or `COLUMN=VALUE`. */
const segment = z
  .string()
  .max(800)
  .refine(
    (text) => text === 'every' || text.indexOf('=') > 0,
    'must be every, or COLUMN=VALUE, e.g. tags.region=eu',
  )
  .transform((text) => (text === 'every' ? ('every' as const) : segmentOf(text)));
const oneSegment = z
  .string()
  .max(800)
  .refine((text) => text.indexOf('=') > 0, 'must be COLUMN=VALUE, e.g. tags.region=eu')
  .transform(segmentOf);

export const verdictQuery = z.strictObject({
  version: text,
  from: time.optional(),
  to: time.optional(),
  feature: text.optional(),
  detector: text.optional(),
  role: z.enum(['primary', 'descriptive']).optional(),
  segment: segment.optional(),
  limit,
});
export const schemaChangesQuery = z.strictObject({
  version: text,
  from: wholeHour.optional(),
  to: wholeHour.optional(),
});
export const whyQuery = z.strictObject({
  version: text,
  from: wholeHour.optional(),
  to: wholeHour.optional(),
});
export const performanceQuery = z.strictObject({
  version: text,
  from: wholeHour.optional(),
  to: wholeHour.optional(),
  bucket: z.enum(['hour', 'day', 'week', 'month', 'all']).default('day'),
  segment: oneSegment.optional(),
});
export const versionsQuery = z.strictObject({
  champion: text,
  challenger: text,
  from: wholeHour.optional(),
  to: wholeHour.optional(),
  figure: text.optional(),
  margin: z.coerce.number().gt(0).max(1e12).optional(),
  minimumDays: z.coerce.number().int().min(1).max(365).optional(),
  bucket: z.enum(['hour', 'day', 'week', 'month', 'all']).default('day'),
});
export const latencyQuery = z.strictObject({ from: wholeHour.optional(), to: wholeHour.optional() });
export const skewQuery = z.strictObject({ version: text, from: wholeHour.optional() });
/** A form has no null: an empty mark takes the earlier one back. */
export const episodeMark = z.strictObject({
  mark: z
    .union([z.enum(['true', 'false', '']), z.boolean(), z.null()])
    .transform((mark): 'true' | 'false' | null => {
      if (mark === '' || mark === null) return null;
      return String(mark) === 'true' ? 'true' : 'false';
    }),
  note: z.string().max(2_000).default(''),
});
export const feedbackQuery = z.strictObject({
  seed: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
});
export const conceptDriftQuery = z.strictObject({ version: text, limit });
/** A place in the list of outliers: bits of the score, ms, identity. */
const outlierCursor = z
  .string()
  .regex(/^\d{1,19}_-?\d{1,15}_\d{1,20}$/, 'must be the `next` of an earlier answer')
  .transform((text) => {
    const [scoreBits = '', ms = '', identity = ''] = text.split('_');
    return { scoreBits, timestampMs: Number(ms), identity };
  });
export const outlierQuery = z.strictObject({
  from: time.optional(),
  to: time.optional(),
  minScore: z.coerce.number().min(0).max(1).optional(),
  feature: text.optional(),
  cursor: outlierCursor.optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});
export const profileQuery = z.strictObject({
  version: text,
  scope: z.enum(['production', 'reference']).default('production'),
  from: wholeHour.optional(),
  to: wholeHour.optional(),
  feature: text.optional(),
});
export const reportBody = z.strictObject({
  model: text,
  modelVersion: text,
  from: time.optional(),
  to: time.optional(),
});

/** False episodes per 30 days, as in a policy. */
const budget = z.number().min(0.05).max(100);
export const tuningQuery = z.strictObject({
  version: text,
  budgets: z
    .string()
    .default('0.1,0.5,1,4')
    .transform((list) => list.split(',').map(Number))
    .pipe(z.array(budget).min(1).max(10)),
});

export const backtestBody = z.strictObject({
  version: text,
  from: time.optional(),
  to: time.optional(),
  policies: z
    .array(z.strictObject({ name: z.string().min(1).max(120), policy: z.record(z.string(), z.unknown()) }))
    .max(10)
    .default([]),
  shifts: z
    .array(
      z.strictObject({
        feature: text,
        kind: z.enum(['value', 'missing']).default('value'),
        size: z.number().min(-100).max(100),
      }),
    )
    .max(10)
    .default([]),
});

/** Why a reference is changed, in the words of who does it. */
const reason = z.string().max(500).default('');
/** How the isolation forest is grown, instead of as configured. */
const trees = z.coerce.number().int().min(10).max(1_000).optional();
const sampleSize = z.coerce.number().int().min(16).max(4_096).optional();
export const referenceQuery = z.object({ reason, trees, sampleSize });
const outliers = z.strictObject({ trees, sampleSize }).optional();
const referenceHash = z.string().regex(/^[0-9a-f]{64}$/, 'must be the 64 hex digits of a reference');

const ofPeriod = z.strictObject({
  period: z.strictObject({ from: wholeHour, to: wholeHour }),
  reason,
  outliers,
});
const ofQuery = z.strictObject({ query: z.string().min(1).max(100_000), reason, outliers });

/** A reference from a query, a past production period, or an earlier reference by its hash. */
export const referenceBody = z.union(
  [ofPeriod, z.strictObject({ hash: referenceHash, reason }), ofQuery],
  'must be {"period":{"from","to"}} with whole hours, {"hash"} of an earlier reference, or {"query":"SELECT …"}; "reason" is optional, "outliers":{"trees","sampleSize"} too but for an earlier one',
);

/** One prediction, in all its rows, or all rows that carry a tag's value. */
export const erasureBody = z.union(
  [
    z.strictObject({ predictionId: z.string().min(1).max(512), reason }),
    z.strictObject({
      subject: z.strictObject({ tag: z.string().min(1).max(256), value: z.string().min(1).max(8_192) }),
      reason,
    }),
  ],
  'must be {"predictionId"} or {"subject":{"tag","value"}}; "reason" is optional',
);

const declared = {
  task: z.enum(['binary', 'multiclass', 'regression']),
  /** False where a binary model gives no probability. */
  probability: z.boolean().optional(),
  features: z
    .array(
      z.strictObject({
        name: z
          .string()
          .min(1)
          .max(256)
          .refine((feature) => !RESERVED_FEATURES.has(feature), 'is a reserved name'),
        kind: z.enum(['numeric', 'categorical']),
      }),
    )
    .min(1)
    .max(MAX_FEATURES)
    .refine(
      (features) => new Set(features.map((feature) => feature.name)).size === features.length,
      'a feature is declared twice',
    ),
};
export const schemaBody = z.strictObject(declared);

const episodeName = z.string().min(1).max(120);
/** A version by its schema, and what it was trained for. Without a schema it is taken from the version before. */
export const versionBody = z
  .strictObject({
    ...declared,
    task: declared.task.optional(),
    features: declared.features.optional(),
    /** Ids of episodes or of webhook events; null: for none. */
    retrainedFor: z
      .union([z.null(), episodeName, z.array(episodeName).max(100)], 'must be an id, a list of ids, or null')
      .transform((names) => (names === null ? [] : [names].flat()))
      .optional(),
    reference: z
      .union(
        [ofPeriod, ofQuery],
        'must be {"period":{"from","to"}} with whole hours, or {"query":"SELECT …"}; a file goes to …/reference',
      )
      .optional(),
  })
  .refine(
    ({ task, features }) => (task === undefined) === (features === undefined),
    'task, features: declare both, or neither',
  )
  .refine(
    ({ features, reference }) => features === undefined || reference === undefined || !('query' in reference),
    'features: are read off the answer of the query, leave them out',
  );

/** The input as the schema reads it; all that is wrong at once, without the values. */
export function checked<T extends z.ZodType>(
  schema: T,
  input: unknown,
  code: ErrorCode = 'invalid_request',
): z.output<T> {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`,
  );
  throw new AppError(code, problems.join('; ').slice(0, 2_000));
}
