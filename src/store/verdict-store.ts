import type { RunRecord, VerdictStore, VersionKey } from '../domain/ports.js';
import { segmentId } from '../domain/segment.js';
import { type Verdict, VOLUME, type WindowOutcome } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import type { StoreClient } from './client.js';
import { dateTime64, fromBody, toBody } from './encoding.js';

/** Verdicts of one answer when the caller sets no limit. */
const DEFAULT_LIMIT = 100_000;

/** Volume depends on other windows' rows too: a revision of it leaves the window's other verdicts as they are. */
const IS_REVISED_ALONE = `detector = '${VOLUME}'`;
/** Volume is the last of a judgement. */
const LAST_POSITION = 2 ** 32 - 1;

interface RunRow {
  readonly startMs: number;
  readonly endMs: number;
  readonly reference_hash: string;
  readonly status: RunRecord['status'];
  readonly rows: number;
  readonly labels: number;
  readonly atMs: number;
}

/** Verdicts, outcomes and the run ledger; `profiledRows` reads profiles and is theirs. */
export function createVerdictStore(
  client: StoreClient,
  nextRevision: () => number,
): Omit<VerdictStore, 'profiledRows' | 'labelledRows'> {
  return {
    saveVerdicts: async (verdicts) => {
      for (const judgement of byWindow(verdicts)) {
        const revision = nextRevision();
        const rows = judgement.map((verdict, position) => ({
          segment: verdict.segment,
          row: verdictRow(verdict, position, revision),
        }));
        // Segments first: whoever finds the window's verdicts finds theirs.
        await client.insert(
          'segment_verdicts',
          rows.flatMap(({ segment, row }) =>
            segment === undefined ? [] : [{ ...row, segment: segmentId(segment) }],
          ),
        );
        await client.insert(
          'verdicts',
          rows.flatMap(({ segment, row }) => (segment === undefined ? [row] : [])),
        );
      }
    },

    reviseVerdicts: (volumes) => {
      const revision = nextRevision();
      return client.insert(
        'verdicts',
        volumes.map((verdict) => verdictRow(verdict, LAST_POSITION, revision)),
      );
    },

    listVerdicts: async ({ window, feature, detector, role, segment, limit = DEFAULT_LIMIT, ...key }) => {
      const table = segment === undefined ? 'verdicts' : 'segment_verdicts';
      const ofSegment = typeof segment === 'object' ? 'segment = {segment:String}' : 'true';
      // Windows within the asked one; of each, the verdicts of its last judgement only, and its last volume.
      const within = `model = {model:String} AND version = {version:String}
        AND window_start >= {start:DateTime64(3, 'UTC')} AND window_end <= {end:DateTime64(3, 'UTC')}`;
      const rows = await client.query<{ body: string }>(
        `SELECT body FROM ${table}
         WHERE ${within}
           AND (window_start, window_end, ${IS_REVISED_ALONE}, revision) IN (
             SELECT window_start, window_end, ${IS_REVISED_ALONE} AS alone, max(revision) FROM ${table} WHERE ${within}
             GROUP BY window_start, window_end, alone)
           AND ${ofSegment}
           AND ({anyFeature:Bool} OR feature = {feature:String})
           AND ({anyDetector:Bool} OR detector = {detector:String})
           AND ({anyRole:Bool} OR role = {role:String})
         ORDER BY window_end, window_start, position
         LIMIT {limit:UInt32}`,
        {
          ...keyColumns(key),
          start: dateTime64(window.startMs),
          end: dateTime64(window.endMs),
          anyFeature: feature === undefined,
          feature: feature ?? '',
          anyDetector: detector === undefined,
          detector: detector ?? '',
          anyRole: role === undefined,
          role: role ?? '',
          segment: typeof segment === 'object' ? segmentId(segment) : '',
          limit,
        },
      );
      return rows.map((row) => fromBody<Verdict>(row.body));
    },

    saveRun: (run) =>
      client.insert('runs', [
        {
          ...keyColumns(run),
          ...windowColumns(run.window),
          reference_hash: run.referenceHash,
          status: run.status,
          rows: run.rows,
          labels: run.labels ?? 0,
          at: dateTime64(run.atMs),
          revision: nextRevision(),
        },
      ]),

    listRuns: async (key, afterMs, untilMs) => {
      const rows = await client.query<RunRow>(
        `SELECT toUnixTimestamp64Milli(window_start) AS startMs, toUnixTimestamp64Milli(window_end) AS endMs,
                reference_hash, status, rows, labels, toUnixTimestamp64Milli(at) AS atMs
         FROM runs FINAL
         WHERE model = {model:String} AND version = {version:String}
           AND window_end > {after:DateTime64(3, 'UTC')} AND window_end <= {until:DateTime64(3, 'UTC')}
         ORDER BY window_end, window_start`,
        { ...keyColumns(key), after: dateTime64(clampMs(afterMs)), until: dateTime64(clampMs(untilMs)) },
      );
      return rows.map((row) => ({
        model: key.model,
        modelVersion: key.modelVersion,
        window: { startMs: row.startMs, endMs: row.endMs },
        referenceHash: row.reference_hash,
        status: row.status,
        rows: row.rows,
        labels: row.labels,
        atMs: row.atMs,
      }));
    },

    saveOutcomes: (outcomes) => {
      const revision = nextRevision();
      return client.insert(
        'outcomes',
        outcomes.map((outcome) => ({
          ...keyColumns(outcome),
          category: outcome.category,
          ...windowColumns(outcome.window),
          state: outcome.state,
          body: toBody(outcome),
          revision,
        })),
      );
    },

    recentOutcomes: async ({ category, untilMs, limit, ...key }) => {
      const rows = await client.query<{ body: string }>(
        `SELECT body FROM outcomes FINAL
         WHERE model = {model:String} AND version = {version:String} AND category = {category:String}
           AND window_end <= {until:DateTime64(3, 'UTC')}
         ORDER BY window_end DESC, window_start DESC
         LIMIT {limit:UInt32}`,
        { ...keyColumns(key), category, until: dateTime64(clampMs(untilMs)), limit },
      );
      return rows.map((row) => fromBody<WindowOutcome>(row.body)).reverse();
    },

    breachedWindows: async (key, period) => {
      const rows = await client.query<Window>(
        `SELECT DISTINCT toUnixTimestamp64Milli(window_start) AS startMs, toUnixTimestamp64Milli(window_end) AS endMs
         FROM outcomes FINAL
         WHERE model = {model:String} AND version = {version:String} AND category IN ('drift', 'dataQuality') AND state = 'drifted'
           AND window_end > {from:DateTime64(3, 'UTC')} AND window_start < {to:DateTime64(3, 'UTC')}
         ORDER BY endMs, startMs`,
        {
          ...keyColumns(key),
          from: dateTime64(clampMs(period.startMs)),
          to: dateTime64(clampMs(period.endMs)),
        },
      );
      return rows.map(({ startMs, endMs }) => ({ startMs, endMs }));
    },
  };
}

