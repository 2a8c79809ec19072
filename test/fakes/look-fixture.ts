import type { Episode } from '../../src/domain/episode.js';
import { type ModelVersion, monitoredColumns } from '../../src/domain/model.js';
import type { OutlierRecord } from '../../src/domain/outlier-ports.js';
import type { RunRecord } from '../../src/domain/ports.js';
import type { Grid, Profile } from '../../src/domain/profile.js';
import type { Reference } from '../../src/domain/reference.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { DAY_MS } from '../../src/domain/window.js';
import type { ViewStore } from '../../src/views/load-sides.js';
import { dayRows, gridOf, mergeProfiles, profileOf, seeded, VERSION } from './look-data.js';
import { HASH, judge, START_MS, verdictOf } from './look-verdicts.js';

const OUTAGE = new Set([Date.UTC(2013, 3, 20), Date.UTC(2013, 3, 21)]);

export interface LookFixture {
  readonly version: ModelVersion;
  readonly reference: Reference;
  readonly grids: readonly Grid[];
  readonly referenceProfiles: readonly Profile[];
  readonly days: ReadonlyMap<number, readonly Profile[]>;
  readonly verdicts: readonly Verdict[];
  readonly runs: readonly RunRecord[];
  readonly episodes: readonly Episode[];
  readonly outliers: readonly OutlierRecord[];
  readonly rows: number;
}

function episodeOf(parts: Partial<Episode> & Pick<Episode, 'id' | 'firstWindow' | 'drivers'>): Episode {
  const openedBy = { startMs: parts.firstWindow.startMs + DAY_MS, endMs: parts.firstWindow.endMs + DAY_MS };
  return {
    model: VERSION.model,
    modelVersion: VERSION.modelVersion,
    category: 'drift',
    severity: 'critical',
    state: 'open',
    openedBy,
    closedBy: null,
    lastWindow: openedBy,
    openedAtMs: openedBy.endMs,
    closedAtMs: null,
    ...parts,
  };
}

/** Ninety days of a flight-delay classifier against February. */
export function createLookFixture(dayCount = 90, rowsPerDay = 160): LookFixture {
  const random = seeded(20_130_301);
  const columns = monitoredColumns(VERSION.schema);
  const referenceRows = Array.from({ length: 28 }, (_, day) =>
    dayRows(Date.UTC(2013, 1, 1 + day), 60, random),
  ).flat();
  const grids = columns.map((column) => gridOf(column, referenceRows));
  const referenceProfiles = grids.map((grid) => profileOf(grid, referenceRows));
  const days = new Map<number, Profile[]>();
  const verdicts: Verdict[] = [];
  const runs: RunRecord[] = [];
  for (let day = 0; day < dayCount; day++) {
    const startMs = START_MS + day * DAY_MS;
    const window = { startMs, endMs: startMs + DAY_MS };
    const outage = OUTAGE.has(startMs);
    const rows = outage ? [] : dayRows(startMs, rowsPerDay, random);
    const key = { model: VERSION.model, modelVersion: VERSION.modelVersion };
    runs.push({
      ...key,
      window,
      referenceHash: HASH,
      status: outage ? 'no_data' : 'judged',
      rows: rows.length,
      atMs: window.endMs,
    });
    if (outage) continue;
    const profiles = grids.map((grid) => profileOf(grid, rows));
    days.set(startMs, profiles);
    for (const [index, column] of columns.entries()) {
      const [reference, current] = [referenceProfiles[index], profiles[index]];
      if (reference !== undefined && current !== undefined)
        verdicts.push(...judge(column, reference, current, window));
    }
    const flagged = 0.008 + 0.006 * random() + (day > 60 ? 0.012 : 0);
    verdicts.push(
      verdictOf({
        feature: '',
        detector: 'isolationForest',
        category: 'outliers',
        window,
        statistic: flagged,
        threshold: 0.021,
        minimumEffect: 0.02,
        effect: { value: flagged, low: flagged * 0.7, high: flagged * 1.4 },
        status: flagged >= 0.021 ? 'drifted' : 'stable',
        material: flagged >= 0.021,
        currentRows: rows.length,
      }),
    );
  }
  const dayWindow = (day: number) => ({
    startMs: START_MS + day * DAY_MS,
    endMs: START_MS + (day + 1) * DAY_MS,
  });
  return {
    version: VERSION,
    reference: {
      model: VERSION.model,
      modelVersion: VERSION.modelVersion,
      hash: HASH,
      rows: referenceRows.length,
      period: { startMs: Date.UTC(2013, 1, 1), endMs: Date.UTC(2013, 2, 1) },
      provenance: 'reference.parquet',
      createdAtMs: VERSION.registeredAtMs,
      nullModel: { kind: 'temporal', pieceMs: DAY_MS, spreads: [] },
      forest: null,
    },
    grids,
    referenceProfiles,
    days,
    verdicts,
    runs,
    episodes: [
      episodeOf({
        id: 'e1',
        category: 'dataQuality',
        severity: 'warning',
        state: 'closed',
        firstWindow: dayWindow(38),
        closedBy: dayWindow(46),
        lastWindow: dayWindow(43),
        closedAtMs: dayWindow(46).endMs,
        drivers: [
          { feature: 'pressure', detector: 'missing', statistic: 0.58, threshold: 0.05, effect: 0.58 },
        ],
      }),
      episodeOf({
        id: 'e2',
        firstWindow: dayWindow(58),
        lastWindow: dayWindow(89),
        drivers: [
          { feature: 'temp', detector: 'ks', statistic: 0.74, threshold: 0.24, effect: 0.74 },
          { feature: 'dewp', detector: 'ks', statistic: 0.61, threshold: 0.24, effect: 0.61 },
        ],
      }),
    ],
    outliers: Array.from({ length: 12 }, (_, index) => ({
      model: VERSION.model,
      modelVersion: VERSION.modelVersion,
      predictionId: `UA${1500 - 37 * index}-2013052${index % 9}1000-EWR-v1`,
      rowIndex: 0,
      timestampMs: Date.UTC(2013, 4, 20 + (index % 9), 10),
      score: 0.81 - index * 0.006,
      reasons: [
        { feature: 'dep_delay', contribution: 0.31 - index * 0.01 },
        { feature: 'visib', contribution: 0.12 },
        { feature: 'carrier', contribution: 0.04 },
      ],
      values:
        index === 11 ? null : { dep_delay: 340 - index, visib: index % 3 === 0 ? null : 0.25, carrier: 'UA' },
    })),
    rows: rowsPerDay * days.size,
  };
}

