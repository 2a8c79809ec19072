import type { DirtyBuckets, ProfileQuery, ProfileStore, VerdictStore } from '../domain/ports.js';
import { PRODUCTION } from '../domain/ports.js';
import { cellCount, type Grid, type Profile } from '../domain/profile.js';
import { type Bucket, DAY_MS, HOUR_MS, type Window } from '../domain/window.js';
import type { StoreClient } from './client.js';
import { dateTime64, float64 } from './encoding.js';
import type { GridStore } from './grid-store.js';
import type { ProfileCounter } from './profile-counter.js';
import { COUNT_IDENTITIES_SQL, HOUR_OF_ROW, productionSource } from './profile-source.js';

/** Rows of one statement, about: bounds what it holds in memory to tell identities apart. One hour is never split. */
const ROWS_PER_STATEMENT = 4_000_000;

const MAX_PIECES = 400;

/**
 * The newest hour of a version still fills, and no window that holds it is due until the clock is well past it: before that it is
 * counted again when it has grown by a tenth or its count is so old, not for every few rows.
 */
const NEWEST_HOUR_AGE_US = 300_000_000;
const NEWEST_HOUR_GROWTH = 1.1;

/** Stored rows per version and hour, from the table's projection, beside the rows that were counted, and when (µs). */
const STORED_AND_COUNTED = `
  SELECT s.model AS model, s.version AS version, s.hour AS hour, s.stored AS stored, p.counted AS counted,
    p.counted_at AS counted_at, max(s.hour) OVER (PARTITION BY s.model, s.version) AS newest
  FROM (SELECT model, version, ${HOUR_OF_ROW} AS hour, count() AS stored FROM predictions GROUP BY model, version, hour) AS s
  LEFT JOIN (SELECT model, version, hour, argMax(raw_rows, revision) AS counted, max(revision) AS counted_at
             FROM profiled_hours GROUP BY model, version, hour) AS p
    ON s.model = p.model AND s.version = p.version AND s.hour = p.hour`;

export interface ProfileRow {
  readonly piece: number;
  readonly feature: string;
  readonly kind: Profile['kind'];
  readonly rows: number;
  readonly missing: number;
  readonly non_finite: number;
  readonly mistyped: number;
  readonly counts: readonly number[];
  readonly offsets: readonly number[];
  readonly min: number | string | null;
  readonly max: number | string | null;
}

export const MERGED = `feature, any(p.kind) AS kind, sum(p.rows) AS rows, sum(p.missing) AS missing, sum(p.non_finite) AS non_finite,
  sum(p.mistyped) AS mistyped, sumForEach(p.counts) AS counts, sumForEach(p.offsets) AS offsets, min(p.min) AS min, max(p.max) AS max`;

