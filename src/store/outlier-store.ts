import { monitoredColumns } from '../domain/model.js';
import type { OutlierStore } from '../domain/outlier-ports.js';
import type { VersionKey } from '../domain/ports.js';
import type { Window } from '../domain/window.js';
import { createBatch, loadByGroup, OF_VERSIONS, PLACE_OF_VERSION, versionsOf } from './batch.js';
import type { StoreClient } from './client.js';
import { dateTime64, mapInTurns } from './encoding.js';
import { rowIdentity } from './identity.js';
import { createOutlierList } from './outlier-list.js';
import { CELL_COLUMNS, cellOf, type RowCells } from './row-cells.js';

/** A row may become visible so long after it was stamped, and is still found: an insert is retried, a redo repairs. */
const VISIBILITY_MS = 3_600_000;

/** A row's place in the order of scoring. */
interface Cursor {
  readonly ingestedMs: number;
  /** Decimal text of a UInt64. */
  readonly identity: string;
}

const START: Cursor = { ingestedMs: 0, identity: '0' };

interface RawRow extends RowCells {
  readonly prediction_id: string;
  readonly row_index: number;
  readonly at: number;
  readonly ingested: number;
}

interface Keys {
  readonly model: string;
  readonly version: string;
  readonly hash: string;
  readonly [parameter: string]: string;
}

interface Page {
  readonly id: string;
  readonly ms: number;
}

const nameOf = (keys: Keys) => JSON.stringify([keys.model, keys.version, keys.hash]);

interface CountsCall {
  readonly key: VersionKey;
  readonly window: Window;
  readonly hash: string;
}

const VERSIONS_PER_STATEMENT = 256;

