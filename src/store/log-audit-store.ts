import type { LogAuditStore, RowListName } from '../domain/row-ports.js';
import type { StoreClient } from './client.js';
import { rejectedToken } from './row-store.js';

/** The table of each list, and where it tells which row of its record a row is. */
const PLACES: readonly (readonly [list: RowListName, table: string, row: string])[] = [
  ['predictions', 'predictions', 'row_index'],
  ['labels', 'labels', 'row_index'],
  ['rejected', 'rejected', 'row_index'],
  ['halves', 'call_halves', 'toUInt32(0)'],
];

/** Source of a row that is there for its token alone. */
const FENCE = 'fence';

export function createLogAuditStore(client: StoreClient): LogAuditStore {
  return {
    storedRange: async ({ topic, partition, fromOffset, toOffset }) => {
      const places = PLACES.map(
        ([
          list,
          table,
          row,
        ]) => `SELECT source_offset AS offset, ${row} AS row, '${list}' AS list FROM ${table}
         PREWHERE source_topic = {topic:String} AND source_partition = {partition:Int32}
           AND source_offset BETWEEN {from:Int64} AND {to:Int64}
         WHERE source_kind = 'kafka'`,
      );
      const rows = await client.query<{ offset: number; rows: number[]; lists: RowListName[] }>(
        `SELECT offset, groupUniqArray(row) AS rows, groupUniqArray(list) AS lists
         FROM (${places.join(' UNION ALL ')}) GROUP BY offset`,
        { topic, partition, from: fromOffset, to: toOffset },
      );
      return {
        offsets: new Map(rows.map(({ offset, rows: indices }) => [offset, new Set(indices)])),
        lists: new Set(rows.flatMap(({ lists }) => lists)),
      };
    },

    insertUnderWay: async (token) => {
      const [found] = await client.query<{ inserts: number }>(
        `SELECT count() AS inserts FROM system.processes
         WHERE Settings['insert_deduplication_token'] LIKE {tokens:String}`,
        { tokens: `${token.replace(/[%_]/g, '\\$&')}/%` },
      );
      return (found?.inserts ?? 0) > 0;
    },

    voidRejected: async (token) => {
      // The engine notes a token with the row it keeps, and knows it still when the row is gone.
      await client.insert('rejected', [{ source_kind: FENCE }], rejectedToken(token));
      await client.command(
        `ALTER TABLE rejected DELETE WHERE source_kind = '${FENCE}' SETTINGS mutations_sync = 2`,
      );
    },
  };
}
