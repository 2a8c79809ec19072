import type { CallHalfStore, StoredCallHalf } from '../domain/kept-ports.js';
import type { CallHalf } from '../domain/prediction.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import { storedText } from './row-encoding.js';

const OPEN = { state: 'open', revision: 1 } as const;
const DONE = { state: 'done', revision: 2 } as const;

/** Halves of calls in one insert; as many again wait for the next one. */
const INSERT_ROWS = 10_000;

interface HalfRow {
  readonly call: string;
  readonly side: CallHalf['side'];
  readonly ms: number;
  readonly ingested_ms: number;
  readonly model: string;
  readonly payload: string;
  readonly source_kind: string;
  readonly source_topic: string;
  readonly source_partition: number;
  readonly source_offset: number;
}

function rowOf(half: CallHalf, ingestedAtMs: number, { state, revision }: typeof OPEN | typeof DONE) {
  const { source } = half;
  return {
    call: storedText(half.call),
    side: half.side,
    ts: dateTime64(half.timestampMs),
    ingested_at: dateTime64(ingestedAtMs),
    model: storedText(half.model),
    payload: state === 'done' ? '' : storedText(half.payload),
    state,
    source_kind: source.kind,
    source_topic: source.topic,
    source_partition: source.partition,
    source_offset: source.offset,
    revision,
  };
}

/** Inserts halves as they came; part of the insert of their batch. */
export async function insertHalves(
  client: StoreClient,
  halves: readonly CallHalf[],
  atMs: number,
  token: string,
): Promise<void> {
  for (let from = 0; from < halves.length; from += INSERT_ROWS) {
    const rows = halves.slice(from, from + INSERT_ROWS).map((half) => rowOf(half, atMs, OPEN));
    await client.insert('call_halves', rows, `${token}/${from}`);
  }
}

export function createCallHalfStore(client: StoreClient): CallHalfStore {
  return {
    async settledHalves({ expiredBeforeMs, sinceMs, maxCalls, maxBytes }) {
      const calls = await client.query<{ call: string }>(
        `SELECT call FROM
           (SELECT call, sum(bytes) OVER (ORDER BY first, call) AS total, bytes FROM
             (SELECT call, min(ingested_at) AS first, sum(length(payload)) AS bytes
              FROM call_halves FINAL
              WHERE state = 'open' AND ingested_at >= {since:DateTime64(3, 'UTC')}
              GROUP BY call
              HAVING uniqExact(side) = 2 OR first < {expired:DateTime64(3, 'UTC')}
              ORDER BY first, call LIMIT {calls:UInt32}))
         WHERE total - bytes < {bytes:UInt64}`,
        {
          since: dateTime64(sinceMs),
          expired: dateTime64(expiredBeforeMs),
          calls: maxCalls,
          bytes: maxBytes,
        },
      );
      if (calls.length === 0) return [];
      const rows = await client.query<HalfRow>(
        `SELECT call, side, toUnixTimestamp64Milli(ts) AS ms, toUnixTimestamp64Milli(ingested_at) AS ingested_ms,
                model, payload, source_kind, source_topic, source_partition, source_offset
         FROM call_halves FINAL
         WHERE state = 'open' AND call IN {calls:Array(String)} ORDER BY call, ts, side`,
        { calls: calls.map(({ call }) => call) },
      );
      return rows.map((row) => ({
        call: row.call,
        side: row.side,
        timestampMs: row.ms,
        ingestedAtMs: row.ingested_ms,
        model: row.model,
        payload: row.payload,
        source: {
          kind: row.source_kind,
          topic: row.source_topic,
          partition: row.source_partition,
          offset: row.source_offset,
        },
      }));
    },

    async closeHalves(halves: readonly StoredCallHalf[]) {
      for (let from = 0; from < halves.length; from += INSERT_ROWS) {
        const rows = halves
          .slice(from, from + INSERT_ROWS)
          .map((half) => rowOf(half, half.ingestedAtMs, DONE));
        await client.insert('call_halves', rows);
      }
    },
  };
}
