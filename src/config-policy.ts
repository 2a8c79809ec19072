import { z } from 'zod';
import { isTimeZone, type MaintenanceWindow } from './domain/maintenance.js';

/** False episodes per 30 days that people put up with when nobody has said anything. */
const DEFAULT_BUDGET = 1;
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const CLOCK_RANGE = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$/;
const MINUTES_PER_DAY = 1_440;

const instant = z.iso
  .datetime({ offset: true, error: 'must be a time with its zone, e.g. 2026-01-01T22:00:00+01:00' })
  .transform((text) => Date.parse(text));

const maintenanceWindow = z
  .strictObject({
    name: z.string().max(120).default('maintenance'),
    from: instant.optional(),
    to: instant.optional(),
    weekdays: z.array(z.enum(WEEKDAYS)).min(1).optional(),
    time: z
      .string()
      .regex(
        CLOCK_RANGE,
        'time reads HH:MM-HH:MM, e.g. 22:00-06:00; an end before the start is on the next day',
      )
      .optional(),
    timeZone: z
      .string()
      .refine(isTimeZone, 'must be the IANA name of a time zone, e.g. Europe/Berlin')
      .optional(),
  })
  .transform((given, context): MaintenanceWindow => {
    const { name, from, to, weekdays, time, timeZone } = given;
    const problem = (message: string) => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    const once = from !== undefined || to !== undefined;
    if (once && (time !== undefined || weekdays !== undefined || timeZone !== undefined))
      return problem('is either from and to, or time with weekdays and timeZone');
    if (once) {
      if (from === undefined || to === undefined) return problem('needs both from and to');
      if (from >= to) return problem('from must be before to');
      return { kind: 'once', name, fromMs: from, toMs: to };
    }
    if (time === undefined) return problem('needs from and to, or time, e.g. 22:00-06:00');
    const [, fromHour, fromMinute, toHour, toMinute] = CLOCK_RANGE.exec(time) ?? [];
    const startMinute = Number(fromHour) * 60 + Number(fromMinute);
    const endMinute = Number(toHour) * 60 + Number(toMinute);
    if (endMinute > MINUTES_PER_DAY) return problem('time: a day ends at 24:00');
    const days = weekdays ?? WEEKDAYS;
    return {
      kind: 'weekly',
      name,
      weekdays: days.map((day) => WEEKDAYS.indexOf(day) + 1),
      startMinute,
      endMinute,
      timeZone: timeZone ?? 'UTC',
    };
  });

/** Median effect, in minimum effects, from which an episode is critical. */
const criticalFrom = z.union(
  [z.number().min(0).max(1_000), z.literal('never')],
  'must be a number from 0 (always) to 1000, or never',
);
const perCategory = <T extends z.ZodType>(value: T) => ({
  drift: value.optional(),
  dataQuality: value.optional(),
  outliers: value.optional(),
  performance: value.optional(),
  service: value.optional(),
});
const route = z
  .string()
  .regex(/^[A-Za-z0-9][\w.:/-]{0,59}$/, 'a route has 1 to 60 letters, digits and . : / _ -');

const nOfM = (what: string, pattern: RegExp, example: string) =>
  z
    .string()
    .regex(pattern, `${what} reads NofM, e.g. ${example}`)
    .refine((text) => {
      const [count = 1, windows = count] = text.split('of').map(Number);
      return count <= windows;
    }, 'N must not exceed M');

/** When windows become episodes, who is told, and when nobody is. */
export const policySchema = (duration: z.ZodType<number, string>) =>
  z
    .strictObject({
      /** `2of3`: two drifted windows among the last three open an episode. */
      open: nOfM('open', /^[1-9]\d?of[1-9]\d?$/, '2of3').default('2of2'),
      /** So many clean windows close it: in a row (`3`), or among the last ones (`3of5`). */
      close: z
        .union([
          z.int().min(1).max(99),
          nOfM('close', /^[1-9]\d?(of[1-9]\d?)?$/, '3of5, or is the number of clean windows in a row'),
        ])
        .default(2),
      cooldown: duration.prefault('0s'),
      /** Windows with fewer rows decide nothing: they neither open nor close. */
      minimumRows: z.int().min(0).max(1e12).default(0),
      /** Median effect, in the effects that count as material, from which an episode is critical: of all categories, or of one. */
      severity: z
        .strictObject({ critical: criticalFrom.default(2), ...perCategory(criticalFrom) })
        .prefault({}),
      /** The label `route` of a category's alerts, where it is not to be the category. */
      routes: z.strictObject(perCategory(route)).prefault({}),
      /** Times in which nobody is alarmed. */
      maintenance: z.array(maintenanceWindow).max(50).default([]),
      /** Episodes without a drift that a model version may open in 30 days, on average; the level follows from it. */
      falseEpisodesPer30Days: z.number().min(0.05).max(100).optional(),
      /** Instead of a budget: the probability that a drift-free window has any flag at all. */
      level: z.number().gt(0).lt(0.5).optional(),
    })
    .refine(
      ({ falseEpisodesPer30Days, level }) => falseEpisodesPer30Days === undefined || level === undefined,
      'give falseEpisodesPer30Days or level, not both: the level follows from the budget',
    )
    .transform((given) =>
      given.level === undefined
        ? { ...given, falseEpisodesPer30Days: given.falseEpisodesPer30Days ?? DEFAULT_BUDGET }
        : given,
    );

export type PolicySection = z.output<ReturnType<typeof policySchema>>;

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

function durationWords(ms: number): string {
  const unit = UNITS.find(([, size]) => ms > 0 && ms % size === 0);
  return unit === undefined ? (ms === 0 ? '0s' : `${ms}ms`) : `${ms / unit[1]}${unit[0]}`;
}

const clock = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

function maintenanceSection(window: MaintenanceWindow) {
  const { name } = window;
  if (window.kind === 'once')
    return { name, from: new Date(window.fromMs).toISOString(), to: new Date(window.toMs).toISOString() };
  const { weekdays, startMinute, endMinute, timeZone } = window;
  return {
    name,
    weekdays: weekdays.map((day) => WEEKDAYS[day - 1] ?? ''),
    time: `${clock(startMinute)}-${clock(endMinute)}`,
    timeZone,
  };
}

/** A policy as a section that can be written into the configuration, or sent to be set: reading it again gives the same. */
export function policySection({
  cooldown,
  maintenance,
  falseEpisodesPer30Days,
  level,
  ...rest
}: PolicySection) {
  return {
    ...rest,
    cooldown: durationWords(cooldown),
    maintenance: maintenance.map(maintenanceSection),
    ...(level === undefined ? { falseEpisodesPer30Days } : { level }),
  };
}
