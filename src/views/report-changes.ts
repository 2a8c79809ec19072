import { LABEL, type Task } from '../domain/model.js';
import type { Figure } from '../domain/performance-figures.js';
import type { ReportChange, ReportedVersion } from '../domain/report.js';
import type { Window } from '../domain/window.js';
import { formatCount, formatDay, formatNumber, formatPercent, plural } from './format.js';
import { shorten } from './html.js';
import { PERFORMANCE_WORDS, SHOWN_FIGURES } from './performance.js';
import type { LoadedVersion } from './report-facts.js';
import { CATEGORY_WORDS } from './retrainings.js';

/** Of one kind; the tables have all. */
const NAMED = 5;
/** Changes smaller than these are the usual ups and downs. */
const VOLUME_CHANGE = 0.2;
const MISSING_CHANGE = 0.02;
const OUTLIER_CHANGE = 0.005;

const LESS_IS_BETTER: ReadonlySet<string> = new Set([
  'logLoss',
  'calibrationError',
  'meanAbsoluteError',
  'rootMeanSquaredError',
]);

const ended = ({ endMs }: Window, { startMs, endMs: until }: Window) => endMs > startMs && endMs <= until;
const within = (ms: number, { startMs, endMs }: Window) => ms >= startMs && ms < endMs;

/** The figure that a version is judged by first: the first that it has. */
export function mainFigure(task: Task, figures: Readonly<Record<string, Figure>>): string | null {
  return SHOWN_FIGURES[task].find((name) => figures[name] !== undefined) ?? null;
}

type Change = Omit<ReportChange, 'modelVersion'>;

function* rowChanges({ rows }: ReportedVersion): Generator<Change> {
  const base = { feature: null, worse: null } as const;
  if (rows.now === 0 && rows.previous > 0) {
    const text = `No predictions arrived, after ${formatCount(rows.previous)} in the period before.`;
    yield { ...base, kind: 'no_data', worse: true, text };
  } else if (rows.previous > 0) {
    const change = rows.now / rows.previous - 1;
    if (Math.abs(change) >= VOLUME_CHANGE)
      yield {
        ...base,
        kind: 'volume',
        text: `${formatPercent(Math.abs(change))} ${change < 0 ? 'fewer' : 'more'} predictions: ${formatCount(rows.now)}, after ${formatCount(rows.previous)}.`,
      };
  }
}

function* episodeChanges({ now }: LoadedVersion): Generator<Change> {
  for (const { category, severity, openedBy, closedBy, firstWindow, drivers } of now.episodes) {
    const name = `${CATEGORY_WORDS[category]} episode`;
    const names = [
      ...new Set(drivers.map(({ feature }) => (feature === '' ? 'whole rows' : shorten(feature, 40)))),
    ];
    const by = names.length === 0 ? '' : `: ${names.slice(0, NAMED).join(', ')}`;
    if (ended(openedBy, now.period))
      yield {
        kind: 'episode_opened',
        feature: null,
        worse: true,
        text: `A ${name} (${severity}) opened on ${formatDay(openedBy.endMs - 1)}${by}.`,
      };
    if (closedBy !== null && ended(closedBy, now.period))
      yield {
        kind: 'episode_closed',
        feature: null,
        worse: false,
        text: `The ${name} of ${formatDay(firstWindow.startMs)} closed on ${formatDay(closedBy.endMs - 1)}.`,
      };
  }
}

function* featureChanges({ features }: ReportedVersion): Generator<Change> {
  const began = features.filter(
    ({ windowsMaterial: m, windowsDecided: d }) => m.now > 0 && m.previous === 0 && d.previous > 0,
  );
  const over = features.filter(
    ({ windowsMaterial: m, windowsDecided: d }) => m.now === 0 && m.previous > 0 && d.now > 0,
  );
  for (const { feature, windowsMaterial, windowsDecided, move } of began.slice(0, NAMED))
    yield {
      kind: 'feature_drifts',
      feature,
      worse: true,
      text: `${shorten(feature, 60)} drifts: ${formatCount(windowsMaterial.now)} of ${plural(windowsDecided.now, 'window')}, none before${move === null ? '' : ` (${move})`}.`,
    };
  if (began.length > NAMED)
    yield {
      kind: 'feature_drifts',
      feature: null,
      worse: true,
      text: `${plural(began.length - NAMED, 'more column')} drift that did not before.`,
    };
  for (const { feature, windowsMaterial } of over.slice(0, NAMED))
    yield {
      kind: 'feature_recovered',
      feature,
      worse: false,
      text: `${shorten(feature, 60)} no longer drifts, after ${plural(windowsMaterial.previous, 'window')} in the period before.`,
    };
}

