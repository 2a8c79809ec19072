import type { ProfileStore } from '../domain/ports.js';
import { DAY_MS, HOUR_MS } from '../domain/window.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import type { GridStore } from './grid-store.js';
import { MERGED, type ProfileRow, profilesOf } from './profile-store.js';

/** Position, from 1, of the window that holds a bucket, or 0. */
const place = (bucket: string) =>
  `arrayFirstIndex((s, e) -> s <= toUnixTimestamp64Milli(${bucket}) AND toUnixTimestamp64Milli(${bucket}) < e,
    {starts:Array(Int64)}, {ends:Array(Int64)})`;

/** Profiles of chosen windows, in one statement. */
export function createWindowProfiles(
  client: StoreClient,
  grids: GridStore,
): Pick<ProfileStore, 'windowProfiles'> {
  return {
    async windowProfiles(query, windows) {
      if (windows.length === 0) return [];
      if (windows.some(({ startMs, endMs }) => startMs % HOUR_MS !== 0 || endMs % HOUR_MS !== 0))
        throw new RangeError('windows are whole hours long');
      const isDaily = windows.every(({ startMs, endMs }) => startMs % DAY_MS === 0 && endMs % DAY_MS === 0);
      const features = query.features === undefined ? '' : 'AND feature IN {features:Array(String)}';
      const rows = await client.query<ProfileRow>(
        `SELECT ${place('p.bucket')} AS piece, ${MERGED}
         FROM (SELECT * FROM profiles FINAL
               WHERE scope = {scope:String} AND model = {model:String} AND version = {version:String} ${features}
                 AND granularity = {granularity:String}
                 AND bucket >= {fromTs:DateTime64(3, 'UTC')} AND bucket < {toTs:DateTime64(3, 'UTC')}
                 AND ${place('bucket')} > 0) AS p
         GROUP BY piece, feature ORDER BY piece, feature`,
        {
          scope: query.scope,
          model: query.model,
          version: query.modelVersion,
          ...(query.features === undefined ? {} : { features: query.features }),
          granularity: isDaily ? 'day' : 'hour',
          starts: windows.map(({ startMs }) => startMs),
          ends: windows.map(({ endMs }) => endMs),
          fromTs: dateTime64(Math.min(...windows.map(({ startMs }) => startMs))),
          toTs: dateTime64(Math.max(...windows.map(({ endMs }) => endMs))),
        },
      );
      const cells = await grids.byFeature(query.model);
      const byPlace = new Map<number, ProfileRow[]>();
      for (const row of rows) {
        const own = byPlace.get(row.piece);
        if (own === undefined) byPlace.set(row.piece, [row]);
        else own.push(row);
      }
      return windows.flatMap((window, index) => {
        const own = byPlace.get(index + 1);
        return own === undefined ? [] : [{ window, profiles: profilesOf(own, cells) }];
      });
    },
  };
}
