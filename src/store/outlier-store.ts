import { monitoredColumns } from '../domain/model.js';
import type { OutlierStore, VersionKey } from '../domain/ports.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import { rowIdentity } from './identity.js';
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

/** Scores of rows by the forest of the version's current reference. */
export function createOutlierStore(client: StoreClient): OutlierStore {
  /** Per version and reference: the last row in order whose score is saved. */
  const cursors = new Map<string, Cursor>();

  async function hashOf(key: VersionKey): Promise<string> {
    const [row] = await client.query<{ hash: string }>(
      `SELECT hash FROM references WHERE model = {model:String} AND version = {version:String}
       ORDER BY revision DESC LIMIT 1`,
      { model: key.model, version: key.modelVersion },
    );
    return row?.hash ?? '';
  }

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
    return row === undefined ? START : { ingestedMs: row.ms, identity: row.identity };
  }

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
      return rows.map((row) => ({
        predictionId: row.prediction_id,
        rowIndex: row.row_index,
        timestampMs: row.at,
        ingestedAtMs: row.ingested,
        values: columns.map((column) => cellOf(row, column, kinds.get(column))),
      }));
    },

    async saveScores(key, referenceHash, scored) {
      const rows = scored.map(({ row, score, flagged }) => ({
        model: key.model,
        version: key.modelVersion,
        reference_hash: referenceHash,
        ts: dateTime64(row.timestampMs),
        identity: rowIdentity({ ...key, predictionId: row.predictionId, rowIndex: row.rowIndex }),
        prediction_id: row.predictionId,
        row_index: row.rowIndex,
        score,
        flagged,
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

    async outlierCounts(key, window, referenceHash) {
      const [counts] = await client.query<{ scored: number; flagged: number }>(
        `SELECT count() AS scored, countIf(flagged) AS flagged FROM outlier_scores FINAL
         WHERE model = {model:String} AND version = {version:String} AND reference_hash = {hash:String}
           AND ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')}`,
        {
          model: key.model,
          version: key.modelVersion,
          hash: referenceHash ?? (await hashOf(key)),
          from: dateTime64(window.startMs),
          to: dateTime64(window.endMs),
        },
      );
      return counts ?? { scored: 0, flagged: 0 };
    },

    async listOutliers({ limit, offset, ...key }) {
      const rows = await client.query<{
        prediction_id: string;
        row_index: number;
        at: number;
        score: number;
      }>(
        `SELECT prediction_id, row_index, toUnixTimestamp64Milli(ts) AS at, score FROM outlier_scores FINAL
         WHERE model = {model:String} AND version = {version:String} AND reference_hash = {hash:String} AND flagged
         ORDER BY score DESC, ts, identity LIMIT {limit:UInt64} OFFSET {offset:UInt64}`,
        { model: key.model, version: key.modelVersion, hash: await hashOf(key), limit, offset },
      );
      return rows.map((row) => ({
        model: key.model,
        modelVersion: key.modelVersion,
        predictionId: row.prediction_id,
        rowIndex: row.row_index,
        timestampMs: row.at,
        score: row.score,
      }));
    },
  };
}
