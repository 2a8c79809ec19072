import { byUrgency } from '../domain/episode-words.js';
import { type FeatureSchema, forestColumns, type ModelVersion, monitoredColumns } from '../domain/model.js';
import type { RunRecord, VersionKey } from '../domain/ports.js';
import type { Verdict } from '../domain/verdict.js';
import { DAY_MS, type Window } from '../domain/window.js';
import type { ModelData, ModelState, OverviewData, RankedFeature, VersionSummary } from './data.js';
import { describeFeature, loadSides, type Sides, type ViewStore } from './load-sides.js';
import { summariseSegments } from './segments.js';
import { alarmRatio, combine, type Look, lookOf } from './severity.js';
import { buildHeatmap, buildSeries, groupBy, leadVerdict } from './summarise.js';

/** Windows shown when the reader chose no range. */
const DEFAULT_WINDOWS = 200;
const DEFAULT_SPAN_MS = 92 * DAY_MS;
export const VERDICT_LIMIT = 100_000;
/** Flagged rows read to find the highest scores of the shown time. */
const TOP_OUTLIERS = 20;
const EPISODE_LIMIT = 200;
/** Far enough for any calendar, near enough for any clock column. */
const FOREVER_MS = Date.UTC(2200, 0, 1);

/** Every run of a version, by window end. */
export function allRuns(store: ViewStore, key: VersionKey): Promise<RunRecord[]> {
  return store.listRuns(key, 0, FOREVER_MS);
}

export async function findVersion(store: ViewStore, key: VersionKey): Promise<ModelVersion | null> {
  const models = await store.listModels();
  return models.find((entry) => entry.model === key.model && entry.modelVersion === key.modelVersion) ?? null;
}

function keyOf(version: ModelVersion): VersionKey {
  return { model: version.model, modelVersion: version.modelVersion };
}

export function lastOf(runs: readonly RunRecord[], status?: RunRecord['status']): RunRecord | null {
  return runs.findLast((run) => status === undefined || run.status === status) ?? null;
}

export function same(a: Window, b: Window): boolean {
  return a.startMs === b.startMs && a.endMs === b.endMs;
}

async function verdictsOf(store: ViewStore, key: VersionKey, window: Window): Promise<Verdict[]> {
  const verdicts = await store.listVerdicts({ ...key, window, role: 'primary', limit: VERDICT_LIMIT });
  return verdicts.filter((verdict) => same(verdict.window, window));
}

/** The last run, without reading years of them: runs go on after the newest event, as `no_data`. */
async function newestRun(store: ViewStore, key: VersionKey, watermarkMs: number): Promise<RunRecord | null> {
  const recent = await store.listRuns(key, Math.max(0, watermarkMs - 7 * DAY_MS), FOREVER_MS);
  return lastOf(recent) ?? lastOf(await allRuns(store, key));
}

async function summariseVersion(
  store: ViewStore,
  version: ModelVersion,
  marks: ReadonlyMap<string, { watermarkMs: number; rows: number }>,
  open: VersionSummary['openEpisodes'],
): Promise<VersionSummary> {
  const key = keyOf(version);
  const mark = marks.get(versionId(version));
  const lastRun = await newestRun(store, key, mark?.watermarkMs ?? 0);
  const verdicts = lastRun?.status === 'judged' ? await verdictsOf(store, key, lastRun.window) : [];
  const looks: Record<Look, number> = { stable: 0, minor: 0, material: 0, undecided: 0, no_data: 0 };
  const groups = groupBy(
    verdicts.filter((verdict) => verdict.feature !== ''),
    (verdict) => verdict.feature,
  );
  const worst: Verdict[] = [];
  for (const members of groups.values()) {
    const { look } = combine(members);
    looks[look]++;
    const lead = leadVerdict(members);
    if (lead !== null && lookOf(lead) === 'material') worst.push(lead);
  }
  worst.sort((a, b) => (alarmRatio(b) ?? 0) - (alarmRatio(a) ?? 0));
  return {
    version,
    state: stateOf(lastRun, looks, open.length),
    rows: mark?.rows ?? 0,
    watermarkMs: mark?.watermarkMs ?? null,
    lastRun,
    looks,
    worst: worst.slice(0, 3),
    openEpisodes: open,
  };
}

/** An open episode outlives a window without data; no data outranks the rest, so that an outage never reads as ok. */
export function stateOf(
  lastRun: RunRecord | null,
  looks: Readonly<Record<Look, number>>,
  openEpisodes: number,
): ModelState {
  if (openEpisodes > 0) return 'drifting';
  if (lastRun === null || lastRun.status === 'no_data') return 'no_data';
  if (looks.material > 0) return 'drifting';
  return looks.stable + looks.minor > 0 ? 'ok' : 'undecided';
}

function versionId(key: VersionKey): string {
  return JSON.stringify([key.model, key.modelVersion]);
}

async function marksOf(store: ViewStore): Promise<Map<string, { watermarkMs: number; rows: number }>> {
  const marks = await store.watermarks();
  return new Map(marks.map((mark) => [versionId(mark), mark] as const));
}

export async function loadOverview(store: ViewStore, nowMs: number): Promise<OverviewData> {
  const [models, marks, openEpisodes, totals] = await Promise.all([
    store.listModels(),
    marksOf(store),
    store.listEpisodes({ state: 'open', limit: EPISODE_LIMIT }),
    store.totals(),
  ]);
  const versions: VersionSummary[] = [];
  for (const version of models) {
    const own = openEpisodes.filter(
      (episode) => episode.model === version.model && episode.modelVersion === version.modelVersion,
    );
    versions.push(await summariseVersion(store, version, marks, own));
  }
  return { generatedAtMs: nowMs, versions, openEpisodes: openEpisodes.toSorted(byUrgency), totals };
}

