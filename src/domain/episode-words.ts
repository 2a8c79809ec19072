import type { Episode, PerformanceMove } from './episode.js';
import type { EpisodeCategory } from './verdict.js';

const KINDS: Readonly<Record<EpisodeCategory, string>> = {
  drift: 'Drift',
  dataQuality: 'Broken data',
  outliers: 'Outliers',
  performance: 'Worse performance',
  service: 'Slower service',
};
const FIGURES: ReadonlyMap<string, string> = new Map([
  ['rocAuc', 'ROC AUC'],
  ['accuracy', 'accuracy'],
  ['meanAbsoluteError', 'mean absolute error'],
]);
const NAMED = 3;

const minute = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
const figureWords = (value: number) => String(Number(value.toPrecision(3)));

/** Whether performance moved with a drift, in a sentence. */
export function performanceSentence({ moved, kind, figure, value, reference }: PerformanceMove): string {
  if (moved === 'cannot_tell' || kind === null)
    return 'Whether performance moved with it cannot be told yet.';
  const of = kind === 'realised' ? 'Realised' : 'Estimated';
  const figures =
    figure === null || value === null || reference === null
      ? ''
      : `: ${FIGURES.get(figure) ?? figure} ${figureWords(value)}, ${figureWords(reference)} on the reference`;
  return `${of} performance ${moved === 'moved' ? 'moved' : 'did not move'} with it${figures}.`;
}

/** Columns by name, the first of them; what is about whole rows by its detector. */
function driversWords(drivers: Episode['drivers']): string {
  const names = [...new Set(drivers.map(({ feature, detector }) => (feature === '' ? detector : feature)))];
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return names.slice(0, NAMED).join(', ') + more;
}

/** An episode in a sentence or two, for whoever is told of it. */
export function episodeSentence(
  episode: Pick<
    Episode,
    | 'model'
    | 'modelVersion'
    | 'category'
    | 'severity'
    | 'state'
    | 'firstWindow'
    | 'closedBy'
    | 'drivers'
    | 'performance'
  >,
): string {
  const { model, modelVersion, category, severity, firstWindow, closedBy, drivers, performance } = episode;
  const span =
    closedBy === null
      ? `since ${minute(firstWindow.startMs)}`
      : `from ${minute(firstWindow.startMs)} to ${minute(closedBy.endMs)}`;
  const over = drivers.length === 0 ? '' : `: ${driversWords(drivers)}`;
  const said = `${KINDS[category]} in ${model} version ${modelVersion} (${severity}) ${span}${over}.`;
  return performance === undefined ? said : `${said} ${performanceSentence(performance)}`;
}

/** By how urgent they are: worse performance before anything that may lead to it, a drift that performance moved with before one without. */
export function episodeRank({
  category,
  severity,
  performance,
}: Pick<Episode, 'category' | 'severity' | 'performance'>): number {
  const kind = {
    performance: 0,
    dataQuality: 2,
    service: 3,
    drift: performance?.moved === 'moved' ? 1 : performance?.moved === 'not_moved' ? 6 : 4,
    outliers: 5,
  }[category];
  return kind * 2 + (severity === 'critical' ? 0 : 1);
}

/** Open ones first, the most urgent on top, then by newest. */
export function byUrgency(a: Episode, b: Episode): number {
  const open = (episode: Episode) => (episode.state === 'open' ? 0 : 1);
  if (open(a) !== open(b)) return open(a) - open(b);
  const urgency = a.state === 'open' ? episodeRank(a) - episodeRank(b) : 0;
  return urgency || b.openedAtMs - a.openedAtMs || (a.id < b.id ? -1 : 1);
}
