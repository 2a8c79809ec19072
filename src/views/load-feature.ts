import { monitoredColumns } from '../domain/model.js';
import type { VersionKey } from '../domain/ports.js';
import type { Verdict } from '../domain/verdict.js';
import { DAY_MS, type Window } from '../domain/window.js';
import type { FeatureData } from './data.js';
import { sitePath } from './html.js';
import { allRuns, defaultRange, findVersion, lastOf, same, VERDICT_LIMIT } from './load.js';
import { describeFeature, loadSides, type ViewStore } from './load-sides.js';
import { alarmRatio, isShapeTest, lookOf } from './severity.js';
import { buildSeries } from './summarise.js';

/** Everything on a feature's page. `window` null: the newest judged one. Null: no such version or feature. */
export async function loadFeature(
  store: ViewStore,
  key: VersionKey,
  feature: string,
  window: Window | null,
  nowMs: number,
): Promise<FeatureData | null> {
  const version = await findVersion(store, key);
  const column =
    version === null
      ? undefined
      : monitoredColumns(version.schema).find(
          (c) => c.name === feature || sitePath(c.name) === sitePath(feature),
        );
  if (version === null || column === undefined) return null;
  const [runs, reference] = await Promise.all([allRuns(store, key), store.currentReference(key)]);
  const newest = defaultRange(runs, null, nowMs);
  const chosen = window ?? lastOf(runs, 'judged')?.window ?? lastOf(runs)?.window ?? newest;
  const range = rangeAround(newest, chosen);
  const [found, sides] = await Promise.all([
    store.listVerdicts({ ...key, window: range, feature, limit: VERDICT_LIMIT }),
    loadSides(store, key, reference, chosen, [feature]),
  ]);
  const verdicts = found.filter((verdict) => verdict.feature === feature);
  const own = verdicts.filter((verdict) => same(verdict.window, chosen));
  const primary = verdicts.filter((verdict) => verdict.role === 'primary' && lookOf(verdict) === 'material');
  const worst = primary.reduce<Verdict | null>(
    (best, each) => (best === null || (alarmRatio(each) ?? 0) > (alarmRatio(best) ?? 0) ? each : best),
    null,
  );
  const order = (verdict: Verdict) => (verdict.role === 'primary' ? 0 : 2) + (isShapeTest(verdict) ? 0 : 1);
  return {
    generatedAtMs: nowMs,
    version,
    reference,
    feature,
    kind: column.kind,
    window: chosen,
    range,
    previousWindow: runs.findLast((run) => run.window.endMs < chosen.endMs)?.window ?? null,
    nextWindow: runs.find((run) => run.window.endMs > chosen.endMs)?.window ?? null,
    worstWindow: worst?.window ?? null,
    ...describeFeature(sides, column),
    verdicts: [...own].sort((a, b) => order(a) - order(b) || a.detector.localeCompare(b.detector, 'en')),
    series: buildSeries(verdicts),
  };
}

/** A range as long as the newest one that holds the chosen window. */
function rangeAround(newest: Window, chosen: Window): Window {
  if (chosen.startMs >= newest.startMs && chosen.endMs <= newest.endMs) return newest;
  const half = Math.ceil((newest.endMs - newest.startMs) / 2 / DAY_MS) * DAY_MS;
  return { startMs: chosen.startMs - half, endMs: chosen.endMs + half };
}