/** Scores of rows by the forest of the version's current reference. */
export function createOutlierStore(client: StoreClient): OutlierStore {
  const list = createOutlierList(client);
  /** Per version and reference: the last row in order whose score is saved. */
  const cursors = new Map<string, Cursor>();

  const hashOf = createBatch(async (keys: readonly VersionKey[]) => {
    const { params, placeOf } = versionsOf(keys);
    const rows = await client.query<{ place: number; newest: string }>(
      `SELECT ${PLACE_OF_VERSION} AS place, argMax(hash, revision) AS newest FROM references
       WHERE ${OF_VERSIONS} GROUP BY place`,
      params,
    );
    const hashes = new Map(rows.map(({ place, newest }) => [place, newest]));
    return keys.map((key) => hashes.get(placeOf(key)) ?? '');
  }, VERSIONS_PER_STATEMENT);

  /** After a restart the newest score tells how far scoring had come. */
  async function cursorOf(keys: Keys): Promise<Cursor> {
    const known = cursors.get(nameOf(keys));
    if (known !== undefined) return known;
    const [row] = await client.query<{ ms: number; identity: string }>(
      `SELECT toUnixTimestamp64Milli(tupleElement(newest, 1)) AS ms, toString(tupleElement(newest, 2)) AS identity
       FROM (SELECT max((ingested_at, identity)) AS newest FROM outlier_scores
             WHERE model = {model:String} AND version = {version:String} AND reference_hash = {hash:String})`,
      keys,
    );
    const cursor = row === undefined ? START : { ingestedMs: row.ms, identity: row.identity };
    cursors.set(nameOf(keys), cursor);
    return cursor;
  }

  /** Whether any of a version's rows may lack a score. Most have none when asked, so many are asked about at once. */
  const mayLackScores = createBatch(async (asked: readonly { keys: Keys; cursor: Cursor }[]) => {
    const versions = asked.map(({ keys }) => ({ model: keys.model, modelVersion: keys.version }));
    const { params, placeOf } = versionsOf(versions);
    const inOrder = params.models.map(
      (_, place) => asked[versions.findIndex((key) => placeOf(key) === place)],
    );
    const atMs = inOrder.map((each) => each?.cursor.ingestedMs ?? 0);
    const fromMs = atMs.map((ms) => Math.max(0, ms - VISIBILITY_MS));
    const of = (values: string) => `{${values}}[${PLACE_OF_VERSION} + 1]`;
    const atOfRow = 'toUnixTimestamp64Milli(ingested_at)';
    const isRecent = `${atOfRow} >= ${of('fromMs:Array(Int64)')} AND ${atOfRow} <= ${of('atMs:Array(Int64)')}`;
    const isNew = `${atOfRow} > ${of('atMs:Array(Int64)')}
      OR (${atOfRow} = ${of('atMs:Array(Int64)')} AND identity > ${of('identities:Array(UInt64)')})`;
    const since = `${OF_VERSIONS} AND ingested_at >= {from:DateTime64(3, 'UTC')}`;
    const rows = await client.query<{ place: number; fresh: number; stored: number; scored: number }>(
      `SELECT place, sum(fresh) AS fresh, sum(stored) AS stored, sum(scored) AS scored FROM (
         SELECT ${PLACE_OF_VERSION} AS place, countIf(${isNew}) AS fresh, countIf(${isRecent}) AS stored, 0 AS scored
         FROM predictions WHERE ${since} GROUP BY place
         UNION ALL
         SELECT ${PLACE_OF_VERSION} AS place, 0, 0, countIf(${isRecent})
         FROM outlier_scores FINAL WHERE ${since} AND reference_hash = ${of('hashes:Array(String)')} GROUP BY place)
       GROUP BY place`,
      {
        ...params,
        atMs,
        fromMs,
        identities: `[${inOrder.map((each) => each?.cursor.identity ?? '0').join(',')}]`,
        hashes: inOrder.map((each) => each?.keys.hash ?? ''),
        from: dateTime64(fromMs.reduce((least, ms) => Math.min(least, ms), Infinity)),
      },
    );
    const found = new Map(rows.map((row) => [row.place, row]));
    return versions.map((key) => {
      const { fresh, stored, scored } = found.get(placeOf(key)) ?? { fresh: 0, stored: 0, scored: 0 };
      return fresh > 0 || stored > scored;
    });
  }, VERSIONS_PER_STATEMENT);

  /** Scored and flagged rows of versions that are asked about with the same window. */
  async function countsOfAll(calls: readonly CountsCall[]): Promise<{ scored: number; flagged: number }[]> {
    const { startMs = 0, endMs = 0 } = calls[0]?.window ?? {};
    const { params, placeOf } = versionsOf(calls.map(({ key }) => key));
    const rows = await client.query<{ place: number; hash: string; scored: number; flagged: number }>(
      `SELECT ${PLACE_OF_VERSION} AS place, reference_hash AS hash, count() AS scored, countIf(flagged) AS flagged
       FROM outlier_scores FINAL
       WHERE ${OF_VERSIONS} AND reference_hash IN {hashes:Array(String)}
         AND ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')}
       GROUP BY place, hash`,
      {
        ...params,
        hashes: [...new Set(calls.map(({ hash }) => hash))],
        from: dateTime64(startMs),
        to: dateTime64(endMs),
      },
    );
    return calls.map(({ key, hash }) => {
      const row = rows.find((other) => other.place === placeOf(key) && other.hash === hash);
      return { scored: row?.scored ?? 0, flagged: row?.flagged ?? 0 };
    });
  }

  const countsOf = createBatch(
    (calls: readonly CountsCall[]) =>
      loadByGroup(calls, ({ window }) => `${window.startMs}-${window.endMs}`, countsOfAll),
    VERSIONS_PER_STATEMENT,
  );

  /** Rows after the cursor: no look at the scores is needed, so a page costs the same however many there are. */
  async function newRows(keys: Keys, cursor: Cursor, limit: number): Promise<Page[]> {
    return client.query<Page>(
      `SELECT toString(identity) AS id, toUnixTimestamp64Milli(ingested_at) AS ms FROM predictions
       WHERE model = {model:String} AND version = {version:String} AND ingested_at >= {at:DateTime64(3, 'UTC')}
         AND (ingested_at > {at:DateTime64(3, 'UTC')} OR identity > {identity:UInt64})
       ORDER BY ingested_at, identity LIMIT {limit:UInt64}`,
      { ...keys, at: dateTime64(cursor.ingestedMs), identity: cursor.identity, limit },
    );
  }

  /** Rows before the cursor that became visible after it had passed. Their scores are missed only while one is there. */
  async function lateRows(keys: Keys, cursor: Cursor, limit: number): Promise<Page[]> {
    const recent = `model = {model:String} AND version = {version:String}
      AND ingested_at >= {from:DateTime64(3, 'UTC')} AND ingested_at <= {at:DateTime64(3, 'UTC')}`;
    const params = {
      ...keys,
      from: dateTime64(Math.max(0, cursor.ingestedMs - VISIBILITY_MS)),
      at: dateTime64(cursor.ingestedMs),
      limit,
    };
    const [counts] = await client.query<{ stored: number; scored: number }>(
      `SELECT (SELECT count() FROM predictions WHERE ${recent}) AS stored,
         (SELECT count() FROM outlier_scores FINAL WHERE ${recent} AND reference_hash = {hash:String}) AS scored`,
      params,
    );
    if (counts === undefined || counts.stored <= counts.scored) return [];
    return client.query<Page>(
      `SELECT toString(identity) AS id, toUnixTimestamp64Milli(ingested_at) AS ms FROM predictions
       WHERE ${recent} AND identity NOT IN (
         SELECT identity FROM outlier_scores WHERE ${recent} AND reference_hash = {hash:String})
       ORDER BY ingested_at, identity LIMIT {limit:UInt64}`,
      params,
    );
  }

  return {
    async unscoredRows(model, columns, limit) {
      const keys = { model: model.model, version: model.modelVersion, hash: await hashOf(model) };
      const cursor = await cursorOf(keys);
      if (!(await mayLackScores({ keys, cursor }))) return [];
      const fresh = await newRows(keys, cursor, limit);
      const page = fresh.length > 0 ? fresh : await lateRows(keys, cursor, limit);
      const first = page[0];
      if (first === undefined) return [];
      // The narrow columns found the page; only its rows are read whole.
      const rows = await client.query<RawRow>(
        `SELECT prediction_id, row_index, toUnixTimestamp64Milli(ts) AS at, toUnixTimestamp64Milli(ingested_at) AS ingested,
           ${CELL_COLUMNS}
         FROM predictions
         WHERE model = {model:String} AND version = {version:String} AND ingested_at >= {first:DateTime64(3, 'UTC')}
           AND ingested_at <= {last:DateTime64(3, 'UTC')} AND identity IN {identities:Array(UInt64)}
         ORDER BY ingested_at, identity, source_partition, source_offset LIMIT 1 BY identity`,
        {
          ...keys,
          first: dateTime64(first.ms),
          last: dateTime64(page.at(-1)?.ms ?? first.ms),
          identities: `[${page.map(({ id }) => id).join(',')}]`,
        },
      );
      const kinds = new Map(monitoredColumns(model.schema).map((column) => [column.name, column.kind]));
      return mapInTurns(rows, (row) => ({
        predictionId: row.prediction_id,
        rowIndex: row.row_index,
        timestampMs: row.at,
        ingestedAtMs: row.ingested,
        values: columns.map((column) => cellOf(row, column, kinds.get(column))),
      }));
    },

    async saveScores(key, referenceHash, scored) {
      const rows = await mapInTurns(scored, ({ row, score, flagged, reasons }) => ({
        model: key.model,
        version: key.modelVersion,
        reference_hash: referenceHash,
        ts: dateTime64(row.timestampMs),
        identity: rowIdentity({ ...key, predictionId: row.predictionId, rowIndex: row.rowIndex }),
        prediction_id: row.predictionId,
        row_index: row.rowIndex,
        score,
        flagged,
        reason_features: reasons.map(({ feature }) => feature),
        reason_contributions: reasons.map(({ contribution }) => contribution),
        ingested_at: dateTime64(row.ingestedAtMs),
      }));
      await client.insert('outlier_scores', rows);
      const keys = { model: key.model, version: key.modelVersion, hash: referenceHash };
      const before = await cursorOf(keys);
      const reached = rows.reduce((newest: Cursor, { identity }, index) => {
        const ingestedMs = scored[index]?.row.ingestedAtMs ?? 0;
        const later =
          ingestedMs > newest.ingestedMs ||
          (ingestedMs === newest.ingestedMs && BigInt(identity) > BigInt(newest.identity));
        return later ? { ingestedMs, identity } : newest;
      }, before);
      cursors.set(nameOf(keys), reached);
    },

    outlierCounts: async (key, window, referenceHash) =>
      countsOf({ key, window, hash: referenceHash ?? (await hashOf(key)) }),

    listOutliers: async (key, columns, query) => list(key, await hashOf(key), columns, query),
  };
}
