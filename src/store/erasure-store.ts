import {
  type Erasure,
  type ErasureStore,
  type ErasureTarget,
  formsInMessages,
  isAmong,
  isMentioned,
  isQuoted,
} from '../domain/erasure.js';
import { type Segment, segmentId, segmentScope, TAG_PREFIX } from '../domain/segment.js';
import type { StoreClient } from './client.js';
import { dateTime64, fromBody, toBody } from './encoding.js';
import { rowIdentity } from './identity.js';
import { createMessageRemoval } from './message-removal.js';
import { HOUR_OF_ROW } from './profile-source.js';
import { createRefusedLabels } from './refused-labels.js';
import { chunksOf, createRemoval, literal, needlesOf, REMOVAL_TIMEOUT_MS, UNLOGGED } from './removal.js';
import { createTombstones } from './tombstones.js';

const OF_MODEL = 'model = {model:String}';
/** Prediction ids in one statement: at most 2.5 MB of text. */
const IDS_PER_STATEMENT = 5_000;
/** Rows of one id that narrow copies are looked for by, once their predictions have expired. */
const ROW_INDICES = 4_096;

/** Tables whose documents say which segment drifted, or is a reference's: they stay, without its name. */
const NAMING_SEGMENTS = ['episodes', 'outcomes', 'webhook_events', 'references'] as const;
const NAMELESS = 'erased';

/** A segment as documents hold it, also documents inside of texts; and what comes in its place. */
function spellings({ column, value }: Segment): [string, string][] {
  const inside = (document: Segment | string) => JSON.stringify(document).slice(1, -1);
  const name = inside({ column, value });
  const nameless = inside({ column, value: NAMELESS });
  return [
    [name, nameless],
    [inside(name), inside(nameless)],
  ];
}

interface HourRows {
  readonly version: string;
  readonly hour: number;
  readonly n: number;
}

/** What is erased on request: from every table that holds a row, or a value, of it. Profiles are counts and stay. */
export function createErasureStore(
  client: StoreClient,
  nextRevision: () => number,
  wallClock: () => number,
): ErasureStore {
  const refusedLabels = createRefusedLabels(client, wallClock);
  const tombstones = createTombstones(client, nextRevision, wallClock, refusedLabels.add);
  const removal = createRemoval(client);
  const { remove, change } = removal;
  const removeMessages = createMessageRemoval(client, removal);
  const long = { timeoutMs: REMOVAL_TIMEOUT_MS };

  /** Ids of a subject's predictions: those stored, and those that wait to be mended name theirs themselves. */
  async function idsOf(model: string, target: ErasureTarget, values: readonly string[]): Promise<string[]> {
    if (target.kind === 'prediction') return [...values];
    // Where segments are made by the tag, narrow copies know the subject when the predictions have expired.
    const rows = await client.query<{ id: string }>(
      `SELECT DISTINCT prediction_id AS id FROM
         (SELECT prediction_id FROM predictions
          WHERE ${OF_MODEL} AND mapContains(tags, {tag:String}) AND tags[{tag:String}] IN {values:Array(String)}
          UNION ALL
          SELECT prediction_id FROM labels WHERE ${OF_MODEL} AND identity IN
            (SELECT identity FROM performance_rows
             WHERE ${OF_MODEL} AND mapContains(segments, {column:String}) AND segments[{column:String}] IN {values:Array(String)}))
       ${UNLOGGED}`,
      { model, tag: target.tag, column: `${TAG_PREFIX}${target.tag}`, values },
      long,
    );
    return rows.map(({ id }) => id);
  }

  /** Identities under which narrow copies of the predictions may be stored. */
  async function identitiesOf(model: string, ids: readonly string[]): Promise<string[]> {
    const stored = await client.query<{ identity: string }>(
      `SELECT DISTINCT toString(identity) AS identity FROM
         (SELECT identity FROM predictions WHERE ${OF_MODEL} AND prediction_id IN {ids:Array(String)}
          UNION ALL SELECT identity FROM labels WHERE ${OF_MODEL} AND prediction_id IN {ids:Array(String)})
       ${UNLOGGED}`,
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

  const hoursOf = (where: string, model: string) =>
    client.query<HourRows>(
      `SELECT version, ${HOUR_OF_ROW} AS hour, count() AS n FROM predictions WHERE ${where} GROUP BY version, hour ${UNLOGGED}`,
      { model },
      long,
    );

  /** An hour is counted again when it has more rows than were counted: late ones must not wait until they outnumber the erased. */
  async function lowerCounts(model: string, hours: readonly HourRows[]): Promise<void> {
    if (hours.length === 0) return;
    const counted = await client.query<{ version: string; hour: number; raw: number; counted: number }>(
      `SELECT version, hour, argMax(h.raw_rows, h.revision) AS raw, argMax(h.rows, h.revision) AS counted FROM profiled_hours AS h
       WHERE ${OF_MODEL} AND hour IN {hours:Array(Int64)} GROUP BY version, hour`,
      { model, hours: [...new Set(hours.map(({ hour }) => hour))] },
      long,
    );
    const revision = nextRevision();
    await client.insert(
      'profiled_hours',
      counted.flatMap(({ version, hour, raw, counted: rows }) => {
        const gone = hours.find((each) => each.version === version && each.hour === hour);
        return gone === undefined
          ? []
          : [{ model, version, hour, raw_rows: Math.max(0, raw - gone.n), rows, revision }];
      }),
    );
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
      const hours = await hoursOf(byId, model);
      await removeFrom('predictions');
      await lowerCounts(model, hours);
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
      for (const table of NAMING_SEGMENTS)
        for (const [name, nameless] of spellings(segment))
          await change(
            {
              table,
              where: `${OF_MODEL} AND position(body, {name:String}) > 0`,
              params: { model, name, nameless },
            },
            'body = replaceAll(body, {name:String}, {nameless:String})',
          );
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

  return {
    erasedRows: tombstones.erasedRows,
    removeRefusedLabels: refusedLabels.remove,

    async eraseRows({ model, target, values, formsOfId = (id) => [id], targetsIn, atMs, settled }) {
      const erased: Record<string, number> = {};
      const formsOf = (predictionIds: readonly string[]) => [...new Set(predictionIds.flatMap(formsOfId))];
      const known = await idsOf(model, target, values);
      await tombstones.bury(model, target, values, formsOf(known), atMs);
      await settled();
      // Rows that came while the first ones were buried.
      const ids = [...new Set([...known, ...(await idsOf(model, target, values))])];
      if (ids.length > known.length)
        await tombstones.bury(model, target, values, formsOf(ids.slice(known.length)), atMs);
      const forms = formsInMessages(values);
      const idForms = formsInMessages(formsOf(ids));
      const isTheirs = (text: string) => {
        const targetsOf = targetsIn?.(text);
        return (
          isMentioned(text, target, forms, idForms) ||
          (targetsOf === null && isQuoted(text, [forms, idForms])) ||
          isAmong(targetsOf?.(model) ?? [], target, forms, idForms)
        );
      };
      try {
        await removeMessages(model, isTheirs, [...forms, ...idForms], erased);
        if (target.kind === 'subject') await removeSegment(model, target.tag, values, erased);
        // Last: a subject is known by its predictions, also by who begins anew after a crash.
        await removeById(model, ids, erased);
        // Which rows a reference's sample holds is not known: it goes whole.
        if (ids.length > 0)
          await remove(
            { table: 'reference_samples', where: `${OF_MODEL} AND production`, params: { model } },
            erased,
          );
      } finally {
        await removal.forget();
      }
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
