import type { DirtyBuckets, ProfileQuery, ProfileStore, VerdictStore } from '../domain/ports.js';
import { cellCount, type Grid, type Profile } from '../domain/profile.js';
import { DAY_MS, HOUR_MS } from '../domain/window.js';
import { OF_VERSIONS, PLACE_OF_VERSION, versionsOf } from './batch.js';
import type { StoreClient } from './client.js';
import { float64 } from './encoding.js';
import type { GridStore } from './grid-store.js';
import { createHourCounter, STORED_AND_COUNTED } from './hour-counter.js';
import { hoursAround } from './hour-slices.js';
import { createLabelProfiles } from './label-profiles.js';
import type { ProfileCounter } from './profile-counter.js';
import { createRowCounts } from './row-counts.js';
import { createUndeclaredFeatures } from './undeclared-features.js';

const MAX_PIECES = 400;

/**
 * The newest hour of a version still fills, and no window that holds it is due until the clock is well past it: before that it is
 * counted again when it has grown by a tenth or its count is so old, not for every few rows.
 */
const NEWEST_HOUR_AGE_US = 300_000_000;
const NEWEST_HOUR_GROWTH = 1.1;

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
  /** What counts production's hours: on a connection of its own it lets others read meanwhile. */
  hours: { readonly client: StoreClient; readonly counter: ProfileCounter } = { client, counter },
): Omit<ProfileStore, 'windowProfiles' | 'profileSeries' | 'mergedProfiles'> &
  Pick<VerdictStore, 'profiledRows' | 'labelledRows'> {
  const undeclared = createUndeclaredFeatures(hours.client, nextRevision);
  const hourCounter = createHourCounter(hours.client, hours.counter, undeclared.count, nextRevision);

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

  return {
    ...createLabelProfiles(client, counter, nextRevision, (model, hours) =>
      hourCounter.storedHours(model, hours, 'counted > 0'),
    ),
    profileHours: hourCounter.profileHours,

    undeclaredFeatures: undeclared.undeclaredFeatures,

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

    async pieceProfiles(query, pieceMs, limit = MAX_PIECES) {
      if (pieceMs < HOUR_MS || pieceMs % HOUR_MS !== 0)
        throw new RangeError(`pieces are whole hours long, got ${pieceMs} ms`);
      const granularity = pieceMs % DAY_MS === 0 ? 'day' : 'hour';
      const pieceOf = (bucket: string) => `intDiv(toUnixTimestamp64Milli(${bucket}), {pieceMs:Int64})`;
      const found = await client.query<{ piece: number }>(
        `SELECT DISTINCT ${pieceOf('bucket')} AS piece FROM profiles
         WHERE scope = {scope:String} AND model = {model:String} AND version = {version:String} AND granularity = {granularity:String}
         ORDER BY piece`,
        {
          scope: query.scope,
          model: query.model,
          version: query.modelVersion,
          granularity,
          pieceMs,
        },
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

    profiledRows: createRowCounts(async (keys, windows) => {
      const { params, placeOf } = versionsOf(keys);
      const rows = await client.query<{ place: number; hour: number; counted: number }>(
        `SELECT ${PLACE_OF_VERSION} AS place, hour, argMax(h.rows, h.revision) AS counted FROM profiled_hours AS h
         WHERE ${OF_VERSIONS} AND hour >= {fromHour:Int64} AND hour < {toHour:Int64}
         GROUP BY place, hour ORDER BY place, hour`,
        { ...params, ...hoursAround(windows) },
      );
      return keys.map((key) => rows.filter(({ place }) => place === placeOf(key)));
    }),
  };
}

/** At most `limit` of the values, evenly spread, the first and the last among them. */
function spread<T>(values: readonly T[], limit: number): T[] {
  if (values.length <= limit) return [...values];
  const step = limit > 1 ? (values.length - 1) / (limit - 1) : 0;
  return Array.from({ length: limit }, (_, index) => values[Math.round(index * step)] as T);
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
