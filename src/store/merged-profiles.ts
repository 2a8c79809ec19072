import type { ProfileQuery, ProfileStore } from '../domain/ports.js';
import { cellCount, type Grid, type Profile } from '../domain/profile.js';
import type { Bucket } from '../domain/window.js';
import { createBatch, loadByGroup, OF_VERSIONS, PLACE_OF_VERSION, versionsOf } from './batch.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import type { GridStore } from './grid-store.js';
import { type NativeColumn, readNativeBlocks } from './native-columns.js';
import { MERGED } from './profile-store.js';

/** Their merged cells, a few megabytes each in the engine, are held together. */
const VERSIONS_PER_STATEMENT = 16;

const placesOf = (cells: string) => `arrayFilter((cell, n) -> n != 0, arrayEnumerate(${cells}), ${cells})`;
const filledOf = (cells: string) => `arrayMap(n -> toFloat64(n), arrayFilter(n -> n != 0, ${cells}))`;

/** Columns of the key only, so that of all others no more is read than what is asked for, under FINAL too. */
const SELECTED = `profiles FINAL
  PREWHERE scope = {scope:String} AND ${OF_VERSIONS} AND granularity IN {granularities:Array(String)}
    AND bucket >= {fromTs:DateTime64(3, 'UTC')} AND bucket < {toTs:DateTime64(3, 'UTC')} AND feature IN {features:Array(String)}
    AND ((granularity = 'hour' AND toUnixTimestamp64Milli(bucket) IN {hours:Array(Int64)})
      OR (granularity = 'day' AND toUnixTimestamp64Milli(bucket) IN {days:Array(Int64)}))`;
/** One bucket needs no adding up. */
const SUMMED = `(SELECT ${PLACE_OF_VERSION} AS place, ${MERGED} FROM (SELECT * FROM ${SELECTED}) AS p GROUP BY place, feature)`;
const SINGLE = `(SELECT ${PLACE_OF_VERSION} AS place, * FROM ${SELECTED})`;

/**
 * Of the cells those that hold anything: a window's counts are mostly empty, and text would be ten times as long. One thread: ours is at
 * work beside it.
 */
const cellsOfSql = (source: string) => `
  SELECT place, toUInt32(indexOf({features:Array(String)}, CAST(feature, 'String'))), toUInt32(CAST(kind, 'String') = 'numeric'),
    toFloat64(rows), toFloat64(missing), toFloat64(non_finite), toFloat64(mistyped),
    toFloat64(ifNull(min, nan)), toFloat64(ifNull(max, nan)),
    ${placesOf('counts')}, ${filledOf('counts')}, ${placesOf('offsets')}, ${filledOf('offsets')}
  FROM ${source}
  ORDER BY place, feature
  SETTINGS max_threads = 1`;

interface Call {
  readonly query: ProfileQuery;
  readonly buckets: readonly Bucket[];
}

/** Counts of one window, of production or a reference, added up inside the engine; of several versions in one statement. */
export function createMergedProfiles(
  client: StoreClient,
  grids: GridStore,
): Pick<ProfileStore, 'mergedProfiles'> {
  async function load(calls: readonly Call[]): Promise<Profile[][]> {
    const [first] = calls;
    if (first === undefined) return [];
    const { query, buckets } = first;
    const { params, placeOf } = versionsOf(calls.map((call) => call.query));
    const known = await Promise.all(calls.map((call) => grids.byFeature(call.query.model)));
    const features = [...new Set(query.features ?? known.flatMap((each) => [...each.keys()]))];
    const startsOf = (granularity: Bucket['granularity']) =>
      buckets.filter((bucket) => bucket.granularity === granularity).map((bucket) => bucket.startMs);
    const bytes = await client.queryNative(cellsOfSql(buckets.length === 1 ? SINGLE : SUMMED), {
      ...params,
      features,
      scope: query.scope,
      granularities: [...new Set(buckets.map(({ granularity }) => granularity))],
      fromTs: dateTime64(buckets.reduce((least, bucket) => Math.min(least, bucket.startMs), Infinity)),
      toTs: dateTime64(buckets.reduce((greatest, bucket) => Math.max(greatest, bucket.endMs), -Infinity)),
      hours: startsOf('hour'),
      days: startsOf('day'),
    });
    const merged = calls.map((): Profile[] => []);
    for (const block of readNativeBlocks(bytes))
      for (let row = 0; row < (block[0]?.length ?? 0); row++)
        for (const [i, call] of calls.entries()) {
          if (placeOf(call.query) !== block[0]?.[row]) continue;
          const feature = features[(block[1]?.[row] ?? 0) - 1];
          if (feature !== undefined) merged[i]?.push(profileOf(feature, known[i]?.get(feature), block, row));
        }
    return merged;
  }

  const merge = createBatch(
    (calls: readonly Call[]) =>
      loadByGroup(
        calls,
        ({ query, buckets }) =>
          JSON.stringify([
            query.scope,
            query.features ?? null,
            buckets.map(({ granularity, startMs }) => [granularity, startMs]),
          ]),
        load,
      ),
    VERSIONS_PER_STATEMENT,
  );
  return {
    mergedProfiles: async (query, buckets) => (buckets.length === 0 ? [] : merge({ query, buckets })),
  };
}

function profileOf(
  feature: string,
  grid: Grid | undefined,
  block: readonly NativeColumn[],
  row: number,
): Profile {
  const number = (column: number) => block[column]?.[row] ?? 0;
  const extreme = (column: number) => (Number.isNaN(number(column)) ? null : number(column));
  const isNumeric = number(2) === 1;
  return {
    feature,
    kind: isNumeric ? 'numeric' : 'categorical',
    rows: number(3),
    missing: number(4),
    nonFinite: number(5),
    mistyped: number(6),
    counts: cellsOf(grid, block.slice(9, 13), row),
    offsets: isNumeric ? cellsOf(grid, block.slice(13, 17), row) : [],
    min: extreme(7),
    max: extreme(8),
  };
}

/** Four columns: where each row's places end, the places from 1, where its values end, the values. */
function cellsOf(
  grid: Grid | undefined,
  [ends, places, , values]: readonly NativeColumn[],
  row: number,
): number[] {
  const from = row === 0 ? 0 : (ends?.[row - 1] ?? 0);
  const end = ends?.[row] ?? 0;
  const last = end > from ? (places?.[end - 1] ?? 0) : 0;
  const cells = new Array<number>(Math.max(last, grid === undefined ? 0 : cellCount(grid))).fill(0);
  for (let at = from; at < end; at++) cells[(places?.[at] ?? 1) - 1] = values?.[at] ?? 0;
  return cells;
}
