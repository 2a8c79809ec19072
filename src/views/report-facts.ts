import type { PerformanceAnswer, PerformancePeriod } from '../domain/performance-figures.js';
import type {
  Compared,
  ReportedEpisode,
  ReportedFeature,
  ReportedFigures,
  ReportedOutliers,
  ReportedQuality,
  ReportedVersion,
  ReportWindows,
} from '../domain/report.js';
import type { JudgedRetraining } from '../domain/retraining.js';
import type { QualityRow, ReportData } from './data.js';
import { retrainingSentence } from './retrainings.js';
import { moveWords } from './sentences.js';

/** Named in a report; the page of the version has all. */
const MAX_FEATURES = 30;
const MAX_EPISODES = 50;
const MAX_REASONS = 8;

/** What is known of one version over a period and the one before. */
export interface LoadedVersion {
  readonly now: ReportData;
  readonly previous: ReportData;
  /** Over the whole of each period; null where nobody is asked. */
  readonly performance: Compared<PerformanceAnswer> | null;
  readonly outliers: Pick<ReportedOutliers, 'scored' | 'flagged'>;
  /** Its own, and those for its episodes. */
  readonly retrainings: readonly JudgedRetraining[];
}

const compare = <T, R>({ now, previous }: Compared<T>, of: (side: T) => R): Compared<R> => ({
  now: of(now),
  previous: of(previous),
});

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function windowsOf({ windows, months }: ReportData): ReportWindows {
  return {
    judged: windows.judged,
    drifted: sum(months.map(({ windowsDrifted }) => windowsDrifted)),
    undecided: sum(months.map(({ windowsUndecided }) => windowsUndecided)),
    noData: windows.noData,
  };
}

function featuresOf(sides: Compared<ReportData>): ReportedFeature[] {
  const before = new Map(sides.previous.ranked.map((ranked) => [ranked.feature, ranked]));
  const described = new Map(sides.now.top.map(({ ranked }) => [ranked.feature, ranked]));
  return sides.now.ranked
    .map((ranked): ReportedFeature => {
      const { feature, kind } = ranked;
      const earlier = before.get(feature);
      const test = sides.now.summaries.find((each) => each.feature === feature && each.windowsMaterial > 0);
      const whole = described.get(feature);
      return {
        feature,
        kind,
        windowsMaterial: { now: ranked.windowsMaterial, previous: earlier?.windowsMaterial ?? 0 },
        windowsDecided: { now: ranked.windowsDecided, previous: earlier?.windowsDecided ?? 0 },
        detector: test?.detector ?? null,
        medianEffect: test?.medianEffect ?? null,
        largestEffect: test?.maxEffect ?? null,
        move: whole === undefined ? null : moveWords(whole),
      };
    })
    .filter(({ windowsMaterial }) => windowsMaterial.now + windowsMaterial.previous > 0)
    .sort(
      (a, b) =>
        b.windowsMaterial.now - a.windowsMaterial.now ||
        b.windowsMaterial.previous - a.windowsMaterial.previous ||
        (b.largestEffect ?? 0) - (a.largestEffect ?? 0),
    )
    .slice(0, MAX_FEATURES);
}

function episodesOf({ episodes, marks }: ReportData): ReportedEpisode[] {
  return episodes.slice(0, MAX_EPISODES).map((episode) => ({
    id: episode.id,
    category: episode.category,
    severity: episode.severity,
    state: episode.state,
    firstWindow: episode.firstWindow,
    closedBy: episode.closedBy,
    drivers: episode.drivers,
    mark: marks.get(episode.id)?.mark ?? null,
  }));
}

function figuresOf(period: PerformancePeriod | null | undefined): ReportedFigures | null {
  if (period === null || period === undefined) return null;
  const { predictions, labelled, maturity, usualMaturity, status, reason, figures } = period;
  return { predictions, labelled, maturity, usualMaturity, status, reason, figures };
}

function qualityOf(sides: Compared<ReportData>): ReportedQuality[] {
  const before = new Map(sides.previous.quality.map((row) => [row.feature, row]));
  const shares = (
    share: QualityRow['missing'] | null | undefined,
    earlier: QualityRow['missing'] | null | undefined,
  ) => ({
    now: share?.current ?? null,
    previous: earlier?.current ?? null,
    reference: share?.reference ?? null,
  });
  return sides.now.quality
    .map((row): ReportedQuality => {
      const earlier = before.get(row.feature);
      return {
        feature: row.feature,
        missing: shares(row.missing, earlier?.missing),
        unseen: row.unseen === null ? null : shares(row.unseen, earlier?.unseen),
        mistyped: { now: row.mistyped, previous: earlier?.mistyped ?? 0 },
        nonFinite: { now: row.nonFinite, previous: earlier?.nonFinite ?? 0 },
        windowsMaterial: { now: row.windowsMaterial, previous: earlier?.windowsMaterial ?? 0 },
      };
    })
    .filter(saysSomething)
    .sort(
      (a, b) => b.windowsMaterial.now - a.windowsMaterial.now || (b.missing.now ?? 0) - (a.missing.now ?? 0),
    )
    .slice(0, MAX_FEATURES);
}

function saysSomething({ missing, unseen, mistyped, nonFinite, windowsMaterial }: ReportedQuality): boolean {
  const shares = [missing.now, missing.previous, unseen?.now, unseen?.previous];
  const rows = [mistyped, nonFinite, windowsMaterial].flatMap(({ now, previous }) => [now, previous]);
  return [...shares, ...rows].some((value) => (value ?? 0) > 0);
}

function outliersOf({ now, previous, outliers }: LoadedVersion): ReportedOutliers {
  const share = (flagged: number, scored: number) => (scored === 0 ? null : flagged / scored);
  const material = ({ outlierShare }: ReportData) =>
    outlierShare?.points.filter(({ look }) => look === 'material').length ?? 0;
  const rows = new Map<string, number>();
  for (const { reasons } of now.outliers) {
    const feature = reasons[0]?.feature;
    if (feature !== undefined) rows.set(feature, (rows.get(feature) ?? 0) + 1);
  }
  return {
    ...outliers,
    share: {
      now: share(outliers.flagged.now, outliers.scored.now),
      previous: share(outliers.flagged.previous, outliers.scored.previous),
    },
    windowsMaterial: compare({ now, previous }, material),
    isolatedBy: [...rows]
      .map(([feature, count]) => ({ feature, rows: count }))
      .sort((a, b) => b.rows - a.rows || a.feature.localeCompare(b.feature, 'en'))
      .slice(0, MAX_REASONS),
  };
}

/** One version's part of a report: counts and names, without rows. */
export function versionFacts(loaded: LoadedVersion): ReportedVersion {
  const { now, performance, retrainings } = loaded;
  return {
    modelVersion: now.version.modelVersion,
    task: now.version.schema.task,
    rows: compare(loaded, ({ rowsInPeriod }) => rowsInPeriod),
    windows: compare(loaded, windowsOf),
    referenceHash: now.reference?.hash ?? null,
    features: featuresOf(loaded),
    episodes: episodesOf(now),
    performance:
      performance === null
        ? null
        : {
            ...compare(performance, ({ periods }) => figuresOf(periods[0])),
            reference: figuresOf(performance.now.reference),
          },
    quality: qualityOf(loaded),
    outliers: outliersOf(loaded),
    retrainings: retrainings.map((retraining) => ({
      modelVersion: retraining.modelVersion,
      episodeId: retraining.episodeId,
      verdict: retraining.cure.verdict,
      sentence: retrainingSentence(retraining),
    })),
  };
}
