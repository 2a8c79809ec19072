import {
  type Erasure,
  type ErasureStore,
  type ErasureTarget,
  idOfCall,
  isMentioned,
} from '../domain/erasure.js';
import { segmentId, segmentScope, TAG_PREFIX } from '../domain/segment.js';
import { AppError } from '../errors.js';
import type { StoreClient } from './client.js';
import { dateTime64, fromBody, toBody } from './encoding.js';
import { rowIdentity } from './identity.js';
import { REJECTED_ID } from './rejected-store.js';
import { createTombstones } from './tombstones.js';

const OF_MODEL = 'model = {model:String}';
const TIMEOUT_MS = 600_000;
/** Prediction ids in one statement: at most 2.5 MB of text. */
const IDS_PER_STATEMENT = 5_000;
/** The engine looks for so many texts at once. */
const NEEDLES = 250;
/** Messages looked through at once. */
const PAGE_ROWS = 1_000;
/** Rows of one id that narrow copies are looked for by, once their predictions have expired. */
const ROW_INDICES = 4_096;

type Params = Readonly<Record<string, unknown>>;

/** Rows of a table that have to go. */
interface Condition {
  readonly table: string;
  readonly where: string;
  readonly params: Params;
}

/** What is erased on request: from every table that holds a row, or a value, of it. Profiles are counts and stay. */
export function createErasureStore(client: StoreClient, nextRevision: () => number): ErasureStore {
  const tombstones = createTombstones(client, nextRevision);
  const long = { timeoutMs: TIMEOUT_MS };

  async function count({ table, where, params }: Condition): Promise<number> {
    const [row] = await client.query<{ n: number }>(
      `SELECT count() AS n FROM ${table} WHERE ${where}`,
      params,
      long,
    );
    return row?.n ?? 0;
  }

  /** Removes the rows, and looks whether they are gone. */
  async function remove(condition: Condition, erased: Record<string, number>): Promise<void> {
    const { table, where, params } = condition;
    const stored = await count(condition);
    if (stored === 0) return;
    await client.command(
      `ALTER TABLE ${table} DELETE WHERE ${where} SETTINGS mutations_sync = 2`,
      params,
      long,
    );
    const left = await count(condition);
    if (left > 0)
      throw new AppError(
        'store_unavailable',
        `${left} of ${stored} rows in ${table} are still there after their deletion: erase again`,
        { retryable: true },
      );
    erased[table] = (erased[table] ?? 0) + stored;
  }

  async function change(condition: Condition, assignment: string): Promise<void> {
    if ((await count(condition)) === 0) return;
    const { table, where, params } = condition;
    await client.command(
      `ALTER TABLE ${table} UPDATE ${assignment} WHERE ${where} SETTINGS mutations_sync = 2`,
      params,
      long,
    );
  }

  /** Ids of a subject's predictions: those stored, and those that wait to be mended name theirs themselves. */
  async function idsOf(model: string, target: ErasureTarget, values: readonly string[]): Promise<string[]> {
    if (target.kind === 'prediction') return [...values];
    const rows = await client.query<{ id: string }>(
      `SELECT DISTINCT prediction_id AS id FROM predictions WHERE ${OF_MODEL} 
         AND mapContains(tags, {tag:String}) AND tags[{tag:String}] IN {values:Array(String)}`,
      { model, tag: target.tag, values },
      long,
    );
    return rows.map(({ id }) => id);
  }

  /** Identities under which narrow copies of the predictions may be stored. */
  async function identitiesOf(model: string, ids: readonly string[]): Promise<string[]> {
    const stored = await client.query<{ identity: string }>(
      `SELECT DISTINCT toString(identity) AS identity FROM
         (SELECT identity FROM predictions WHERE ${OF_MODEL} AND prediction_id IN {ids:Array(String)}
          UNION ALL SELECT identity FROM labels WHERE ${OF_MODEL} AND prediction_id IN {ids:Array(String)})`,
      { model, ids },
      long,
    );
    const versions = await client.query<{ version: string }>(
      `SELECT DISTINCT version FROM performance_rows WHERE ${OF_MODEL}`,
      { model },
      long,
    );
    const identities = new Set(stored.map(({ identity }) => identity));
    // A subject has many ids, of which all are stored; of a single one the prediction may have expired.
    const indices = ids.length > 2 ? 1 : ROW_INDICES;
    for (const predictionId of ids)
      for (const { version } of versions)
        for (let rowIndex = 0; rowIndex < indices; rowIndex += 1)
          identities.add(rowIdentity({ model, modelVersion: version, predictionId, rowIndex }));
    return [...identities];
  }

  async function removeById(
    model: string,
    all: readonly string[],
    erased: Record<string, number>,
  ): Promise<void> {
    for (const ids of chunksOf(all, IDS_PER_STATEMENT)) {
      const identities = await identitiesOf(model, ids);
      const byId = `${OF_MODEL} AND prediction_id IN (${ids.map(literal).join(', ')})`;
      const removeFrom = (table: string) => remove({ table, where: byId, params: { model } }, erased);
      const removeMade = async () => {
        for (const part of chunksOf(identities, 4 * IDS_PER_STATEMENT)) {
          const where = `${OF_MODEL} AND identity IN (${part.join(', ')})`;
          await remove({ table: 'performance_rows', where, params: { model } }, erased);
        }
        await removeFrom('outlier_scores');
      };
      await removeMade();
      await removeFrom('labels');
      await removeFrom('predictions');
      // The detection cycle may have copied and scored them meanwhile.
      await removeMade();
    }
  }

  /** Narrow copies and counts that a tag's value is a group of. */
  async function removeSegment(
    model: string,
    tag: string,
    values: readonly string[],
    erased: Record<string, number>,
  ): Promise<void> {
    const column = `${TAG_PREFIX}${tag}`;
    await remove(
      {
        table: 'performance_rows',
        where: `${OF_MODEL} AND mapContains(segments, {column:String}) AND segments[{column:String}] IN {values:Array(String)}`,
        params: { model, column, values },
      },
      erased,
    );
    for (const value of values) {
      const segment = { column, value };
      const params = { model, segment: segmentId(segment), suffix: segmentScope('', segment) };
      await remove(
        { table: 'segment_verdicts', where: `${OF_MODEL} AND segment = {segment:String}`, params },
        erased,
      );
      for (const table of ['profiles', 'performance_hours'])
        await remove({ table, where: `${OF_MODEL} AND endsWith(scope, {suffix:String})`, params }, erased);
    }
    await change(
      {
        table: 'segment_values',
        where: `${OF_MODEL} AND column = {tag:String} AND hasAny(values, {values:Array(String)})`,
        params: { model, tag, values },
      },
      'values = arrayFilter(value -> NOT has({values:Array(String)}, value), values)',
    );
    // With other segments the hours are counted again anyway.
    await change(
      {
        table: 'performance_hours',
        where: `${OF_MODEL} AND multiSearchAny(settings, {needles:Array(String)})`,
        params: { model, needles: values.flatMap(needlesOf) },
      },
      "settings = ''",
    );
  }

  /** Messages are looked through here: the engine only finds those in which one of the texts stands at all. */
  async function removeMessages(
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
           ORDER BY id LIMIT {limit:UInt32}`,
          { ...params, after, limit: PAGE_ROWS },
          long,
        );
        for (const { id, ms, payload } of rows) if (isTheirs(payload)) found.set(id, ms);
        after = rows.at(-1)?.id ?? '';
        if (rows.length < PAGE_ROWS) break;
      }
      const halves = await client.query<{ call: string; payload: string }>(
        `SELECT call, payload FROM call_halves
         WHERE ${OF_MODEL} AND (multiSearchAny(call, {needles:Array(String)}) OR multiSearchAny(payload, {needles:Array(String)}))`,
        params,
        long,
      );
      for (const { call, payload } of halves)
        if (isTheirs(JSON.stringify({ id: idOfCall(call) })) || isTheirs(payload)) calls.add(call);
    }
    for (const part of chunksOf([...found], IDS_PER_STATEMENT)) {
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
    for (const part of chunksOf([...calls], IDS_PER_STATEMENT))
      await remove(
        {
          table: 'call_halves',
          where: `${OF_MODEL} AND call IN (${part.map(literal).join(', ')})`,
          params: { model },
        },
        erased,
      );
  }

  return {
    erasedRows: tombstones.erasedRows,

    async eraseRows({ model, target, values, atMs, settled }) {
      const erased: Record<string, number> = {};
      const known = await idsOf(model, target, values);
      await tombstones.bury(model, target, values, known, atMs);
      await settled();
      // Rows that came while the first ones were buried.
      const ids = [...new Set([...known, ...(await idsOf(model, target, values))])];
      if (ids.length > known.length)
        await tombstones.bury(model, target, values, ids.slice(known.length), atMs);
      const forms = new Set(values);
      const idForms = new Set(ids);
      const isTheirs = (text: string) =>
        isMentioned(text, target, forms) ||
        isMentioned(text, { kind: 'prediction', predictionId: '' }, idForms);
      await removeMessages(model, isTheirs, [...values, ...ids], erased);
      if (target.kind === 'subject') await removeSegment(model, target.tag, values, erased);
      // Last: a subject is known by its predictions, also by who begins anew after a crash.
      await removeById(model, ids, erased);
      return { erased, predictionIds: ids };
    },

    saveErasure: (erasure) =>
      client.insert('erasures', [
        {
          id: erasure.id,
          model: erasure.model,
          at: dateTime64(erasure.atMs),
          body: toBody(erasure),
          revision: nextRevision(),
        },
      ]),

    listErasures: async (model) => {
      const rows = await client.query<{ body: string }>(
        `SELECT body FROM erasures FINAL WHERE ${OF_MODEL} ORDER BY at DESC, id`,
        { model },
      );
      return rows.map(({ body }) => fromBody<Erasure>(body));
    },
  };
}

function* chunksOf<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

/** A text in a statement, which travels in the body of a request: a list of parameters would be too long for its address. */
function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\0')}'`;
}

/** How a text may be written in JSON: plainly, and with all that is not ASCII escaped. */
function needlesOf(text: string): string[] {
  const plain = JSON.stringify(text).slice(1, -1);
  const escaped = plain.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return [...new Set([text, plain, escaped])].filter((needle) => needle !== '');
}
