import { median } from 'simple-statistics';
import type { RunRecord } from '../domain/ports.js';
import type { Verdict } from '../domain/verdict.js';
import { DAY_MS, HOUR_MS, type Window } from '../domain/window.js';
import type { HeatCell, Heatmap, MonthSummary, Series } from './data.js';
import { alarmRatio, combine, isShapeTest, lookOf } from './severity.js';

const MAX_COLUMNS = 400;

/** Groups in order of first appearance. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** The step between judged windows, ms: the least distance of two window ends, else the window's length, else a day. */
function stepOf(windows: readonly Window[]): number {
  const ends = [...new Set(windows.map((window) => window.endMs))].sort((a, b) => a - b);
  let step = Number.POSITIVE_INFINITY;
  for (const [index, end] of ends.entries()) {
    const next = ends[index + 1];
    if (next !== undefined) step = Math.min(step, next - end);
  }
  if (Number.isFinite(step)) return step;
  const only = windows[0];
  return only === undefined ? DAY_MS : only.endMs - only.startMs;
}

function columnLength(range: Window, windows: readonly Window[]): number {
  const span = range.endMs - range.startMs;
  const steps = [stepOf(windows), HOUR_MS, DAY_MS, 7 * DAY_MS, 28 * DAY_MS];
  const fitting = steps.find((ms) => ms >= (steps[0] ?? 0) && span / ms <= MAX_COLUMNS);
  return fitting ?? Math.ceil(span / MAX_COLUMNS / DAY_MS) * DAY_MS;
}

const SCORE = { material: 1_000, minor: 1, stable: 0, undecided: 0, no_data: 0 } as const;

/**
 * Lays verdicts out as feature × time. A cell stands where its windows end; where windows are too many for single
 * columns, a cell shows the worst of them. Features without any verdict keep a row, so that nothing goes unseen.
 */
export function buildHeatmap(
  features: readonly string[],
  verdicts: readonly Verdict[],
  runs: readonly RunRecord[],
  range: Window,
): Heatmap {
  const inRange = (window: Window) => window.startMs >= range.startMs && window.endMs <= range.endMs;
  const shown = verdicts.filter((verdict) => inRange(verdict.window) && verdict.role === 'primary');
  const empty = runs.filter((run) => run.status === 'no_data' && inRange(run.window));
  const columnMs = columnLength(
    range,
    [...runs, ...shown].map((item) => item.window),
  );
  const columnOf = (window: Window) => Math.floor((window.endMs - 1) / columnMs) * columnMs;
  const byFeature = groupBy(shown, (verdict) => verdict.feature);
  const rows = features.map((feature) => {
    const columns = groupBy(byFeature.get(feature) ?? [], (verdict) => columnOf(verdict.window));
    for (const run of empty) {
      const column = columnOf(run.window);
      if (!columns.has(column)) columns.set(column, []);
    }
    const cells = [...columns].map(([startMs, members]) => cellOf(startMs, columnMs, members));
    const score = cells.reduce(
      (sum, cell) =>
        sum + SCORE[cell.look] * Math.min(cell.ratio ?? 1, 5) + Math.min(cell.ratio ?? 0, 1) / 1e3,
      0,
    );
    return { feature, cells, score };
  });
  rows.sort((a, b) => b.score - a.score);
  return {
    range,
    columnMs,
    features: rows.map((row) => row.feature),
    cells: rows.flatMap((row, index) => row.cells.map((cell) => ({ ...cell, row: index }))),
  };
}

function cellOf(startMs: number, columnMs: number, members: readonly Verdict[]): Omit<HeatCell, 'row'> {
  const byWindow = groupBy(members, (verdict) => verdict.window.endMs);
  const { look, worst } = combine(members);
  const column = { startMs, endMs: startMs + columnMs };
  return {
    column,
    look,
    ratio: worst === null ? null : alarmRatio(worst),
    worst,
    windows: byWindow.size,
    window: worst?.window ?? column,
  };
}

/** The verdicts of one feature as one series per detector: primary ones first, then by name. */
export function buildSeries(verdicts: readonly Verdict[]): Series[] {
  const byDetector = groupBy(verdicts, (verdict) => verdict.detector);
  return [...byDetector]
    .map(([detector, members]) => {
      const points = [...members]
        .sort((a, b) => a.window.endMs - b.window.endMs)
        .map((verdict) => {
          return {
            window: verdict.window,
            value: verdict.statistic,
            threshold: verdict.threshold,
            look: lookOf(verdict),
          };
        });
      const decided = members.filter((verdict) => verdict.statistic !== null);
      const comparable = decided.length > 0 && decided.every(sameAsEffect);
      return {
        detector,
        role: members[0]?.role ?? 'descriptive',
        points,
        minimumEffect: comparable ? (decided[0]?.minimumEffect ?? null) : null,
      };
    })
    .sort((a, b) => rank(a) - rank(b) || a.detector.localeCompare(b.detector, 'en'));
}

