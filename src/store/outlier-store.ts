import { monitoredColumns } from '../domain/model.js';
import type { OutlierStore } from '../domain/outlier-ports.js';
import type { VersionKey } from '../domain/ports.js';
import type { Window } from '../domain/window.js';
import { createBatch, loadByGroup, OF_VERSIONS, PLACE_OF_VERSION, versionsOf } from './batch.js';
import type { StoreClient } from './client.js';
import { dateTime64, mapInTurns } from './encoding.js';
import { rowIdentity } from './identity.js';
import { createOutlierList } from './outlier-list.js';
import { cellOf } from './row-cells.js';
import { type Cursor, createUnscoredRows, type ScoredBy, versionOf } from './unscored-rows.js';

const START: Cursor = { ingestedMs: 0, identity: '0' };

const nameOf = (keys: ScoredBy) => JSON.stringify([keys.model, keys.version, keys.hash]);

interface CountsCall {
  readonly key: VersionKey;
  readonly window: Window;
  readonly hash: string;
}

const VERSIONS_PER_STATEMENT = 256;
/** Whose scores are saved in one statement. */
const SAVED_PER_STATEMENT = 8;
/** Scores of rows by the forest of the version's current reference. */
export function createOutlierStore(client: StoreClient): OutlierStore {
  const list = createOutlierList(client);
  const nextRows = createUnscoredRows(client);
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

  const newestScored = createBatch(async (asked: readonly ScoredBy[]) => {
    const { params, placeOf } = versionsOf(asked.map(versionOf));
    const rows = await client.query<{ place: number; hash: string; ms: number; identity: string }>(
      `SELECT place, hash, toUnixTimestamp64Milli(tupleElement(newest, 1)) AS ms, toString(tupleElement(newest, 2)) AS identity
       FROM (SELECT ${PLACE_OF_VERSION} AS place, reference_hash AS hash, max((ingested_at, identity)) AS newest FROM outlier_scores
             WHERE ${OF_VERSIONS} AND reference_hash IN {hashes:Array(String)} GROUP BY place, hash)`,
      { ...params, hashes: [...new Set(asked.map(({ hash }) => hash))] },
    );
    return asked.map((keys): Cursor => {
      const row = rows.find(({ place, hash }) => place === placeOf(versionOf(keys)) && hash === keys.hash);
      return row === undefined ? START : { ingestedMs: row.ms, identity: row.identity };
    });
  }, VERSIONS_PER_STATEMENT);

  /** After a restart the newest score tells how far scoring had come. */
  async function cursorOf(keys: ScoredBy): Promise<Cursor> {
    const known = cursors.get(nameOf(keys));
    if (known !== undefined) return known;
    const cursor = await newestScored(keys);
    cursors.set(nameOf(keys), cursor);
    return cursor;
  }

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

  const insertScores = createBatch(async (calls: readonly (readonly object[])[]) => {
    await client.insert('outlier_scores', calls.flat());
    return calls.map(() => undefined);
  }, SAVED_PER_STATEMENT);

  return {
    async unscoredRows(model, columns, limit) {
      const keys = { model: model.model, version: model.modelVersion, hash: await hashOf(model) };
      const cursor = await cursorOf(keys);
      const rows = await nextRows({ keys, cursor }, { rows: limit, columns: columns.length });
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
      await insertScores(rows);
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
