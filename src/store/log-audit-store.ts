import type { LogAuditStore } from '../domain/row-ports.js';
import type { StoreClient } from './client.js';

/** Tables with rows from the log, and where they tell which row of its record each is. */
const PLACES = [
  ['predictions', 'row_index'],
  ['labels', 'row_index'],
  ['rejected', 'row_index'],
  ['call_halves', 'toUInt32(0)'],
] as const;

export function createLogAuditStore(client: StoreClient): LogAuditStore {
  return {
    storedOffsets: async ({ topic, partition, fromOffset, toOffset }) => {
      const places = PLACES.map(
        ([table, row]) => `SELECT source_offset AS offset, ${row} AS row FROM ${table}
         PREWHERE source_topic = {topic:String} AND source_partition = {partition:Int32}
           AND source_offset BETWEEN {from:Int64} AND {to:Int64}
         WHERE source_kind = 'kafka'`,
      );
      const rows = await client.query<{ offset: number; rows: number[] }>(
        `SELECT offset, groupUniqArray(row) AS rows FROM (${places.join(' UNION ALL ')}) GROUP BY offset`,
        { topic, partition, from: fromOffset, to: toOffset },
      );
      return new Map(rows.map(({ offset, rows: indices }) => [offset, new Set(indices)]));
    },
  };
}
