import type { Episode } from '../domain/episode.js';
import { NAME_PATTERN } from '../domain/model.js';
import type { Logger, VersionKey } from '../domain/ports.js';
import { segmentId } from '../domain/segment.js';
import type { Standing } from '../domain/silence.js';
import type { Verdict } from '../domain/verdict.js';
import type { Metrics } from '../metrics.js';
import { alarmThreshold } from './alarm-threshold.js';
import { createEpisodeGauges, type EpisodeGaugesOptions } from './episode-gauges.js';
import { createSeriesBudget, type SeriesGroup } from './series-budget.js';
import { MAX_OPEN_EPISODES } from './standings.js';

/** Enough for some 500 columns with all their verdicts; 100,000 series would block the loop for a quarter of a second per scrape. */
export const SERIES_BUDGET = 10_000;
const STATUS_VALUE = { stable: 0, drifted: 1, undecided: -1 } as const;

export interface VerdictGaugesOptions {
  readonly metrics: Pick<
    Metrics,
    | 'driftStatistic'
    | 'driftThreshold'
    | 'driftStatus'
    | 'driftedFeatures'
    | 'driftedSegments'
    | 'outlierRatio'
    | 'windowsJudged'
    | 'seriesDropped'
  > &
    EpisodeGaugesOptions['metrics'];
  readonly logger: Logger;
  readonly routeOf: EpisodeGaugesOptions['routeOf'];
  /** Most `drift_*` series over all models. */
  readonly seriesBudget?: number;
}

interface ExportedVerdict extends SeriesGroup {
  readonly feature: string;
  readonly detector: string;
}

interface VersionSeries {
  readonly key: VersionKey;
  readonly labels: { readonly model: string; readonly model_version: string };
  /** End of the window that the gauges show, ms. */
  shownEndMs: number;
  /** By `feature` and `detector`. */
  readonly exported: Map<string, ExportedVerdict>;
  readonly episodes: ReturnType<ReturnType<typeof createEpisodeGauges>>;
}

function isAlarm(verdict: Verdict): boolean {
  return verdict.status === 'drifted' && verdict.material;
}

function statusValue(verdict: Verdict): number {
  return verdict.status === 'drifted' && !verdict.material
    ? STATUS_VALUE.stable
    : STATUS_VALUE[verdict.status];
}

/** Primary tests first, and of each role what alarms: over the budget the rest is left out. */
function weightOf(verdict: Verdict): number {
  return (verdict.role === 'primary' ? 2 : 0) + (isAlarm(verdict) ? 1 : 0);
}

const nameOf = ({ feature, detector }: Pick<Verdict, 'feature' | 'detector'>) =>
  JSON.stringify([feature, detector]);

function windowStatus(primary: readonly Verdict[]): 'drifted' | 'clean' | 'undecided' {
  if (primary.some(isAlarm)) return 'drifted';
  return primary.some((verdict) => verdict.status !== 'undecided') ? 'clean' : 'undecided';
}

/**
 * Keeps the gauges of judged windows and episodes in step with the service. A version's series are replaced whole by each
 * window, so a column that is no longer judged has no stale value; a version's own are removed with it.
 */