/** Data quality: tests beside the one on the column's shape. */
const COMPANIONS: ReadonlySet<string> = new Set([
  'missing',
  'unseen',
  'mistyped',
  'outOfRange',
  'constant',
  'cardinality',
]);

function rank(series: Series): number {
  return (series.role === 'primary' ? 0 : 2) + (COMPANIONS.has(series.detector) ? 1 : 0);
}

/** Whether the statistic is the size of the effect (which may have a sign), so that both alarm lines can be drawn in one picture. */
export function sameAsEffect(verdict: Verdict): boolean {
  if (verdict.statistic === null || verdict.effect === null) return false;
  return (
    Math.abs(verdict.statistic - Math.abs(verdict.effect.value)) <=
    1e-9 * Math.max(1, Math.abs(verdict.statistic))
  );
}

function monthStart(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

function monthEnd(ms: number): number {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** Calendar months that the period touches; a window belongs to the month of its start. */
export function buildMonths(
  verdicts: readonly Verdict[],
  runs: readonly RunRecord[],
  period: Window,
): MonthSummary[] {
  const monthOf = (window: Window) => monthStart(Math.max(window.startMs, period.startMs));
  const runsByMonth = groupBy(runs, (run) => monthOf(run.window));
  const primary = verdicts.filter((verdict) => verdict.role === 'primary' && verdict.feature !== '');
  const verdictsByMonth = groupBy(primary, (verdict) => monthOf(verdict.window));
  const months: MonthSummary[] = [];
  for (let startMs = monthStart(period.startMs); startMs < period.endMs; startMs = monthEnd(startMs)) {
    const own = verdictsByMonth.get(startMs) ?? [];
    const ownRuns = runsByMonth.get(startMs) ?? [];
    const windows = [...groupBy(own, (verdict) => verdict.window.endMs).values()];
    const looks = windows.map((members) => combine(members).look);
    months.push({
      window: {
        startMs: Math.max(startMs, period.startMs),
        endMs: Math.min(monthEnd(startMs), period.endMs),
      },
      windowsJudged: windows.length,
      windowsNoData: ownRuns.filter((run) => run.status === 'no_data').length,
      windowsUndecided: windows.filter((members) =>
        members.every((verdict) => verdict.status === 'undecided'),
      ).length,
      windowsDrifted: looks.filter((look) => look === 'material').length,
      features: featureSummaries(own),
    });
  }
  return months;
}

/** Tests of features that were significant in some window, most windows first; verdicts are primary ones of features. */
export function featureSummaries(verdicts: readonly Verdict[]): MonthSummary['features'] {
  const rows: MonthSummary['features'][number][] = [];
  for (const members of groupBy(verdicts, (verdict) =>
    JSON.stringify([verdict.detector, verdict.feature]),
  ).values()) {
    const decided = members.filter((verdict) => verdict.status !== 'undecided');
    const first = decided[0];
    if (first === undefined) continue;
    const effects = decided.map((verdict) => Math.abs(verdict.effect?.value ?? verdict.statistic ?? 0));
    const worst = decided.reduce((a, b) => ((alarmRatio(b) ?? 0) > (alarmRatio(a) ?? 0) ? b : a), first);
    rows.push({
      feature: first.feature,
      detector: first.detector,
      windowsMaterial: decided.filter((verdict) => lookOf(verdict) === 'material').length,
      windowsSignificant: decided.filter((verdict) => verdict.status === 'drifted').length,
      windowsDecided: decided.length,
      medianEffect: effects.length === 0 ? Number.NaN : median(effects),
      maxEffect: Math.max(...effects),
      maxRatio: alarmRatio(worst) ?? 0,
      worstWindow: worst.window,
    });
  }
  return rows
    .filter((row) => row.windowsSignificant > 0)
    .sort((a, b) => b.windowsMaterial - a.windowsMaterial || b.maxRatio - a.maxRatio);
}

/** The verdict that stands for a feature in one window: its primary shape test, else its worst primary. */
export function leadVerdict(verdicts: readonly Verdict[]): Verdict | null {
  const primary = verdicts.filter((verdict) => verdict.role === 'primary');
  const { worst } = combine(primary);
  if (worst !== null && lookOf(worst) === 'material') return worst;
  return primary.find(isShapeTest) ?? worst;
}
