import type { RunRecord, VerdictStore, VersionKey } from '../domain/ports.js';
import { segmentId } from '../domain/segment.js';
import { type Verdict, VOLUME, type WindowOutcome } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import { createBatch, loadByGroup, OF_VERSIONS, PLACE_OF_VERSION, versionsOf } from './batch.js';
import type { StoreClient } from './client.js';
import { dateTime64, fromBody, toBody } from './encoding.js';
import { createVerdictWriter } from './verdict-writer.js';

/** Verdicts of one answer when the caller sets no limit. */
const DEFAULT_LIMIT = 100_000;

/** Volume depends on other windows' rows too: a revision of it leaves the window's other verdicts as they are. */
const IS_REVISED_ALONE = `detector = '${VOLUME}'`;
const CALLS_PER_STATEMENT = 256;
/** Of runs, which may be all that a version has had. */
const HISTORIES_PER_STATEMENT = 32;

type OutcomeQuery = Parameters<VerdictStore['recentOutcomes']>[0];

interface RunQuery {
  readonly key: VersionKey;
  readonly afterMs: number;
  readonly untilMs: number;
}

interface RunRow {
  readonly place: number;
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
  /** One statement for several calls; nothing is returned for each of them. */
  async function insertAll(table: string, calls: readonly (readonly object[])[]): Promise<undefined[]> {
    await client.insert(table, calls.flat());
    return calls.map(() => undefined);
  }

  /** Of versions that are asked for with the same category, time and limit. */
  async function recentOfAll(calls: readonly OutcomeQuery[]): Promise<WindowOutcome[][]> {
    const { category = '', untilMs = 0, limit = 0, decided } = calls[0] ?? {};
    const { params, placeOf } = versionsOf(calls);
    const rows = await client.query<{ place: number; body: string }>(
      `SELECT ${PLACE_OF_VERSION} AS place, body FROM outcomes FINAL
       WHERE ${OF_VERSIONS} AND category = {category:String} AND window_end <= {until:DateTime64(3, 'UTC')}
         ${decided === true ? "AND state != 'undecided'" : ''}
       ORDER BY place, window_end DESC, window_start DESC
       LIMIT {limit:UInt32} BY place`,
      { ...params, category, until: dateTime64(clampMs(untilMs)), limit },
    );
    return calls.map((call) =>
      rows
        .filter(({ place }) => place === placeOf(call))
        .map((row) => fromBody<WindowOutcome>(row.body))
        .reverse(),
    );
  }

  /** Of versions that are asked for with the same times. */
  async function runsOfAll(calls: readonly RunQuery[]): Promise<RunRecord[][]> {
    const { afterMs = 0, untilMs = 0 } = calls[0] ?? {};
    const { params, placeOf } = versionsOf(calls.map(({ key }) => key));
    const rows = await client.query<RunRow>(
      `SELECT ${PLACE_OF_VERSION} AS place, toUnixTimestamp64Milli(window_start) AS startMs, toUnixTimestamp64Milli(window_end) AS endMs,
              reference_hash, status, rows, labels, toUnixTimestamp64Milli(at) AS atMs
       FROM runs FINAL
       WHERE ${OF_VERSIONS} AND window_end > {after:DateTime64(3, 'UTC')} AND window_end <= {until:DateTime64(3, 'UTC')}
       ORDER BY place, window_end, window_start`,
      { ...params, after: dateTime64(clampMs(afterMs)), until: dateTime64(clampMs(untilMs)) },
    );
    return calls.map(({ key }) =>
      rows
        .filter(({ place }) => place === placeOf(key))
        .map((row) => ({
          model: key.model,
          modelVersion: key.modelVersion,
          window: { startMs: row.startMs, endMs: row.endMs },
          referenceHash: row.reference_hash,
          status: row.status,
          rows: row.rows,
          labels: row.labels,
          atMs: row.atMs,
        })),
    );
  }

  const runsOf = createBatch(
    (calls: readonly RunQuery[]) =>
      loadByGroup(calls, ({ afterMs, untilMs }) => `${afterMs} ${untilMs}`, runsOfAll),
    HISTORIES_PER_STATEMENT,
  );

  return {
    ...createVerdictWriter(client, nextRevision),

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

    saveRun: createBatch(
      (runs: readonly RunRecord[]) =>
        insertAll(
          'runs',
          runs.map((run) => [
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
        ),
      CALLS_PER_STATEMENT,
    ),

    listRuns: async (key, afterMs, untilMs) => runsOf({ key, afterMs, untilMs }),

    saveOutcomes: createBatch(
      (judgements: readonly (readonly WindowOutcome[])[]) =>
        insertAll(
          'outcomes',
          judgements.map((outcomes) => {
            const revision = nextRevision();
            return outcomes.map((outcome) => ({
              ...keyColumns(outcome),
              category: outcome.category,
              ...windowColumns(outcome.window),
              state: outcome.state,
              body: toBody(outcome),
              revision,
            }));
          }),
        ),
      CALLS_PER_STATEMENT,
    ),

    recentOutcomes: createBatch(
      (calls: readonly OutcomeQuery[]) =>
        loadByGroup(
          calls,
          ({ category, untilMs, limit, decided }) => JSON.stringify([category, untilMs, limit, decided]),
          recentOfAll,
        ),
      CALLS_PER_STATEMENT,
    ),

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

function windowColumns(window: Window): { window_start: string; window_end: string } {
  return { window_start: dateTime64(window.startMs), window_end: dateTime64(window.endMs) };
}

/** The times that a DateTime64(3) holds; callers ask from −Infinity or until Infinity to mean "all". */
const FIRST_MS = Date.UTC(1900, 0, 1);
const LAST_MS = Date.UTC(2299, 0, 1);

function clampMs(ms: number): number {
  return Math.min(Math.max(ms, FIRST_MS), LAST_MS);
}
