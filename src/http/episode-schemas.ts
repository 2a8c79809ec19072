import { z } from 'zod';
import { EPISODE_STATUSES } from '../domain/episode-history.js';
import { EPISODE_CATEGORIES } from '../domain/verdict.js';
import { DAY_MS, HOUR_MS } from '../domain/window.js';

const UNIT_MS = { m: 60_000, h: HOUR_MS, d: DAY_MS } as const;

const by = z.string().trim().min(1).max(120).optional();
const note = z.string().max(2_000).default('');
const category = z.enum(EPISODE_CATEGORIES).optional();

export const episodesQuery = z.strictObject({
  state: z.enum(['open', 'closed']).optional(),
  status: z.enum(EPISODE_STATUSES).optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
});

/** Who, and why. Without a name it is the key's id. */
export const askedBody = z.strictObject({ by, note });
/** Of a DELETE, which has no body. */
export const askedQuery = z.strictObject({ by, note });
export const askedScopeQuery = z.strictObject({ by, note, category });

const until = z
  .union(
    [z.iso.date(), z.iso.datetime({ offset: true })],
    'must be an ISO date or time, e.g. 2026-01-01T00:00:00Z',
  )
  .transform((text) => Date.parse(text));
const lasting = z
  .string()
  .regex(/^\d{1,6}[mhd]$/, 'must be a number of minutes, hours or days, e.g. 30m, 8h, 2d')
  .transform((text) => Number.parseInt(text, 10) * UNIT_MS[text.slice(-1) as keyof typeof UNIT_MS]);

const ONE_END = 'give until or for: when it ends, or how long it lasts';
const snoozed = { until: until.optional(), for: lasting.optional(), by, note };
const hasOneEnd = (body: { until?: number | undefined; for?: number | undefined }) =>
  (body.until === undefined) !== (body.for === undefined);
export const snoozeBody = z.strictObject(snoozed).refine(hasOneEnd, ONE_END);
/** Of all of a model's episodes, or of those of one category. */
export const modelSnoozeBody = z.strictObject({ ...snoozed, category }).refine(hasOneEnd, ONE_END);

/** What a button of the page sends: an empty field is none. */
export const episodeForm = z
  .strictObject({
    action: z.enum(['acknowledge', 'unacknowledge', 'snooze', 'unsnooze']),
    by: z.string().trim().max(120).default(''),
    note,
    for: lasting.optional(),
  })
  .refine((form) => form.action !== 'snooze' || form.for !== undefined, 'for: how long is it to last?');

/** The same for a model; no category is all of them. */
export const modelSnoozeForm = z
  .strictObject({
    action: z.enum(['snooze', 'unsnooze']),
    category: z.enum(['', ...EPISODE_CATEGORIES]).default(''),
    by: z.string().trim().max(120).default(''),
    note,
    for: lasting.optional(),
  })
  .refine((form) => form.action !== 'snooze' || form.for !== undefined, 'for: how long is it to last?');

export const policyBody = z.strictObject({ policy: z.record(z.string(), z.unknown()), by, note });
