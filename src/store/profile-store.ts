import { type FeatureSchema, type ModelVersion, monitoredColumns } from '../domain/model.js';
import type { DirtyBuckets, ProfileQuery, ProfileStore, VersionKey } from '../domain/ports.js';
import { PRODUCTION } from '../domain/ports.js';
import { cellCount, type Grid, type Profile } from '../domain/profile.js';
import { type Bucket, DAY_MS, HOUR_MS, type Window } from '../domain/window.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import type { GridStore } from './grid-store.js';
import { DAY_PROFILES_SQL, numericProfilesSql, type ProfileSource, textProfilesSql } from './profile-sql.js';

/** Hours counted in one statement: bounds its memory. */
const HOURS_PER_STATEMENT = 168;
/** A row is visible at the latest this long after the engine stamped it: an insert ends within its time limit. */
const SCAN_OVERLAP_MS = 600_000;

const HOUR_OF_ROW = 'intDiv(toUnixTimestamp64Milli(ts), 3600000)';

interface CountRow {
  feature: string;
  kind: Profile['kind'];
  rows: number;
  missing: number;
  non_finite: number;
  mistyped: number;
  counts: number[];
  offsets: number[];
  min: number | null;
  max: number | null;
}

const SUMS = `feature, any(kind) AS kind, sum(p.rows) AS rows, sum(p.missing) AS missing, sum(p.non_finite) AS non_finite,
  sum(p.mistyped) AS mistyped, sumForEach(p.counts) AS counts, sumForEach(p.offsets) AS offsets, min(p.min) AS min, max(p.max) AS max`;

export function columnParams(columns: readonly FeatureSchema[]) {
  return {
    numericColumns: columns.filter((column) => column.kind === 'numeric').map((column) => column.name),
    textColumns: columns.filter((column) => column.kind === 'categorical').map((column) => column.name),
  };
}

/** Production rows of some hours, each identity once (the first to come). Parameters: hours, fromTs, toTs. */
function productionSource(unique: boolean): ProfileSource {
  const where = `model = {model:String} AND version = {version:String} AND ts >= {fromTs:DateTime64(3, 'UTC')}
    AND ts < {toTs:DateTime64(3, 'UTC')} AND ${HOUR_OF_ROW} IN {hours:Array(Int64)}`;
  const rows = unique
    ? `SELECT * FROM predictions WHERE ${where}`
    : `SELECT * FROM predictions WHERE ${where} ORDER BY ingested_at, source_offset LIMIT 1 BY identity`;
  return {
    sql: `SELECT ${HOUR_OF_ROW} AS hour,
      arrayConcat(CAST(num, 'Array(Tuple(String, Float64))'),
        if(isNull(proba), [], [('prediction_proba', assumeNotNull(proba))]),
        if(isNull(prediction_num), [], [('prediction', assumeNotNull(prediction_num))])) AS numbers,
      arrayConcat(CAST(cat, 'Array(Tuple(String, String))'),
        multiIf(isNotNull(prediction_cat), [('prediction', toString(assumeNotNull(prediction_cat)))],
          isNotNull(prediction_num) AND has({textColumns:Array(String)}, 'prediction'),
            [('prediction', toString(assumeNotNull(prediction_num)))], [])) AS texts
      FROM (${rows})`,
    hoursSql: `SELECT ${HOUR_OF_ROW} AS hour, count() AS raw_rows, uniqExact(identity) AS rows FROM predictions
      WHERE ${where} GROUP BY hour`,
  };
}

/** Pads the counts to the grid: the engine's arrays end at the last cell that holds anything. */
export function toProfile(row: CountRow, grid: Grid | undefined): Profile {
  const cells = grid === undefined ? row.counts.length : cellCount(grid);
  const padded = (values: readonly number[], length: number) =>
    Array.from({ length }, (_, index) => values[index] ?? 0);
  return {
    feature: row.feature,
    kind: row.kind,
    rows: row.rows,
    missing: row.missing,
    nonFinite: row.non_finite,
    mistyped: row.mistyped,
    counts: padded(row.counts, cells),
    offsets: row.kind === 'numeric' ? padded(row.offsets, cells) : [],
    min: row.min,
    max: row.max,
  };
}