/** The fixture behind the read ports. */
export function createFakeViewStore(fixture: LookFixture, others: readonly ModelVersion[] = []): ViewStore {
  const { version } = fixture;
  const mine = (key: { model?: string; modelVersion?: string }) =>
    (key.model ?? version.model) === version.model &&
    (key.modelVersion ?? version.modelVersion) === version.modelVersion;
  const chosen = (profiles: readonly Profile[], features?: readonly string[]) =>
    profiles.filter((profile) => features === undefined || features.includes(profile.feature));
  return {
    listModels: async () => [version, ...others],
    listGrids: async (model) => (model === version.model ? [...fixture.grids] : []),
    currentReference: async (key) => (mine(key) ? fixture.reference : null),
    listReferences: async (key) => (mine(key) ? [{ ...fixture.reference, current: true }] : []),
    listReferenceChanges: async () => [],
    listMarks: async () => [],
    watermarks: async () => [
      {
        model: version.model,
        modelVersion: version.modelVersion,
        firstEventMs: fixture.runs[0]?.window.startMs ?? START_MS,
        watermarkMs: (fixture.runs.at(-1)?.window.endMs ?? START_MS) - 60_000,
        rows: fixture.rows,
      },
    ],
    mergedProfiles: async (query, buckets) => {
      if (!mine(query)) return [];
      if (query.scope !== 'production') return chosen(fixture.referenceProfiles, query.features);
      const parts = buckets.flatMap((bucket) => {
        const day = Math.floor(bucket.startMs / DAY_MS) * DAY_MS;
        return bucket.granularity === 'day' ? [fixture.days.get(day) ?? []] : [];
      });
      return fixture.grids.flatMap((grid) => {
        const own = parts.flatMap((profiles) => profiles.filter((p) => p.feature === grid.feature));
        const merged = mergeProfiles(own);
        return merged === null ? [] : chosen([merged], query.features);
      });
    },
    listVerdicts: async (query) =>
      fixture.verdicts
        .filter(
          (verdict) =>
            mine(query) &&
            verdict.window.startMs >= query.window.startMs &&
            verdict.window.endMs <= query.window.endMs &&
            (query.feature === undefined || query.feature === verdict.feature) &&
            (query.detector === undefined || query.detector === verdict.detector) &&
            (query.role === undefined || query.role === verdict.role),
        )
        .slice(0, query.limit),
    listRuns: async (key, afterMs, untilMs) =>
      mine(key)
        ? fixture.runs.filter((run) => run.window.endMs > afterMs && run.window.endMs <= untilMs)
        : [],
    listEpisodes: async (query) =>
      fixture.episodes
        .filter(
          (episode) =>
            mine({ ...(query.model === undefined ? {} : { model: query.model }) }) &&
            (query.state ?? episode.state) === episode.state,
        )
        .slice(0, query.limit),
    listOutliers: async (key, _columns, { window, limit }) => ({
      outliers: fixture.outliers
        .filter(({ timestampMs }) => mine(key) && timestampMs >= window.startMs && timestampMs < window.endMs)
        .slice(0, limit),
      next: null,
    }),
    totals: async () => ({ predictions: fixture.rows, labels: 13_201, labelsMatched: 13_188, rejected: 7 }),
  };
}
