import type { LogAuditStore } from '../domain/ports.js';
import type { StoreClient } from './client.js';

export function createLogAuditStore(client: StoreClient): LogAuditStore {
  return {
    storedOffsets: async ({ topic, partition, fromOffset, toOffset }) => {
      const places = ['predictions', 'labels', 'rejected'].map(
        (table) => `SELECT source_offset AS offset FROM ${table}
         PREWHERE source_topic = {topic:String} AND source_partition = {partition:Int32}
           AND source_offset BETWEEN {from:Int64} AND {to:Int64}
         WHERE source_kind = 'kafka'`,
      );
      const rows = await client.query<{ offset: number }>(
        `SELECT DISTINCT offset FROM (${places.join(' UNION ALL ')})`,
        { topic, partition, from: fromOffset, to: toOffset },
      );
      return new Set(rows.map(({ offset }) => offset));
    },
  };
}