/** Counts of the reference's and production's columns per hour and day, made and merged inside the engine. */
export function createProfileStore(
  client: StoreClient,
  grids: GridStore,
  nextRevision: () => number,
): ProfileStore & {
  profiledRows(key: VersionKey, windows: readonly Window[]): Promise<number[]>;
  countSource(input: {
    scope: string;
    model: ModelVersion;
    source: ProfileSource;
    params: Record<string, unknown>;
    dayStartsMs: readonly number[];
  }): Promise<void>;
} {
  /** Engine time up to which new rows have been looked at; 0 before the first scan, which sees all. */
  let scannedUntilMs = 0;

  async function countSource(input: {
    scope: string;
    model: ModelVersion;
    source: ProfileSource;
    params: Record<string, unknown>;
    dayStartsMs: readonly number[];
  }): Promise<void> {
    const { model, source, scope } = input;
    const params = {
      ...input.params,
      ...columnParams(monitoredColumns(model.schema)),
      scope,
      model: model.model,
      version: model.modelVersion,
      revision: nextRevision(),
    };
    await client.command(numericProfilesSql(source), params);
    await client.command(textProfilesSql(source), params);
    await client.command(DAY_PROFILES_SQL, { ...params, days: input.dayStartsMs });
  }

  async function merged(query: ProfileQuery, where: string, params: Record<string, unknown>, by = '') {
    const features = query.features === undefined ? '' : 'AND feature IN {features:Array(String)}';
    return client.query<CountRow & { piece: number }>(
      `SELECT ${by === '' ? '0' : by} AS piece, ${SUMS}
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

  return {
    countSource,

    async watermarks() {
      const rows = await client.query<{
        model: string;
        version: string;
        first: number;
        last: number;
        rows: number;
      }>(
        `SELECT model, version, toUnixTimestamp64Milli(min(ts)) AS first, toUnixTimestamp64Milli(max(ts)) AS last, count() AS rows
         FROM predictions GROUP BY model, version ORDER BY model, version`,
      );
      return rows.map((row) => ({
        model: row.model,
        modelVersion: row.version,
        firstEventMs: row.first,
        watermarkMs: row.last,
        rows: row.rows,
      }));
    },

    async dirtyBuckets(): Promise<DirtyBuckets[]> {
      const [clock] = await client.query<{ now: number }>(
        "SELECT toUnixTimestamp64Milli(now64(3, 'UTC')) AS now",
      );
      const sinceMs = Math.max(0, scannedUntilMs - SCAN_OVERLAP_MS);
      const rows = await client.query<{ model: string; version: string; hours: number[] }>(
        `WITH touched AS (
           SELECT DISTINCT model, version, ${HOUR_OF_ROW} AS hour FROM predictions
           WHERE ingested_at >= {since:DateTime64(3, 'UTC')})
         SELECT model, version, groupArray(hour) AS hours FROM (
           SELECT s.model AS model, s.version AS version, s.hour AS hour
           FROM (SELECT model, version, ${HOUR_OF_ROW} AS hour, count() AS raw FROM predictions
                 WHERE (model, version, hour) IN touched GROUP BY model, version, hour) AS s
           LEFT JOIN (SELECT model, version, intDiv(toUnixTimestamp64Milli(bucket), 3600000) AS hour,
                        argMax(raw_rows, revision) AS counted
                      FROM profiles WHERE scope = '${PRODUCTION}' AND granularity = 'hour' AND feature = 'prediction'
                      GROUP BY model, version, hour) AS p
             ON s.model = p.model AND s.version = p.version AND s.hour = p.hour
           WHERE s.raw > p.counted ORDER BY hour)
         GROUP BY model, version ORDER BY model, version`,
        { since: dateTime64(sinceMs) },
      );
      scannedUntilMs = clock?.now ?? 0;
      return rows.map((row) => ({
        model: row.model,
        modelVersion: row.version,
        hourStartsMs: row.hours.map((hour) => hour * HOUR_MS),
      }));
    },

    async profileHours(model, hourStartsMs) {
      const sorted = [...hourStartsMs].sort((a, b) => a - b);
      for (let at = 0; at < sorted.length; at += HOURS_PER_STATEMENT) {
        const slice = sorted.slice(at, at + HOURS_PER_STATEMENT);
        const params = {
          hours: slice.map((ms) => ms / HOUR_MS),
          fromTs: dateTime64(slice[0] ?? 0),
          toTs: dateTime64((slice.at(-1) ?? 0) + HOUR_MS),
        };
        const counted = await client.query<{ repeated: number }>(
          `SELECT sum(raw_rows - rows) AS repeated FROM (${productionSource(true).hoursSql})`,
          { ...params, model: model.model, version: model.modelVersion },
        );
        await countSource({
          scope: PRODUCTION,
          model,
          source: productionSource(counted[0]?.repeated === 0),
          params,
          dayStartsMs: [...new Set(slice.map((ms) => ms - (ms % DAY_MS)))],
        });
      }
    },

    async mergedProfiles(query, buckets: readonly Bucket[]) {
      if (buckets.length === 0) return [];
      const starts = (granularity: Bucket['granularity']) =>
        buckets.filter((bucket) => bucket.granularity === granularity).map((bucket) => bucket.startMs);
      const rows = await merged(
        query,
        `bucket >= {fromTs:DateTime64(3, 'UTC')} AND bucket < {toTs:DateTime64(3, 'UTC')}
         AND ((granularity = 'hour' AND toUnixTimestamp64Milli(bucket) IN {hours:Array(Int64)})
           OR (granularity = 'day' AND toUnixTimestamp64Milli(bucket) IN {days:Array(Int64)}))`,
        {
          fromTs: dateTime64(Math.min(...buckets.map((bucket) => bucket.startMs))),
          toTs: dateTime64(Math.max(...buckets.map((bucket) => bucket.endMs))),
          hours: starts('hour'),
          days: starts('day'),
        },
      );
      const cells = await grids.byFeature(query.model);
      return rows.map((row) => toProfile(row, cells.get(row.feature)));
    },

    async pieceProfiles(query, pieceMs) {
      const granularity = pieceMs % DAY_MS === 0 ? 'day' : 'hour';
      const rows = await merged(
        query,
        'granularity = {granularity:String}',
        { granularity, pieceMs },
        'intDiv(toUnixTimestamp64Milli(p.bucket), {pieceMs:Int64})',
      );
      const cells = await grids.byFeature(query.model);
      const pieces = new Map<number, { window: Window; profiles: Profile[] }>();
      for (const row of rows) {
        const piece = pieces.get(row.piece) ?? {
          window: { startMs: row.piece * pieceMs, endMs: (row.piece + 1) * pieceMs },
          profiles: [],
        };
        piece.profiles.push(toProfile(row, cells.get(row.feature)));
        pieces.set(row.piece, piece);
      }
      return [...pieces.values()];
    },

    async profiledRows(key, windows) {
      if (windows.length === 0) return [];
      const fromMs = Math.min(...windows.map((window) => window.startMs));
      const rows = await client.query<{ start: number; rows: number }>(
        `SELECT toUnixTimestamp64Milli(bucket) AS start, argMax(p.rows, p.revision) AS rows FROM profiles AS p
         WHERE scope = '${PRODUCTION}' AND model = {model:String} AND version = {version:String} AND granularity = 'hour'
           AND feature = 'prediction' AND bucket >= {fromTs:DateTime64(3, 'UTC')} AND bucket < {toTs:DateTime64(3, 'UTC')}
         GROUP BY start ORDER BY start`,
        {
          model: key.model,
          version: key.modelVersion,
          fromTs: dateTime64(Math.max(0, fromMs)),
          toTs: dateTime64(Math.max(...windows.map((window) => window.endMs))),
        },
      );
      return windows.map((window) =>
        rows
          .filter((row) => row.start >= window.startMs && row.start < window.endMs)
          .reduce((sum, row) => sum + row.rows, 0),
      );
    },
  };
}
