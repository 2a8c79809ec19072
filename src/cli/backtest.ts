import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'yaml';
import type { Backtest, PlantedShift, ShiftDelays } from '../domain/backtest.js';
import { AppError, messageOf } from '../errors.js';
import { answer, createProgress, type Output, say, table } from './output.js';
import type { ServiceClient } from './service-client.js';
import { versionOf } from './tune.js';

export interface BacktestOptions {
  readonly model: string;
  readonly version?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Files with a policy section each. */
  readonly policy: readonly string[];
  readonly budgets: readonly number[];
  readonly shifts: readonly PlantedShift[];
}

const HOUR_MS = 3_600_000;

/** `age:0.5` (standard deviations, or a share of categories), `age:missing:0.02`; null when it reads otherwise. */
export function parseShift(text: string): PlantedShift | null {
  const match = /^(.+?)(:missing)?:(-?\d+(?:\.\d+)?)$/.exec(text);
  const [, feature, missing, size] = match ?? [];
  if (feature === undefined || size === undefined) return null;
  return { feature, kind: missing === undefined ? 'value' : 'missing', size: Number(size) };
}

/** A policy section from a YAML file, alone or below `policy`. */
export function readPolicy(path: string): { name: string; policy: unknown } {
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new AppError('file_unreadable', `cannot read the policy ${path}: ${messageOf(cause)}`, { cause });
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new AppError('config_invalid', `${path} holds no policy: write e.g. "open: 2of3"`);
  const policy: unknown = 'policy' in content ? content.policy : content;
  return { name: basename(path).replace(/\.ya?ml$/, ''), policy };
}

export async function backtestModel(
  client: ServiceClient,
  options: BacktestOptions,
  output: Output,
): Promise<void> {
  const policies = [
    ...options.policy.map(readPolicy),
    ...options.budgets.map((budget) => ({
      name: `budget ${budget}`,
      policy: { falseEpisodesPer30Days: budget },
    })),
  ];
  const version = await versionOf(client, options.model, options.version);
  const progress = createProgress(output, 'backtest');
  const body = { version, from: options.from, to: options.to, policies, shifts: options.shifts };
  const result = (await client
    .follow(`/v1/models/${encodeURIComponent(options.model)}/backtest`, body, (done, total) =>
      progress.update(done, total, `${done} of ${total} windows`),
    )
    .finally(() => progress.stop())) as Backtest;
  say(output, backtestText(result));
  answer(output, result);
}

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const minute = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
const hours = (ms: number | null) => (ms === null ? 'more than 30 d' : `${Math.round(ms / HOUR_MS)} h`);

/** Policies side by side, what each would have opened, and how soon it finds the planted shifts. */
export function backtestText(result: Backtest): string {
  const { period, windows, emptyWindows, hoursNotCounted, windowMs } = result;
  const lines = [
    `${result.model} version ${result.modelVersion}, ${day(period.startMs)} to ${day(period.endMs)}: ${windows} windows of ${windowMs / HOUR_MS} h` +
      (emptyWindows > 0 ? `, ${emptyWindows} of them empty` : ''),
    ...(hoursNotCounted > 0
      ? [
          `NOT COMPLETE: ${hoursNotCounted} hours hold rows that are not counted yet; ask again after the next detection cycle`,
        ]
      : []),
    '',
    table(
      ['policy', 'level', 'drifted windows', 'episodes', 'pages per week'],
      result.policies.map(({ name, level, driftedWindows, opened, pagesPerWeek }) => [
        name,
        level.least === level.greatest ? String(level.least) : `${level.least}–${level.greatest}`,
        Object.entries(driftedWindows)
          .map(([category, count]) => `${count} ${category}`)
          .join(', ') || 'none',
        opened,
        pagesPerWeek.toFixed(2),
      ]),
    ),
    ...result.policies.flatMap(({ name, windowsBelowMinimum }) =>
      windowsBelowMinimum > 0
        ? [`"${name}": ${windowsBelowMinimum} windows have fewer rows than its minimum and decide nothing.`]
        : [],
    ),
  ];
  for (const { name, episodes, opened } of result.policies) {
    if (opened === 0) continue;
    lines.push(
      '',
      `Episodes that "${name}" would have opened:`,
      table(
        ['opened', 'closed', 'category', 'severity', 'over'],
        episodes
          .slice(0, 20)
          .map((episode) => [
            minute(episode.openedBy.endMs),
            episode.closedBy === null ? 'still open' : minute(episode.closedBy.endMs),
            episode.category,
            episode.severity,
            episode.features.map((feature) => (feature === '' ? '(whole rows)' : feature)).join(', '),
          ]),
      ),
      ...(opened > 20 ? [`… and ${opened - 20} more (--json has them)`] : []),
    );
  }
  const shifts = result.policies.flatMap(({ name, shifts: found }) =>
    found.map((shift) => [
      shiftWords(shift),
      name,
      `${shift.detected} of ${shift.starts}`,
      hours(shift.medianDelayMs),
      hours(shift.p90DelayMs),
    ]),
  );
  if (shifts.length > 0)
    lines.push(
      '',
      'Planted shifts: found within 30 days of their start, and how soon:',
      table(['shift', 'policy', 'found', 'median', '90 %'], shifts),
    );
  return lines.join('\n');
}

function shiftWords({ feature, kind, size }: ShiftDelays): string {
  return kind === 'missing' ? `${feature} ${size * 100} % missing` : `${feature} by ${size}`;
}