function* performanceChanges({ task, performance }: ReportedVersion): Generator<Change> {
  const now = performance?.now;
  const previous = performance?.previous;
  if (now?.status !== 'decided' || previous?.status !== 'decided') return;
  for (const name of SHOWN_FIGURES[task]) {
    const [a, b] = [previous.figures[name], now.figures[name]];
    if (a === undefined || b === undefined) continue;
    if (a.low === null || a.high === null || b.low === null || b.high === null) continue;
    if (b.low <= a.high && a.low <= b.high) continue;
    const fell = b.value < a.value;
    yield {
      kind: 'performance',
      feature: null,
      worse: name === 'bias' ? null : fell !== LESS_IS_BETTER.has(name),
      text: `${PERFORMANCE_WORDS[name] ?? name} ${fell ? 'fell' : 'rose'} from ${formatNumber(a.value)} to ${formatNumber(b.value)}: the 95 % intervals are apart.`,
    };
  }
}

function* qualityChanges({ quality, outliers }: ReportedVersion): Generator<Change> {
  const moved = quality
    // Labels come late: how many have is told with performance.
    .filter(({ feature }) => feature !== LABEL)
    .flatMap(({ feature, missing: { now, previous } }) =>
      now === null || previous === null ? [] : [{ feature, now, previous }],
    )
    .filter(({ now, previous }) => Math.abs(now - previous) >= MISSING_CHANGE)
    .sort((a, b) => Math.abs(b.now - b.previous) - Math.abs(a.now - a.previous));
  for (const { feature, now, previous } of moved.slice(0, NAMED))
    yield {
      kind: 'missing',
      feature,
      worse: now > previous,
      text: `${shorten(feature, 60)} is missing in ${formatPercent(now)} of rows, after ${formatPercent(previous)}.`,
    };
  const { now, previous } = outliers.share;
  if (now === null || previous === null || Math.abs(now - previous) < OUTLIER_CHANGE) return;
  if (Math.max(now, previous) < 2 * Math.min(now, previous)) return;
  yield {
    kind: 'outliers',
    feature: null,
    worse: now > previous,
    text: `${formatPercent(now)} of rows are outliers, after ${formatPercent(previous)}.`,
  };
}

function* versionChanges({ now, retrainings }: LoadedVersion, facts: ReportedVersion): Generator<Change> {
  const base = { feature: null, worse: null } as const;
  const { version, referenceChanges, period } = now;
  if (within(version.registeredAtMs, period))
    yield { ...base, kind: 'version', text: `Registered on ${formatDay(version.registeredAtMs)}.` };
  for (const { atMs, reason, kind } of referenceChanges)
    if (within(atMs, period) && kind !== 'registered')
      yield {
        ...base,
        kind: 'reference',
        text: `Compared with another reference since ${formatDay(atMs)}${reason === '' ? '' : `: ${shorten(reason, 200)}`}.`,
      };
  for (const [index, { announcedAtMs, cure }] of retrainings.entries()) {
    const isNews = within(announcedAtMs, period) || (cure.period !== null && ended(cure.period, period));
    const sentence = facts.retrainings[index]?.sentence;
    if (!isNews || sentence === undefined) continue;
    const worse = cure.verdict === 'cannot_tell' ? null : cure.verdict === 'not_cured';
    yield { ...base, kind: 'retraining', worse, text: sentence };
  }
}

/** What is otherwise than in the period before: episodes first, then columns, performance, quality. */
export function changesOf(loaded: LoadedVersion, facts: ReportedVersion): ReportChange[] {
  const changes = [
    ...rowChanges(facts),
    ...episodeChanges(loaded),
    ...performanceChanges(facts),
    ...featureChanges(facts),
    ...qualityChanges(facts),
    ...versionChanges(loaded, facts),
  ];
  return changes.map((change) => ({ ...change, modelVersion: facts.modelVersion }));
}