function keyColumns(key: VersionKey): { model: string; version: string } {
  return { model: key.model, version: key.modelVersion };
}

function verdictRow(verdict: Verdict, position: number, revision: number) {
  return {
    ...keyColumns(verdict),
    ...windowColumns(verdict.window),
    feature: verdict.feature,
    detector: verdict.detector,
    category: verdict.category,
    role: verdict.role,
    status: verdict.status,
    reason: verdict.reason ?? '',
    material: verdict.material,
    statistic: verdict.statistic,
    threshold: verdict.threshold,
    effect: verdict.effect?.value ?? null,
    p_value: verdict.pValue,
    adjusted_p_value: verdict.adjustedPValue,
    position,
    body: toBody(verdict),
    revision,
  };
}

function windowColumns(window: Window): { window_start: string; window_end: string } {
  return { window_start: dateTime64(window.startMs), window_end: dateTime64(window.endMs) };
}

/** The times that a DateTime64(3) holds; callers ask from −Infinity or until Infinity to mean "all". */
const FIRST_MS = Date.UTC(1900, 0, 1);
const LAST_MS = Date.UTC(2299, 0, 1);

function clampMs(ms: number): number {
  return Math.min(Math.max(ms, FIRST_MS), LAST_MS);
}

/** One group per version and window, in the order of first appearance. */
function byWindow(verdicts: readonly Verdict[]): Verdict[][] {
  const groups = new Map<string, Verdict[]>();
  for (const verdict of verdicts) {
    const key = `${verdict.model}\0${verdict.modelVersion}\0${verdict.window.startMs}\0${verdict.window.endMs}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [verdict]);
    else group.push(verdict);
  }
  return [...groups.values()];
}
