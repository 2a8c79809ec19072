import { monitoredColumns } from '../domain/model.js';
import type { VersionKey } from '../domain/ports.js';
import type { Profile } from '../domain/profile.js';
import type { Verdict } from '../domain/verdict.js';
import { HOUR_MS, type Window } from '../domain/window.js';
import type { QualityRow, RankedFeature, ReportData, ReportFeature } from './data.js';
import { loadModel } from './load.js';
import { describeFeature, loadSides, type Sides, type ViewStore } from './load-sides.js';
import { lookOf } from './severity.js';
import { buildMonths, buildSeries, featureSummaries, groupBy } from './summarise.js';

const TOP_FEATURES = 6;

function share(count: number | undefined, profile: Profile | undefined): number | null {
  return profile === undefined || profile.rows === 0 ? null : (count ?? 0) / profile.rows;
}

function qualityOf(ranked: RankedFeature, sides: Sides, verdicts: readonly Verdict[]): QualityRow {
  const current = sides.current.get(ranked.feature);
  const reference = sides.reference.get(ranked.feature);
  const material = verdicts.filter(
    (verdict) =>
      verdict.category === 'dataQuality' && lookOf(verdict) === 'material' && verdict.role === 'primary',
  );
  return {
    feature: ranked.feature,
    kind: ranked.kind,
    missing: {
      reference: share(reference?.missing, reference),
      current: share(current?.missing, current),
    },
    unseen:
      ranked.kind === 'categorical'
        ? {
            reference: share(reference?.counts.at(-1), reference),
            current: share(current?.counts.at(-1), current),
          }
        : null,
    mistyped: current?.mistyped ?? 0,
    nonFinite: current?.nonFinite ?? 0,
    min: current?.min ?? null,
    max: current?.max ?? null,
    referenceMin: reference?.min ?? null,
    referenceMax: reference?.max ?? null,
    windowsMaterial: new Set(material.map((verdict) => verdict.window.endMs)).size,
  };
}

/** The series that drifted most often, else the shape test's. */
function mainSeries(verdicts: readonly Verdict[]): ReportFeature['series'] {
  const series = buildSeries(verdicts).filter((each) => each.role === 'primary');
  const count = (each: (typeof series)[number]) =>
    each.points.filter((point) => point.look === 'material').length;
  return series.reduce<ReportFeature['series']>(
    (best, each) => (best === null || count(each) > count(best as typeof each) ? each : best),
    null,
  );
}

/**
 * Everything in a report over a period; windows that lie within `range`, which is the period when left out, belong to it. Null: no such
 * version.
 */
export async function loadReport(
  store: ViewStore,
  key: VersionKey,
  period: Window,
  nowMs: number,
  range: Window = period,
): Promise<ReportData | null> {
  const loaded = await loadModel(store, key, range, nowMs);
  if (loaded === null) return null;
  const { data, verdicts, runs } = loaded;
  const whole = {
    startMs: Math.floor(period.startMs / HOUR_MS) * HOUR_MS,
    endMs: Math.ceil(period.endMs / HOUR_MS) * HOUR_MS,
  };
  const sides = await loadSides(store, key, data.reference, whole);
  const byFeature = groupBy(verdicts, (verdict) => verdict.feature);
  const own = (feature: string) => byFeature.get(feature) ?? [];
  const columns = monitoredColumns(data.version.schema);
  const columnOf = new Map(columns.map((column) => [column.name, column]));
  const top = data.ranked
    .filter((ranked) => ranked.windowsMaterial > 0)
    .sort((a, b) => b.windowsMaterial - a.windowsMaterial || (b.ratio ?? 0) - (a.ratio ?? 0))
    .slice(0, TOP_FEATURES)
    .map((ranked) => ({
      ranked: {
        ...ranked,
        ...describeFeature(sides, columnOf.get(ranked.feature) ?? { name: ranked.feature }),
      },
      series: mainSeries(own(ranked.feature)),
    }));
  const rows = columns.map((column) => sides.current.get(column.name)?.rows ?? 0);
  return {
    ...data,
    episodes: data.episodes.filter(
      (episode) =>
        episode.firstWindow.startMs < period.endMs &&
        (episode.closedBy?.endMs ?? Number.POSITIVE_INFINITY) > period.startMs,
    ),
    period,
    months: buildMonths(verdicts, runs, period),
    summaries: featureSummaries(verdicts.filter(({ role, feature }) => role === 'primary' && feature !== '')),
    top,
    quality: data.ranked.map((ranked) => qualityOf(ranked, sides, own(ranked.feature))),
    rowsInPeriod: Math.max(0, ...rows),
  };
}
