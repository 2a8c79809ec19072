import { type ModelVersion, monitoredColumns, PREDICTION, PREDICTION_PROBA } from '../domain/model.js';
import type { FeatureRow, ModelStore, OutlierStore, VersionKey } from '../domain/ports.js';
import type { StoreClient } from './client.js';
import { dateTime64, float64 } from './encoding.js';
import { rowIdentity } from './identity.js';

/** A row is visible at the latest this long after the engine stamped it: an insert ends within its time limit. */
const VISIBILITY_MS = 600_000;

interface RawRow {
  prediction_id: string;
  row_index: number;
  ts: number;
  ingested: number;
  num: Record<string, number | string>;
  cat: Record<string, string>;
  prediction_num: number | string | null;
  prediction_cat: string | null;
  proba: number | string | null;
}

/** Scores of rows by the forest of the version's current reference. */
export function createOutlierStore(
  client: StoreClient,
  models: Pick<ModelStore, 'currentReference'>,
): OutlierStore {
  /** Per version and reference, an ingestion time before which all visible rows are scored, ms. */
  const cursors = new Map<string, number>();

  async function hashOf(key: VersionKey): Promise<string> {
    return (await models.currentReference(key))?.hash ?? '';
  }

  function valuesOf(row: RawRow, model: ModelVersion, columns: readonly string[]): FeatureRow['values'] {
    const kinds = new Map(monitoredColumns(model.schema).map((column) => [column.name, column.kind]));
    return columns.map((column) => {
      if (column === PREDICTION_PROBA) return row.proba === null ? null : float64(row.proba);
      if (column === PREDICTION) {
        const value = row.prediction_cat ?? row.prediction_num;
        if (value === null) return null;
        return kinds.get(column) === 'numeric' ? float64(value) : String(value);
      }
      const value = kinds.get(column) === 'numeric' ? row.num[column] : row.cat[column];
      if (value === undefined) return null;
      return kinds.get(column) === 'numeric' ? float64(value) : value;
    });
  }

  return {
    async unscoredRows(model, columns, limit) {
      const referenceHash = await hashOf(model);
      const cursorKey = JSON.stringify([model.model, model.modelVersion, referenceHash]);
      const cursor = cursors.get(cursorKey) ?? 0;
      const rows = await client.query<RawRow>(
        `SELECT prediction_id, row_index, toUnixTimestamp64Milli(ts) AS ts, toUnixTimestamp64Milli(ingested_at) AS ingested,
           num, cat, prediction_num, prediction_cat, proba
         FROM predictions
         WHERE model = {model:String} AND version = {version:String} AND ingested_at >= {from:DateTime64(3, 'UTC')}
           AND identity NOT IN (
             SELECT identity FROM outlier_scores
             WHERE model = {model:String} AND version = {version:String} AND reference_hash = {hash:String}
               AND scored_at >= {from:DateTime64(3, 'UTC')})
         ORDER BY ingested_at, identity LIMIT {limit:UInt64}`,
        {
          model: model.model,
          version: model.modelVersion,
          hash: referenceHash,
          from: dateTime64(Math.max(0, cursor - VISIBILITY_MS)),
          limit,
        },
      );
      // All visible rows that came before the oldest unscored one are scored.
      const oldest = rows[0];
      if (oldest !== undefined) cursors.set(cursorKey, Math.max(cursor, oldest.ingested));
      return rows.map((row) => ({
        predictionId: row.prediction_id,
        rowIndex: row.row_index,
        timestampMs: row.ts,
        ingestedAtMs: row.ingested,
        values: valuesOf(row, model, columns),
      }));
    },

    async saveScores(key, referenceHash, scored) {
      await client.insert(
        'outlier_scores',
        scored.map(({ row, score, flagged }) => ({
          model: key.model,
          version: key.modelVersion,
          reference_hash: referenceHash,
          ts: dateTime64(row.timestampMs),
          identity: rowIdentity({ ...key, predictionId: row.predictionId, rowIndex: row.rowIndex }),
          prediction_id: row.predictionId,
          row_index: row.rowIndex,
          score,
          flagged,
        })),
      );
    },

    async outlierCounts(key, window) {
      const [counts] = await client.query<{ scored: number; flagged: number }>(
        `SELECT count() AS scored, countIf(flagged) AS flagged FROM outlier_scores FINAL
         WHERE model = {model:String} AND version = {version:String} AND reference_hash = {hash:String}
           AND ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')}`,
        {
          model: key.model,
          version: key.modelVersion,
          hash: await hashOf(key),
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
        ts: number;
        score: number;
      }>(
        `SELECT prediction_id, row_index, toUnixTimestamp64Milli(o.ts) AS ts, score FROM outlier_scores AS o FINAL
         WHERE model = {model:String} AND version = {version:String} AND reference_hash = {hash:String} AND flagged
         ORDER BY score DESC, identity LIMIT {limit:UInt64} OFFSET {offset:UInt64}`,
        { model: key.model, version: key.modelVersion, hash: await hashOf(key), limit, offset },
      );
      return rows.map((row) => ({
        model: key.model,
        modelVersion: key.modelVersion,
        predictionId: row.prediction_id,
        rowIndex: row.row_index,
        timestampMs: row.ts,
        score: row.score,
      }));
    },
  };
}