/** The newest windows that fit a page; the whole history when it is short. */
export function defaultRange(runs: readonly RunRecord[], watermarkMs: number | null, nowMs: number): Window {
  const last = runs.at(-1);
  if (last === undefined) {
    const endMs = Math.ceil((watermarkMs ?? nowMs) / DAY_MS) * DAY_MS;
    return { startMs: endMs - 7 * DAY_MS, endMs };
  }
  const first = runs.at(-DEFAULT_WINDOWS) ?? runs[0] ?? last;
  const endMs = last.window.endMs;
  return { startMs: Math.max(first.window.startMs, endMs - DEFAULT_SPAN_MS), endMs };
}

/** Everything on a model's page over `range`, or over the newest windows when it is null. Null: no such version. */
export async function loadModel(
  store: ViewStore,
  key: VersionKey,
  range: Window | null,
  nowMs: number,
): Promise<{ data: ModelData; verdicts: Verdict[]; runs: RunRecord[] } | null> {
  const version = await findVersion(store, key);
  if (version === null) return null;
  const [runs, reference, references, referenceChanges, marks, episodes, episodeMarks] = await Promise.all([
    allRuns(store, key),
    store.currentReference(key),
    store.listReferences(key),
    store.listReferenceChanges(key),
    marksOf(store),
    store.listEpisodes({ model: key.model, limit: EPISODE_LIMIT }),
    store.listMarks(key.model),
  ]);
  const mark = marks.get(versionId(key));
  const shown = range ?? defaultRange(runs, mark?.watermarkMs ?? null, nowMs);
  const inRange = (window: Window) => window.startMs >= shown.startMs && window.endMs <= shown.endMs;
  // Descriptive verdicts, three times as many, are shown on a feature's own page only.
  const found = await store.listVerdicts({ ...key, window: shown, role: 'primary', limit: VERDICT_LIMIT });
  const verdicts = found.filter((verdict) => inRange(verdict.window));
  const ownRuns = runs.filter((run) => inRange(run.window));
  const columns = monitoredColumns(version.schema);
  const lastJudged = lastOf(ownRuns, 'judged')?.window ?? null;
  const sides = await loadSides(store, key, reference, lastJudged);
  const segmentVerdicts =
    lastJudged === null
      ? []
      : await store.listVerdicts({ ...key, window: lastJudged, segment: 'every', limit: VERDICT_LIMIT });
  const { outliers } = await store.listOutliers(key, forestColumns(version.schema), {
    window: shown,
    limit: TOP_OUTLIERS,
  });
  const rowVerdicts = verdicts.filter((verdict) => verdict.category === 'outliers');
  const together = verdicts.filter((verdict) => verdict.detector === 'domainClassifier');
  const count = (status: RunRecord['status']) => ownRuns.filter((run) => run.status === status).length;
  const first = runs[0];
  const data: ModelData = {
    generatedAtMs: nowMs,
    version,
    reference,
    references,
    referenceChanges,
    rows: mark?.rows ?? 0,
    watermarkMs: mark?.watermarkMs ?? null,
    range: shown,
    judged:
      first === undefined
        ? null
        : { startMs: first.window.startMs, endMs: runs.at(-1)?.window.endMs ?? first.window.endMs },
    lastRun: lastOf(ownRuns),
    windows: { judged: count('judged'), noData: count('no_data'), skipped: count('skipped') },
    heatmap: buildHeatmap(
      columns.map((column) => column.name),
      verdicts,
      ownRuns,
      shown,
    ),
    ranked: rankFeatures(columns, verdicts, lastJudged, sides),
    episodes: episodes.filter((episode) => episode.modelVersion === key.modelVersion).sort(byUrgency),
    marks: new Map(episodeMarks.map((mark) => [mark.episodeId, mark])),
    segments: summariseSegments(segmentVerdicts),
    outlierShare: buildSeries(rowVerdicts)[0] ?? null,
    outliers,
    together: buildSeries(together)[0] ?? null,
    truncated: found.length >= VERDICT_LIMIT,
  };
  return { data, verdicts, runs: ownRuns };
}

const LOOK_ORDER: Readonly<Record<Look, number>> = {
  material: 0,
  minor: 1,
  stable: 2,
  undecided: 3,
  no_data: 4,
};

function rankFeatures(
  columns: readonly FeatureSchema[],
  verdicts: readonly Verdict[],
  window: Window | null,
  sides: Sides,
): RankedFeature[] {
  const byFeature = groupBy(verdicts, (verdict) => verdict.feature);
  const ranked = columns.map((column) => {
    const own = byFeature.get(column.name) ?? [];
    const now = window === null ? [] : own.filter((verdict) => same(verdict.window, window));
    const { look, worst } = combine(now);
    const perWindow = [...groupBy(own, (verdict) => verdict.window.endMs).values()].map(
      (members) => combine(members).look,
    );
    return {
      feature: column.name,
      kind: column.kind,
      look,
      ratio: worst === null ? null : alarmRatio(worst),
      verdict: leadVerdict(now),
      ...describeFeature(sides, column),
      windowsMaterial: perWindow.filter((each) => each === 'material').length,
      windowsDecided: perWindow.filter((each) => each !== 'undecided' && each !== 'no_data').length,
    };
  });
  return ranked.sort((a, b) => LOOK_ORDER[a.look] - LOOK_ORDER[b.look] || (b.ratio ?? -1) - (a.ratio ?? -1));
}
