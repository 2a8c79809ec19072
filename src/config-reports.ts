import { parse, validateDetailed } from 'node-cron';
import { z } from 'zod';
import { BY_HAND } from './domain/report.js';
import { type WallTimes, wallTime } from './domain/schedule.js';

/** At seven, when the night's windows are judged and people begin to read. */
const NAMED = {
  daily: { cron: '0 7 * * *', period: 'day' },
  weekly: { cron: '0 7 * * 1', period: 'week' },
  monthly: { cron: '0 7 1 * *', period: 'month' },
} as const;
const DEFAULT_KEPT = 60;
const MAX_RECIPIENTS = 50;
const HOUR_MS = 3_600_000;
const MAX_PERIOD_MS = 366 * 24 * HOUR_MS;

const isZone = (zone: string): boolean => {
  try {
    wallTime(zone, 0);
    return true;
  } catch {
    return false; // a RangeError is how Intl says so
  }
};

/** The times of a cron expression, or what is wrong with it. */
function timesOf(cron: string, zone: string): WallTimes | string {
  const { valid, errors } = validateDetailed(cron);
  if (!valid) return `"${cron}" is no cron expression: ${errors.map(({ message }) => message).join('; ')}`;
  const { second, minute, hour, dayOfMonth, month, dayOfWeek } = parse(cron);
  const numbers = (values: readonly (number | string)[]) =>
    values.every((value) => typeof value === 'number') ? (values as readonly number[]) : null;
  const daysOfMonth = numbers(dayOfMonth);
  const daysOfWeek = numbers(dayOfWeek);
  if (daysOfMonth === null || daysOfWeek === null)
    return `"${cron}": L, W and # are not known here: name the days`;
  if (second.length > 1 || minute.length > 1)
    return `"${cron}" asks for more than one report in an hour: give one minute, e.g. 0 7 * * *`;
  return {
    ...{ zone, hours: hour, daysOfMonth, months: month, daysOfWeek },
    ...{ second: second[0] ?? 0, minute: minute[0] ?? 0 },
  };
}

const secretRefs = { secretEnv: z.string().optional(), secretFile: z.string().optional() };

/** Where a report alone is announced to, beside the model's hooks. */
const reportWebhook = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }),
    ...secretRefs,
    /** Record what would be sent, send nothing. */
    dryRun: z.boolean().default(false),
  })
  .refine(
    ({ secretEnv, secretFile }) => (secretEnv === undefined) !== (secretFile === undefined),
    'give secretEnv or secretFile: reports are signed as other webhooks are',
  );

/**
 * One scheduled report of a model.
 *
 * @param duration reads `12h` and its like as ms
 */