/** Counts of production's and the references' columns per hour and day, made and merged inside the engine. */
export function createProfileStore(
  client: StoreClient,
  grids: GridStore,
  counter: ProfileCounter,
  nextRevision: () => number,
): Omit<ProfileStore, 'windowProfiles'> & Pick<VerdictStore, 'profiledRows'> {
  async function merged(query: ProfileQuery, piece: string, where: string, params: Record<string, unknown>) {
    const features = query.features === undefined ? '' : 'AND feature IN {features:Array(String)}';
    return client.query<ProfileRow>(
      `SELECT ${piece} AS piece, ${MERGED}
       FROM (SELECT * FROM profiles FINAL
             WHERE scope = {scope:String} AND model = {model:String} AND version = {version:String} ${features} AND ${where}) AS p
       GROUP BY piece, feature ORDER BY piece, feature`,
      {
        ...params,
        scope: query.scope,
        model: query.model,
        version: query.modelVersion,
        ...(query.features === undefined ? {} : { features: query.features }),
      },
    );
  }

  /** Counts some hours of one version: profiles first, the mark that they are complete last, so that a crash repeats them. */
  async function countHours(
    model: Parameters<ProfileStore['profileHours']>[0],
    hours: readonly { hour: number; stored: number }[],
  ): Promise<void> {
    const params = {
      model: model.model,
      version: model.modelVersion,
      hours: hours.map(({ hour }) => hour),
      fromTs: dateTime64((hours[0]?.hour ?? 0) * HOUR_MS),
      toTs: dateTime64(((hours.at(-1)?.hour ?? 0) + 1) * HOUR_MS),
    };
    const [seen] = await client.query<{ stored: number; identities: number }>(COUNT_IDENTITIES_SQL, params);
    const source = productionSource(seen?.stored !== seen?.identities);
    const rows = await client.query<{ hour: number; rows: number }>(source.hours, params);
    const rowsOf = new Map(rows.map((row) => [row.hour, row.rows]));
    const revision = nextRevision();
    await counter.count({ scope: PRODUCTION, model, source, params, hours: params.hours, revision });
    // Stored rows as they were before counting: one that came meanwhile makes its hour dirty again.
    await client.insert(
      'profiled_hours',
      hours.map(({ hour, stored }) => ({
        model: model.model,
        version: model.modelVersion,
        hour,
        raw_rows: stored,
        rows: rowsOf.get(hour) ?? 0,
        revision,
      })),
    );
  }

  return {
    async watermarks() {
      const rows = await client.query<{
        model: string;
        version: string;
        first: number;
        last: number;
        stored: number;
      }>(
        `SELECT model, version, toUnixTimestamp64Milli(min(ts)) AS first, toUnixTimestamp64Milli(max(ts)) AS last, count() AS stored
         FROM predictions GROUP BY model, version ORDER BY model, version`,
      );
      return rows.map((row) => ({
        model: row.model,
        modelVersion: row.version,
        firstEventMs: row.first,
        watermarkMs: row.last,
        rows: row.stored,
      }));
    },

    async dirtyBuckets(settledMs = 0): Promise<DirtyBuckets[]> {
      const rows = await client.query<{ model: string; version: string; hours: number[] }>(
        `SELECT model, version, arraySort(groupArray(hour)) AS hours FROM (${STORED_AND_COUNTED})
         WHERE stored > counted AND (hour < newest OR (hour + 1) * ${HOUR_MS} <= {settled:Int64} OR stored >= counted * ${NEWEST_HOUR_GROWTH}
           OR counted_at + ${NEWEST_HOUR_AGE_US} <= toUInt64(toUnixTimestamp64Micro(now64(6))))
         GROUP BY model, version ORDER BY model, version`,
        { settled: settledMs },
      );
      return rows.map((row) => ({
        model: row.model,
        modelVersion: row.version,
        hourStartsMs: row.hours.map((hour) => hour * HOUR_MS),
      }));
    },

    async profileHours(model, hourStartsMs) {
      const { hoursPerStatement } = await counter.plan(model);
      // Fewer rows than counted have expired in part, and history must not shrink.
      const hours = await client.query<{ hour: number; stored: number }>(
        `SELECT hour, stored FROM (${STORED_AND_COUNTED})
         WHERE model = {model:String} AND version = {version:String} AND hour IN {hours:Array(Int64)} AND stored >= counted
         ORDER BY hour`,
        {
          model: model.model,
          version: model.modelVersion,
          hours: hourStartsMs.map((ms) => Math.floor(ms / HOUR_MS)),
        },
      );
      let slice: typeof hours = [];
      let sliceRows = 0;
      for (const hour of hours) {
        if (
          slice.length >= hoursPerStatement ||
          (slice.length > 0 && sliceRows + hour.stored > ROWS_PER_STATEMENT)
        ) {
          await countHours(model, slice);
          slice = [];
          sliceRows = 0;
        }
        slice.push(hour);
        sliceRows += hour.stored;
      }
      if (slice.length > 0) await countHours(model, slice);
    },

    async mergedProfiles(query, buckets: readonly Bucket[]) {
      if (buckets.length === 0) return [];
      const starts = (granularity: Bucket['granularity']) =>
        buckets.filter((bucket) => bucket.granularity === granularity).map((bucket) => bucket.startMs);
      const rows = await merged(
        query,
        '0',
        `bucket >= {fromTs:DateTime64(3, 'UTC')} AND bucket < {toTs:DateTime64(3, 'UTC')}
         AND ((granularity = 'hour' AND toUnixTimestamp64Milli(bucket) IN {hours:Array(Int64)})
           OR (granularity = 'day' AND toUnixTimestamp64Milli(bucket) IN {days:Array(Int64)}))`,
        {
          fromTs: dateTime64(buckets.reduce((least, bucket) => Math.min(least, bucket.startMs), Infinity)),
          toTs: dateTime64(buckets.reduce((greatest, bucket) => Math.max(greatest, bucket.endMs), -Infinity)),
          hours: starts('hour'),
          days: starts('day'),
        },
      );
      return profilesOf(rows, await grids.byFeature(query.model));
    },

    async pieceProfiles(query, pieceMs, limit = MAX_PIECES) {
      if (pieceMs < HOUR_MS || pieceMs % HOUR_MS !== 0)
        throw new RangeError(`pieces are whole hours long, got ${pieceMs} ms`);
      const granularity = pieceMs % DAY_MS === 0 ? 'day' : 'hour';
      const pieceOf = (bucket: string) => `intDiv(toUnixTimestamp64Milli(${bucket}), {pieceMs:Int64})`;
      const found = await client.query<{ piece: number }>(
        `SELECT DISTINCT ${pieceOf('bucket')} AS piece FROM profiles
         WHERE scope = {scope:String} AND model = {model:String} AND version = {version:String} AND granularity = {granularity:String}
         ORDER BY piece`,
        { scope: query.scope, model: query.model, version: query.modelVersion, granularity, pieceMs },
      );
      const rows = await merged(
        query,
        pieceOf('p.bucket'),
        `granularity = {granularity:String} AND ${pieceOf('bucket')} IN {pieces:Array(Int64)}`,
        { granularity, pieceMs, pieces: spread(found, limit).map(({ piece }) => piece) },
      );
      const cells = await grids.byFeature(query.model);
      const byPiece = new Map<number, ProfileRow[]>();
      for (const row of rows) {
        const ofPiece = byPiece.get(row.piece);
        if (ofPiece === undefined) byPiece.set(row.piece, [row]);
        else ofPiece.push(row);
      }
      return [...byPiece].map(([piece, ofPiece]) => ({
        window: { startMs: piece * pieceMs, endMs: (piece + 1) * pieceMs },
        profiles: profilesOf(ofPiece, cells),
      }));
    },

    async profiledRows(key, windows) {
      if (windows.length === 0) return [];
      const rows = await client.query<{ hour: number; counted: number }>(
        `SELECT hour, argMax(h.rows, h.revision) AS counted FROM profiled_hours AS h
         WHERE model = {model:String} AND version = {version:String} AND hour >= {fromHour:Int64} AND hour < {toHour:Int64}
         GROUP BY hour ORDER BY hour`,
        {
          model: key.model,
          version: key.modelVersion,
          fromHour: windows.reduce((least, window) => Math.min(least, window.startMs), Infinity) / HOUR_MS,
          toHour: windows.reduce((greatest, window) => Math.max(greatest, window.endMs), -Infinity) / HOUR_MS,
        },
      );
      return windows.map((window) => sumBetween(rows, window));
    },
  };
}

