import { setImmediate as nextTurn } from 'node:timers/promises';
import { createTurns, idOfCall } from '../domain/erasure.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import { REJECTED_ID } from './rejected-store.js';
import { chunksOf, literal, REMOVAL_TIMEOUT_MS, type Removal, UNLOGGED } from './removal.js';

/** The engine looks for so many texts at once. */
const NEEDLES = 250;
/** Messages that are named at once, without what is in them. */
const LISTED_ROWS = 50_000;
/** Messages looked through at once, and how much of them. */
const PAGE_ROWS = 1_000;
const PAGE_BYTES = 16 * 1024 * 1024;
/** Rows named in one statement. */
const NAMES = 5_000;
const OF_MODEL = 'model = {model:String}';

/** Numbers that JavaScript writes otherwise: with an exponent, or with more digits than it tells apart. */
const OTHER_NUMBERS = '[0-9][eE][-+]?[0-9]|[0-9]{8}|[.]0{5}';

interface ListedMessage {
  readonly id: string;
  readonly ms: number;
  readonly bytes: number;
}

function* pagesOf(messages: readonly ListedMessage[]): Generator<ListedMessage[]> {
  let page: ListedMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    if (page.length === PAGE_ROWS || (page.length > 0 && bytes + message.bytes > PAGE_BYTES)) {
      yield page;
      page = [];
      bytes = 0;
    }
    page.push(message);
    bytes += message.bytes;
  }
  if (page.length > 0) yield page;
}

/**
 * Which messages of a column may hold one of the texts. As they are they stand in a message without escapes; what is escaped, in whichever of
 * JSON's spellings or inside of another text, or encoded, is looked through whatever it holds.
 */
function* searches(texts: readonly string[]) {
  const needles = [...new Set(texts)].filter((text) => text !== '');
  const numbers = needles.some((text) => String(Number(text)) === text) ? OTHER_NUMBERS : '';
  for (const [index, part] of [...chunksOf(needles, NEEDLES)].entries())
    yield {
      params: { needles: part, backslash: '\\', encoded: 'base64', numbers },
      where: (column: string) =>
        `(${[
          `multiSearchAny(${column}, {needles:Array(String)})`,
          ...(index > 0 ? [] : [`multiSearchAny(${column}, [{backslash:String}, {encoded:String}])`]),
          ...(index > 0 || numbers === '' ? [] : [`match(${column}, {numbers:String})`]),
        ].join(' OR ')})`,
    };
}

const RANGE = "ingested_at BETWEEN {first:DateTime64(3, 'UTC')} AND {last:DateTime64(3, 'UTC')}";
const rangeOf = (times: readonly number[]) => ({
  first: dateTime64(Math.min(...times)),
  last: dateTime64(Math.max(...times)),
});

/** Removal of kept messages: rejected ones, and sides of calls. */
export function createMessageRemoval(client: StoreClient, { remove }: Removal) {
  const long = { timeoutMs: REMOVAL_TIMEOUT_MS };

  async function* rejectedWith(model: string, where: string, params: object) {
    for (let after: ListedMessage = { id: '', ms: 0, bytes: 0 }; ; ) {
      const listed = await client.query<ListedMessage>(
        `SELECT ${REJECTED_ID} AS id, toUnixTimestamp64Milli(ingested_at) AS ms, length(payload) AS bytes FROM rejected
         WHERE model IN ({model:String}, '') AND ${where} AND ingested_at >= {after:DateTime64(3, 'UTC')}
           AND (ingested_at, id) > ({after:DateTime64(3, 'UTC')}, {afterId:String})
         ORDER BY ingested_at, id LIMIT {limit:UInt32} ${UNLOGGED}`,
        { ...params, model, after: dateTime64(after.ms), afterId: after.id, limit: LISTED_ROWS },
        long,
      );
      for (const page of pagesOf(listed))
        yield* await client.query<{ id: string; ms: number; payload: string }>(
          `SELECT ${REJECTED_ID} AS id, toUnixTimestamp64Milli(ingested_at) AS ms, payload FROM rejected
           WHERE ${RANGE} AND id IN {ids:Array(String)} ${UNLOGGED}`,
          { ...rangeOf(page.map(({ ms }) => ms)), ids: page.map(({ id }) => id) },
          long,
        );
      const last = listed.at(-1);
      if (last === undefined || listed.length < LISTED_ROWS) return;
      after = last;
    }
  }

  async function* halvesWith(model: string, where: string, params: object) {
    for (let after = ''; ; ) {
      const halves = await client.query<{ call: string; payload: string }>(
        `SELECT call, payload FROM call_halves WHERE ${OF_MODEL} AND ${where} AND call > {after:String}
         ORDER BY call LIMIT {limit:UInt32} WITH TIES ${UNLOGGED}`,
        { ...params, model, after, limit: PAGE_ROWS },
        long,
      );
      yield* halves;
      if (halves.length < PAGE_ROWS) return;
      after = halves.at(-1)?.call ?? '';
    }
  }

  /** Messages are looked through here: the engine only finds those in which one of the texts may stand at all. */
  return async function removeMessages(
    model: string,
    isTheirs: (text: string) => boolean,
    texts: readonly string[],
    erased: Record<string, number>,
  ): Promise<void> {
    const found = new Map<string, number>();
    const calls = new Set<string>();
    const turns = createTurns();
    for (const { where, params } of searches(texts)) {
      for await (const { id, ms, payload } of rejectedWith(model, where('payload'), params)) {
        if (isTheirs(payload)) found.set(id, ms);
        if (turns.isDue(payload.length)) await nextTurn();
      }
      const inHalves = `(${where('call')} OR ${where('payload')})`;
      for await (const { call, payload } of halvesWith(model, inHalves, params)) {
        if (isTheirs(JSON.stringify({ id: idOfCall(call) })) || isTheirs(payload)) calls.add(call);
        if (turns.isDue(payload.length)) await nextTurn();
      }
    }
    for (const part of chunksOf([...found], NAMES))
      await remove(
        {
          table: 'rejected',
          where: `${RANGE} AND ${REJECTED_ID} IN (${part.map(([id]) => literal(id)).join(', ')})`,
          params: rangeOf(part.map(([, ms]) => ms)),
        },
        erased,
      );
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
