import type { ProfileStore } from '../domain/ports.js';
import { cellCount, type Profile } from '../domain/profile.js';
import { DAY_MS, HOUR_MS } from '../domain/window.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import type { GridStore } from './grid-store.js';
import { readNativeBlocks } from './native-columns.js';

/** Buckets of the pieces; `slot` numbers piece and feature together. */
const FROM_BUCKETS = `
  FROM (SELECT * FROM profiles FINAL
        WHERE scope = {scope:String} AND model = {model:String} AND version = {version:String} AND granularity = {granularity:String}
          AND bucket >= {fromTs:DateTime64(3, 'UTC')} AND bucket < {toTs:DateTime64(3, 'UTC')}
          AND feature IN {features:Array(String)}) AS p
  GROUP BY slot`;
const SLOT = `toUInt32(intDiv(toUnixTimestamp64Milli(p.bucket) - {fromMs:Int64}, {pieceMs:Int64}) * length({features:Array(String)})
  + indexOf({features:Array(String)}, p.feature) - 1) AS slot`;

const SIZES_SQL = `SELECT ${SLOT}, toFloat64(sum(p.rows)), toFloat64(sum(p.missing)), toFloat64(sum(p.non_finite)),
  toFloat64(sum(p.mistyped)), toFloat64(ifNull(min(p.min), nan)), toFloat64(ifNull(max(p.max), nan)) ${FROM_BUCKETS}`;

/** The cells that hold anything, one row each: hourly counts are mostly empty. */
const CELLS_SQL = `SELECT slot, toUInt32(cell - 1), toFloat64(count)
  FROM (SELECT ${SLOT}, sumForEach(p.counts) AS counts ${FROM_BUCKETS})
  ARRAY JOIN counts AS count, arrayEnumerate(counts) AS cell
  WHERE count > 0`;

/** Counts of many short pieces at once, as numbers instead of text. */
export function createProfileSeries(
  client: StoreClient,
  grids: GridStore,
): Pick<ProfileStore, 'profileSeries'> {
  return {
    async profileSeries(query, period, pieceMs) {
      if (pieceMs < HOUR_MS || pieceMs % HOUR_MS !== 0 || period.startMs % pieceMs !== 0)
        throw new RangeError(
          `pieces are whole hours long and aligned, got ${pieceMs} ms from ${period.startMs}`,
        );
      const cells = await grids.byFeature(query.model);
      const features = (query.features ?? [...cells.keys()]).filter((feature) => cells.has(feature));
      const params = {
        scope: query.scope,
        model: query.model,
        version: query.modelVersion,
        granularity: pieceMs % DAY_MS === 0 ? 'day' : 'hour',
        features,
        fromMs: period.startMs,
        pieceMs,
        fromTs: dateTime64(period.startMs),
        toTs: dateTime64(period.endMs),
      };
      const profiles = new Map<number, Profile & { counts: number[] }>();
      for (const block of readNativeBlocks(await client.queryNative(SIZES_SQL, params))) {
        const [slots, rows, missing, nonFinite, mistyped, min, max] = block;
        for (const [i, slot] of (slots ?? []).entries()) {
          const grid = cells.get(features[slot % features.length] ?? '');
          if (grid === undefined) continue;
          profiles.set(slot, {
            feature: grid.feature,
            kind: grid.kind,
            rows: rows?.[i] ?? 0,
            missing: missing?.[i] ?? 0,
            nonFinite: nonFinite?.[i] ?? 0,
            mistyped: mistyped?.[i] ?? 0,
            counts: new Array<number>(cellCount(grid)).fill(0),
            offsets: [],
            min: finiteOrNull(min?.[i]),
            max: finiteOrNull(max?.[i]),
          });
        }
      }
      for (const [slots, positions, counted] of readNativeBlocks(await client.queryNative(CELLS_SQL, params)))
        for (let i = 0; i < (slots?.length ?? 0); i++) {
          const counts = profiles.get(slots?.[i] ?? -1)?.counts;
          const cell = positions?.[i] ?? 0;
          if (counts !== undefined) counts[cell] = counted?.[i] ?? 0;
        }
      const pieces = Array.from({ length: (period.endMs - period.startMs) / pieceMs }, (_, piece) => ({
        window: { startMs: period.startMs + piece * pieceMs, endMs: period.startMs + (piece + 1) * pieceMs },
        profiles: features.flatMap((_, feature) => profiles.get(piece * features.length + feature) ?? []),
      }));
      return pieces.filter((piece) => piece.profiles.length > 0);
    },
  };
}

function finiteOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