function reportSchema(duration: z.ZodType<number, string>) {
  const length = z.union([
    z.enum(['day', 'week', 'month']),
    duration.refine(
      (ms) => ms >= HOUR_MS && ms % HOUR_MS === 0 && ms <= MAX_PERIOD_MS,
      'a period is day, week, month, or whole hours up to 366d',
    ),
  ]);
  return z
    .strictObject({
      /** Tells a model's reports apart; `daily`, `weekly`, `monthly` by default. */
      name: z
        .string()
        .regex(/^[\w-]{1,40}$/, 'a report has a name of up to 40 letters, digits, - and _')
        .refine((name) => name !== BY_HAND, `${BY_HAND} is what reports are called that people ask for`)
        .optional(),
      /** `daily`, `weekly`, `monthly` (at 07:00), or a cron expression. */
      schedule: z.string().min(1).max(200),
      /** IANA name: of the schedule's clock, and of the days, weeks and months that are reported on. */
      timezone: z
        .string()
        .refine(isZone, 'is no time zone: give an IANA name, e.g. Europe/Berlin')
        .default('UTC'),
      /** What is reported on: the last whole day, week or month, or the last hours before the schedule's time. */
      period: length.optional(),
      /** What is attached to mails. */
      formats: z
        .array(z.enum(['html', 'markdown', 'json']))
        .min(1)
        .default(['html']),
      /** How many are kept, and how long; the newest stays. */
      keep: z
        .strictObject({
          count: z.int().min(1).max(10_000).optional(),
          days: z.int().min(1).max(3_650).optional(),
        })
        .refine((keep) => keep.count !== undefined || keep.days !== undefined, 'give count, days, or both')
        .default({ count: DEFAULT_KEPT }),
      to: z
        .array(z.email('is no mail address, e.g. team@example.com').max(254))
        .max(MAX_RECIPIENTS)
        .refine(
          (to) => new Set(to.map((address) => address.toLowerCase())).size === to.length,
          'names an address twice',
        )
        .default([]),
      webhook: reportWebhook.optional(),
    })
    .transform((given, context) => {
      const named = Object.hasOwn(NAMED, given.schedule)
        ? NAMED[given.schedule as keyof typeof NAMED]
        : undefined;
      const problem = (path: string, message: string) => {
        context.addIssue({ code: 'custom', path: [path], message });
        return z.NEVER;
      };
      const times = timesOf(named?.cron ?? given.schedule, given.timezone);
      if (typeof times === 'string') return problem('schedule', `${times} (or daily, weekly, monthly)`);
      const period = given.period ?? named?.period;
      if (period === undefined)
        return problem('period', 'a cron expression needs one: day, week, month, or hours such as 12h');
      const name = given.name ?? (named === undefined ? undefined : given.schedule);
      if (name === undefined) return problem('name', 'a report by a cron expression needs one, e.g. shift');
      return { ...given, name, period, times };
    });
}

/** The reports of a model: a list, or one by itself. */
export function reportsSchema(duration: z.ZodType<number, string>) {
  const one = reportSchema(duration);
  return z
    .preprocess(
      (given) => (Array.isArray(given) || given === undefined ? given : [given]),
      z.array(one).max(20).default([]),
    )
    .refine(
      (reports) => new Set(reports.map(({ name }) => name)).size === reports.length,
      'two reports of the model have the same name: give each a name',
    );
}

/** The server that mails go through. */
export const mailSchema = z
  .strictObject({
    host: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535).optional(),
    /** `starttls` wants the upgrade, `implicit` is TLS from the first byte, `none` is for a relay on this machine or network. */
    tls: z.enum(['starttls', 'implicit', 'none']).default('starttls'),
    /** Certificates (PEM) that are trusted beside the usual ones. */
    caFile: z.string().optional(),
    user: z.string().min(1).optional(),
    passwordEnv: z.string().optional(),
    passwordFile: z.string().optional(),
    /** `plumbline@example.com`, or `Plumbline <plumbline@example.com>`. */
    from: z
      .string()
      .max(320)
      .regex(/^(?:[^<>\r\n]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/, 'is no mail address'),
  })
  .refine(
    ({ passwordEnv, passwordFile }) => passwordEnv === undefined || passwordFile === undefined,
    'give the password by passwordEnv or by passwordFile, not by both',
  )
  .refine(
    ({ user, passwordEnv, passwordFile }) =>
      (user === undefined) === (passwordEnv === undefined && passwordFile === undefined),
    'user goes with passwordEnv or passwordFile',
  )
  .refine(
    ({ user, tls, host }) =>
      user === undefined || tls !== 'none' || ['127.0.0.1', '::1', 'localhost'].includes(host),
    'a password must not cross a network in the clear: set tls to starttls or implicit',
  )
  .transform((given) => ({
    ...given,
    port: given.port ?? { starttls: 587, implicit: 465, none: 25 }[given.tls],
  }));

/** Sections whose reports go to people by mail, where no server for mails is named. */
export function mailProblems(
  mail: unknown,
  sections: readonly (readonly [name: string, section: { reports: readonly { to: readonly string[] }[] }])[],
): string[] {
  if (mail !== undefined) return [];
  return sections
    .filter(([, { reports }]) => reports.some(({ to }) => to.length > 0))
    .map(([name]) => `${name} has reports that go to people, which needs a mail server: host and from`);
}
