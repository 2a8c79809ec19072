import type { Compared, ReportedFigures, ReportedVersion, ReportFacts } from '../domain/report.js';
import { wallTime } from '../domain/schedule.js';
import type { Window } from '../domain/window.js';
import {
  formatCount,
  formatNumber,
  formatPercent,
  formatTime,
  formatWindow,
  NOTHING,
  plural,
} from './format.js';
import { shorten } from './html.js';
import { PERFORMANCE_WORDS } from './performance.js';
import { mainFigure } from './report-changes.js';
import { REASON_WORDS } from './sentences.js';

/** A period as the clock of a zone shows it: `1–7 Mar 2013 (Europe/Berlin)`; of UTC without the zone. */
export function zonedWindow({ startMs, endMs }: Window, zone: string): string {
  const shown = formatWindow({ startMs: wallTime(zone, startMs), endMs: wallTime(zone, endMs) });
  return zone === 'UTC' ? shown : `${shown} (${zone})`;
}

/** `churn, weekly report: 1–7 Mar 2013` */
export function reportTitle({ model, schedule, period, timeZone }: ReportFacts): string {
  const kind = schedule === 'manual' ? 'report' : `${schedule} report`;
  return `${shorten(model, 60)}, ${kind}: ${zonedWindow(period, timeZone)}`;
}

/** What a subject line says: whether there is anything to look at. */
export function headline({ versions }: Pick<ReportFacts, 'versions'>): string {
  const total = (of: (version: ReportedVersion) => number) =>
    versions.reduce((sum, version) => sum + of(version), 0);
  const judged = total(({ windows }) => windows.now.judged);
  if (versions.length === 0 || total(({ rows }) => rows.now) === 0) return 'no predictions';
  const open = total(({ episodes }) => episodes.filter(({ state }) => state === 'open').length);
  const drifted = total(({ windows }) => windows.now.drifted);
  const parts = [
    judged === 0
      ? 'nothing judged'
      : `${drifted === 0 ? 'none' : formatCount(drifted)} of ${plural(judged, 'window')} drifted`,
    open === 0 ? 'no episode open' : `${plural(open, 'episode')} open`,
  ];
  return parts.join(', ');
}

/** Earlier times of the schedule that passed without a report; nothing where there were none. */
export function missedSentence({ missed }: Pick<ReportFacts, 'missed'>): string {
  if (missed === 0) return '';
  return `${plural(missed, 'earlier report')} of this schedule ${missed === 1 ? 'was' : 'were'} missed; this one is the newest.`;
}

/** `0.643 (0.630 to 0.655)`, in brackets while undecided. */
export function figureWords(side: ReportedFigures | null, name: string): string {
  const figure = side?.figures[name];
  if (side === null || figure === undefined) return NOTHING;
  const { value, low, high } = figure;
  const text =
    low === null || high === null
      ? formatNumber(value)
      : `${formatNumber(value)} (${formatNumber(low)} to ${formatNumber(high)})`;
  return side.status === 'undecided' ? `${text}, undecided` : text;
}

/** `92 % labelled; usually 99 % at this age` */
function maturityWords(side: ReportedFigures | null): string {
  if (side === null) return NOTHING;
  const usual =
    side.usualMaturity === null ? '' : `; usually ${formatPercent(side.usualMaturity)} at this age`;
  return `${formatPercent(side.maturity)}${usual}`;
}

/** One line of the comparison with the period before. */
export interface ComparisonRow extends Compared<string> {
  readonly label: string;
}

/** The figures that both periods are told by. */
export function comparisonRows(version: ReportedVersion): ComparisonRow[] {
  const { rows, windows, features, performance, outliers, task } = version;
  const of = (label: string, { now, previous }: Compared<string>): ComparisonRow => ({
    label,
    now,
    previous,
  });
  const both = <T>({ now, previous }: Compared<T>, words: (side: T) => string): Compared<string> => ({
    now: words(now),
    previous: words(previous),
  });
  const columns = (side: 'now' | 'previous') =>
    formatCount(features.filter(({ windowsMaterial }) => windowsMaterial[side] > 0).length);
  const figures = {
    ...performance?.reference?.figures,
    ...performance?.previous?.figures,
    ...performance?.now?.figures,
  };
  const main = performance === null ? null : mainFigure(task, figures);
  return [
    of('Predictions', both(rows, formatCount)),
    of(
      'Windows with material drift',
      both(windows, ({ drifted, judged }) => `${formatCount(drifted)} of ${formatCount(judged)}`),
    ),
    of(
      'Windows without data',
      both(windows, ({ noData }) => formatCount(noData)),
    ),
    of('Columns that drifted', { now: columns('now'), previous: columns('previous') }),
    ...(performance === null || main === null
      ? []
      : [
          of(
            PERFORMANCE_WORDS[main] ?? main,
            both(performance, (side) => figureWords(side, main)),
          ),
          of('Labelled', both(performance, maturityWords)),
        ]),
    of('Outliers', both(outliers.share, formatPercent)),
  ];
}

/** Why performance says nothing, or not all; nothing where it does. */
export function performanceNote({ performance }: ReportedVersion): string {
  const reason = performance?.now?.reason;
  if (performance?.now === null) return 'No prediction of the period is counted yet.';
  return reason === null || reason === undefined ? '' : `Undecided: ${REASON_WORDS[reason]}.`;
}

/** What isolated outliers, most often first. */
export function isolationWords({ outliers }: ReportedVersion): string {
  if (outliers.isolatedBy.length === 0) return '';
  return `What isolated the rows with the highest scores: ${outliers.isolatedBy
    .map(({ feature, rows }) => `${shorten(feature, 40)} (${rows})`)
    .join(', ')}.`;
}

/** `Made 8 Mar 2013 07:00 UTC` */
export const madeWords = ({ madeAtMs }: Pick<ReportFacts, 'madeAtMs'>) => `Made ${formatTime(madeAtMs)} UTC.`;