/** At most `limit` of the values, evenly spread, the first and the last among them. */
function spread<T>(values: readonly T[], limit: number): T[] {
  if (values.length <= limit) return [...values];
  const step = limit > 1 ? (values.length - 1) / (limit - 1) : 0;
  return Array.from({ length: limit }, (_, index) => values[Math.round(index * step)] as T);
}

/** Counted rows of the window's hours; `rows` ascend by hour, and many windows share them, so the first one is searched for. */
function sumBetween(rows: readonly { hour: number; counted: number }[], window: Window): number {
  let from = 0;
  let to = rows.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((rows[middle]?.hour ?? 0) * HOUR_MS < window.startMs) from = middle + 1;
    else to = middle;
  }
  let sum = 0;
  for (let at = from; at < rows.length; at += 1) {
    const row = rows[at];
    if (row === undefined || row.hour * HOUR_MS >= window.endMs) break;
    sum += row.counted;
  }
  return sum;
}

/** Rows of the engine as profiles. Its arrays end at the last cell that holds anything: they are padded to the grid. */
export function profilesOf(rows: readonly ProfileRow[], grids: ReadonlyMap<string, Grid>): Profile[] {
  return rows.map((row) => {
    const grid = grids.get(row.feature);
    const cells = grid === undefined ? row.counts.length : cellCount(grid);
    return {
      feature: row.feature,
      kind: row.kind,
      rows: row.rows,
      missing: row.missing,
      nonFinite: row.non_finite,
      mistyped: row.mistyped,
      counts: padded(row.counts, cells),
      offsets: row.kind === 'numeric' ? padded(row.offsets, cells) : [],
      min: row.min === null ? null : float64(row.min),
      max: row.max === null ? null : float64(row.max),
    };
  });
}

function padded(values: readonly number[], length: number): number[] {
  return values.length >= length
    ? [...values]
    : [...values, ...new Array<number>(length - values.length).fill(0)];
}