export function createVerdictGauges(options: VerdictGaugesOptions) {
  const { metrics, seriesBudget = SERIES_BUDGET } = options;
  const logger = options.logger.child({ component: 'gauges' });
  const versions = new Map<string, VersionSeries>();
  const perVerdict = [metrics.driftStatistic, metrics.driftThreshold, metrics.driftStatus];
  const budget = createSeriesBudget(seriesBudget);
  const episodeGauges = createEpisodeGauges(options);

  /** Null, counted and logged, when a name cannot be a label: prom-client 15 merges series whose values hold commas. */
  function seriesOf(key: VersionKey): VersionSeries | null {
    const id = JSON.stringify([key.model, key.modelVersion]);
    const known = versions.get(id);
    if (known !== undefined) return known;
    if (!NAME_PATTERN.test(key.model) || !NAME_PATTERN.test(key.modelVersion)) {
      metrics.seriesDropped.inc({ reason: 'label' });
      logger.warn(
        { model: key.model, modelVersion: key.modelVersion },
        'not exported: the name cannot be a label',
      );
      return null;
    }
    const series: VersionSeries = {
      key,
      labels: { model: key.model, model_version: key.modelVersion },
      shownEndMs: Number.NEGATIVE_INFINITY,
      exported: new Map(),
      episodes: episodeGauges(key),
    };
    versions.set(id, series);
    return series;
  }

  function hide(series: VersionSeries, exported: ExportedVerdict): void {
    const { feature, detector } = exported;
    for (const gauge of perVerdict) gauge.remove({ ...series.labels, feature, detector });
    series.exported.delete(nameOf(exported));
    budget.release(exported);
  }

  function clearVerdicts(series: VersionSeries): void {
    for (const exported of [...series.exported.values()]) hide(series, exported);
  }

  function exportVerdict(series: VersionSeries, verdict: Verdict): void {
    const { feature, detector } = verdict;
    const threshold = alarmThreshold(verdict);
    // A descriptive verdict does not alarm, so it has no state that anybody could alarm on.
    const values = [
      [metrics.driftStatistic, verdict.statistic],
      [metrics.driftThreshold, threshold],
      [metrics.driftStatus, verdict.role === 'primary' ? statusValue(verdict) : null],
    ] as const;
    const shown = values.flatMap(([gauge, value]) => (value === null ? [] : [{ gauge, value }]));
    // A verdict about whole rows has no feature: an empty label is none to Prometheus.
    if ((feature !== '' && !NAME_PATTERN.test(feature)) || !NAME_PATTERN.test(detector)) {
      metrics.seriesDropped.inc({ reason: 'label' }, shown.length);
      return;
    }
    const exported: ExportedVerdict = {
      feature,
      detector,
      weight: weightOf(verdict),
      count: shown.length,
      onDropped: () => {
        hide(series, exported);
        metrics.seriesDropped.inc({ reason: 'budget' }, exported.count);
      },
    };
    if (!budget.take(exported)) {
      metrics.seriesDropped.inc({ reason: 'budget' }, shown.length);
      return;
    }
    for (const { gauge, value } of shown) gauge.set({ ...series.labels, feature, detector }, value);
    series.exported.set(nameOf(exported), exported);
  }

  function show(series: VersionSeries, verdicts: readonly Verdict[], endMs: number): void {
    const primary = verdicts.filter((verdict) => verdict.role === 'primary');
    series.shownEndMs = endMs;
    clearVerdicts(series);
    for (const verdict of verdicts.toSorted((a, b) => weightOf(b) - weightOf(a)))
      exportVerdict(series, verdict);
    const drifted = primary.filter((verdict) => isAlarm(verdict) && verdict.feature !== '');
    metrics.driftedFeatures.set(series.labels, new Set(drifted.map((verdict) => verdict.feature)).size);
    const outliers = primary.find((verdict) => verdict.category === 'outliers');
    if (outliers === undefined || outliers.statistic === null) metrics.outlierRatio.remove(series.labels);
    else metrics.outlierRatio.set(series.labels, outliers.statistic);
    for (const category of new Set(primary.map((verdict) => verdict.category)))
      series.episodes.judged(category);
  }

  function remove(series: VersionSeries): void {
    clearVerdicts(series);
    metrics.driftedFeatures.remove(series.labels);
    metrics.driftedSegments.remove(series.labels);
    metrics.outlierRatio.remove(series.labels);
    for (const status of ['drifted', 'clean', 'undecided'])
      metrics.windowsJudged.remove({ ...series.labels, status });
    series.episodes.remove();
    versions.delete(JSON.stringify([series.key.model, series.key.modelVersion]));
  }

  function windowShown(key: VersionKey, judged: readonly Verdict[]): void {
    const series = seriesOf(key);
    // Segments are told in one number: a label per value would cost a series each.
    const verdicts = judged.filter((verdict) => verdict.segment === undefined);
    const parts = judged.flatMap((verdict) =>
      verdict.segment === undefined
        ? []
        : [{ id: segmentId(verdict.segment), drifted: verdict.role === 'primary' && isAlarm(verdict) }],
    );
    const endMs = verdicts[0]?.window.endMs;
    if (series === null || endMs === undefined || endMs < series.shownEndMs) return;
    show(series, verdicts, endMs);
    const drifted = new Set(parts.filter((part) => part.drifted).map((part) => part.id));
    if (parts.length > 0) metrics.driftedSegments.set(series.labels, drifted.size);
    else metrics.driftedSegments.remove(series.labels);
  }

  return {
    /** Counts the window, and shows its verdicts unless a newer window is shown already. Without verdicts nothing is known. */
    windowJudged(key: VersionKey, judged: readonly Verdict[]): void {
      const series = seriesOf(key);
      const whole = judged.filter((verdict) => verdict.segment === undefined);
      if (series === null || whole.length === 0) return;
      const status = windowStatus(whole.filter((verdict) => verdict.role === 'primary'));
      metrics.windowsJudged.inc({ ...series.labels, status });
      windowShown(key, judged);
    },
    /** Shows the verdicts of a window unless a newer one is shown already. */
    windowShown,
    /** End of the window that is shown, ms; minus infinity before any. */
    shownEndMs: ({ model, modelVersion }: VersionKey): number =>
      versions.get(JSON.stringify([model, modelVersion]))?.shownEndMs ?? Number.NEGATIVE_INFINITY,
    /** Shows verdicts that were revised alone, where their window is the one that is shown. */
    verdictsRevised(key: VersionKey, revised: readonly Verdict[]): void {
      const series = seriesOf(key);
      for (const verdict of revised) {
        if (series === null || verdict.window.endMs !== series.shownEndMs) continue;
        const shown = series.exported.get(nameOf(verdict));
        if (shown !== undefined) hide(series, shown);
        exportVerdict(series, verdict);
      }
    },
    /** Shows an episode as people stand to it. */
    episodeChanged(episode: Episode, standing: Standing): void {
      seriesOf(episode)?.episodes.set(episode, standing);
    },
    /** All episodes that are open: what else is shown as open was closed by another process. */
    episodesOpen(open: readonly Episode[], standingOf: (episode: Episode) => Standing): void {
      for (const episode of open) seriesOf(episode)?.episodes.set(episode, standingOf(episode));
      // A list that is full may lack some.
      if (open.length >= MAX_OPEN_EPISODES) return;
      const ids = new Set(open.map(({ id }) => id));
      for (const series of versions.values()) series.episodes.retain(ids);
    },
    /** Removes the series of every version that is not among these. */
    retain(keys: readonly VersionKey[]): void {
      const kept = new Set(keys.map((key) => JSON.stringify([key.model, key.modelVersion])));
      for (const [id, series] of [...versions]) if (!kept.has(id)) remove(series);
    },
  };
}

export type VerdictGauges = ReturnType<typeof createVerdictGauges>;
