import type { RejectedCursor, RejectedQuery, RejectedStore, StoredRejected } from '../domain/kept-ports.js';
import type { RejectedRow } from '../domain/prediction.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';

/** Equal rows have equal ids: what becomes of one becomes of all. Why they were rejected is no part of it, since that changes. */
export const REJECTED_ID = `hex(sipHash128(ingested_at, kind, payload, model, row_index,
  source_kind, source_topic, source_partition, source_offset))`;
/** Rows of one insert have one time: then as they came. */
const ORDER = `ingested_at, source_topic, source_partition, source_offset, row_index, ${REJECTED_ID}`;
const TIMEOUT_MS = 600_000;

interface RejectedRecord {
  readonly id: string;
  readonly ms: number;
  readonly kind: RejectedRow['kind'];
  readonly reason: RejectedRow['reason'];
  readonly detail: string;
  readonly payload: string;
  readonly model: string;
  readonly row_index: number;
  readonly source_kind: string;
  readonly source_topic: string;
  readonly source_partition: number;
  readonly source_offset: number;
}

function placeParams({ ingestedAtMs, source, rowIndex, id }: RejectedCursor) {
  return {
    after: dateTime64(ingestedAtMs),
    afterTopic: source.topic,
    afterPartition: source.partition,
    afterOffset: source.offset,
    afterRow: rowIndex,
    afterId: id,
  };
}

function conditions({ model, reason, kind, after, beforeMs }: RejectedQuery) {
  const parts = [
    model === undefined ? '' : 'model = {model:String}',
    reason === undefined ? '' : 'reason = {reason:String}',
    kind === undefined ? '' : 'kind = {kind:String}',
    after === undefined
      ? ''
      : `ingested_at >= {after:DateTime64(3, 'UTC')} AND (${ORDER}) > ({after:DateTime64(3, 'UTC')}, {afterTopic:String},
           {afterPartition:Int32}, {afterOffset:Int64}, {afterRow:UInt32}, {afterId:String})`,
    beforeMs === undefined ? '' : "ingested_at < {before:DateTime64(3, 'UTC')}",
  ].filter((part) => part !== '');
  return {
    where: parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`,
    params: {
      model,
      reason,
      kind,
      ...(after === undefined ? {} : placeParams(after)),
      ...(beforeMs === undefined ? {} : { before: dateTime64(beforeMs) }),
    },
  };
}

/** These rows, looked for where they are. */
function among(rows: readonly StoredRejected[]) {
  const times = rows.map(({ ingestedAtMs }) => ingestedAtMs);
  return {
    where: `ingested_at BETWEEN {first:DateTime64(3, 'UTC')} AND {last:DateTime64(3, 'UTC')}
            AND ${REJECTED_ID} IN {ids:Array(String)}`,
    params: {
      first: dateTime64(Math.min(...times)),
      last: dateTime64(Math.max(...times)),
      ids: rows.map(({ id }) => id),
    },
  };
}

function toRow(record: RejectedRecord): StoredRejected {
  return {
    id: record.id,
    ingestedAtMs: record.ms,
    kind: record.kind,
    reason: record.reason,
    detail: record.detail,
    payload: record.payload,
    model: record.model,
    rowIndex: record.row_index,
    source: {
      kind: record.source_kind,
      topic: record.source_topic,
      partition: record.source_partition,
      offset: record.source_offset,
    },
  };
}

export function createRejectedStore(client: StoreClient): RejectedStore {
  return {
    async listRejected(query) {
      const { where, params } = conditions(query);
      // Messages differ in size a thousandfold: first which, then those that fit.
      const sizes = await client.query<{ id: string; ms: number; bytes: number }>(
        `SELECT ${REJECTED_ID} AS id, toUnixTimestamp64Milli(ingested_at) AS ms, length(payload) AS bytes FROM rejected
         ${where} ORDER BY ${ORDER} LIMIT {limit:UInt32}`,
        { ...params, limit: query.limit },
      );
      let bytes = 0;
      const fitting = sizes.filter((row, index) => {
        bytes += row.bytes;
        return index === 0 || bytes <= query.maxBytes;
      });
      const [first] = fitting;
      const last = fitting.at(-1);
      if (first === undefined || last === undefined) return [];
      const records = await client.query<RejectedRecord>(
        `SELECT ${REJECTED_ID} AS id, toUnixTimestamp64Milli(ingested_at) AS ms, kind, reason, detail, payload, model, row_index,
                source_kind, source_topic, source_partition, source_offset
         FROM rejected
         WHERE ingested_at BETWEEN {first:DateTime64(3, 'UTC')} AND {last:DateTime64(3, 'UTC')}
           AND ${REJECTED_ID} IN {ids:Array(String)}
         ORDER BY ${ORDER}`,
        { first: dateTime64(first.ms), last: dateTime64(last.ms), ids: fitting.map(({ id }) => id) },
      );
      return records.map(toRow);
    },

    async countRejected(query) {
      const { where, params } = conditions({ ...query, limit: 0, maxBytes: 0 });
      return client.query(
        `SELECT model, kind, reason, count() AS rows FROM rejected ${where}
         GROUP BY model, kind, reason ORDER BY rows DESC, model, kind, reason`,
        params,
      );
    },

    async changeReasons(rows) {
      if (rows.length === 0) return;
      const { where, params } = among(rows.map(({ row }) => row));
      await client.command(
        `ALTER TABLE rejected
         UPDATE reason = transform(${REJECTED_ID}, {ids:Array(String)}, {reasons:Array(String)}, toString(reason)),
                detail = transform(${REJECTED_ID}, {ids:Array(String)}, {details:Array(String)}, detail)
         WHERE ${where} SETTINGS mutations_sync = 2`,
        { ...params, reasons: rows.map(({ reason }) => reason), details: rows.map(({ detail }) => detail) },
        { timeoutMs: TIMEOUT_MS },
      );
    },

    async removeRejected(rows) {
      if (rows.length === 0) return;
      const { where, params } = among(rows);
      await client.command(`ALTER TABLE rejected DELETE WHERE ${where} SETTINGS mutations_sync = 2`, params, {
        timeoutMs: TIMEOUT_MS,
      });
    },
  };
}
