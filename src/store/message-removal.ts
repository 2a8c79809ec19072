import { idOfCall } from '../domain/erasure.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import { REJECTED_ID } from './rejected-store.js';
import { chunksOf, literal, needlesOf, REMOVAL_TIMEOUT_MS, type Removal, UNLOGGED } from './removal.js';

/** The engine looks for so many texts at once. */
const NEEDLES = 250;
/** Messages looked through at once. */
const PAGE_ROWS = 1_000;
/** Rows named in one statement. */
const NAMES = 5_000;
const OF_MODEL = 'model = {model:String}';

/** Removal of kept messages: rejected ones, and sides of calls. */
export function createMessageRemoval(client: StoreClient, { remove }: Removal) {
  const long = { timeoutMs: REMOVAL_TIMEOUT_MS };

  /** Messages are looked through here: the engine only finds those in which one of the texts stands at all. */
  return async function removeMessages(
    model: string,
    isTheirs: (text: string) => boolean,
    texts: readonly string[],
    erased: Record<string, number>,
  ): Promise<void> {
    const found = new Map<string, number>();
    const calls = new Set<string>();
    for (const part of chunksOf([...new Set(texts.flatMap(needlesOf))], NEEDLES)) {
      const params = { model, needles: part };
      for (let after = ''; ; ) {
        const rows = await client.query<{ id: string; ms: number; payload: string }>(
          `SELECT ${REJECTED_ID} AS id, toUnixTimestamp64Milli(ingested_at) AS ms, payload FROM rejected
           WHERE model IN ({model:String}, '') AND multiSearchAny(payload, {needles:Array(String)}) AND id > {after:String}
           ORDER BY id LIMIT {limit:UInt32} ${UNLOGGED}`,
          { ...params, after, limit: PAGE_ROWS },
          long,
        );
        for (const { id, ms, payload } of rows) if (isTheirs(payload)) found.set(id, ms);
        after = rows.at(-1)?.id ?? '';
        if (rows.length < PAGE_ROWS) break;
      }
      const halves = await client.query<{ call: string; payload: string }>(
        `SELECT call, payload FROM call_halves
         WHERE ${OF_MODEL} AND (multiSearchAny(call, {needles:Array(String)}) OR multiSearchAny(payload, {needles:Array(String)})) ${UNLOGGED}`,
        params,
        long,
      );
      for (const { call, payload } of halves)
        if (isTheirs(JSON.stringify({ id: idOfCall(call) })) || isTheirs(payload)) calls.add(call);
    }
    for (const part of chunksOf([...found], NAMES)) {
      const times = part.map(([, ms]) => ms);
      const range = "ingested_at BETWEEN {first:DateTime64(3, 'UTC')} AND {last:DateTime64(3, 'UTC')}";
      await remove(
        {
          table: 'rejected',
          where: `${range} AND ${REJECTED_ID} IN (${part.map(([id]) => literal(id)).join(', ')})`,
          params: { first: dateTime64(Math.min(...times)), last: dateTime64(Math.max(...times)) },
        },
        erased,
      );
    }
    for (const part of chunksOf([...calls], NAMES))
      await remove(
        {
          table: 'call_halves',
          where: `${OF_MODEL} AND call IN (${part.map(literal).join(', ')})`,
          params: { model },
        },
        erased,
      );
  };
}
