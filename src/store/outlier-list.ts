import type { FeatureSchema } from '../domain/model.js';
import type { OutlierCursor, OutlierQuery, OutlierRecord } from '../domain/outlier-ports.js';
import type { VersionKey } from '../domain/ports.js';
import type { StoreClient } from './client.js';
import { dateTime64, float64 } from './encoding.js';
import { CELL_COLUMNS, cellOf, type RowCells } from './row-cells.js';

interface FlaggedRow {
  readonly id: string;
  readonly prediction_id: string;
  readonly row_index: number;
  readonly at: number;
  readonly ingested: number;
  readonly score: number;
  readonly bits: string;
  readonly reason_features: readonly string[];
  readonly reason_contributions: readonly (number | string)[];
}

type Values = Readonly<Record<string, number | string | null>>;

/** Flagged rows by one reference's forest, highest scores first, then by time. */
export function createOutlierList(client: StoreClient) {
  /** The raw rows' values by identity, of those that have not expired. */
  async function valuesOf(
    key: VersionKey,
    columns: readonly FeatureSchema[],
    rows: readonly FlaggedRow[],
  ): Promise<Map<string, Values>> {
    if (rows.length === 0) return new Map();
    const ingested = rows.map((row) => row.ingested);
    const found = await client.query<RowCells & { id: string }>(
      `SELECT toString(identity) AS id, ${CELL_COLUMNS} FROM predictions
       WHERE model = {model:String} AND version = {version:String} AND ingested_at >= {first:DateTime64(3, 'UTC')}
         AND ingested_at <= {last:DateTime64(3, 'UTC')} AND identity IN {identities:Array(UInt64)}
       ORDER BY identity, ingested_at, source_partition, source_offset LIMIT 1 BY identity`,
      {
        model: key.model,
        version: key.modelVersion,
        first: dateTime64(Math.min(...ingested)),
        last: dateTime64(Math.max(...ingested)),
        identities: `[${rows.map((row) => row.id).join(',')}]`,
      },
    );
    return new Map(
      found.map((row) => [
        row.id,
        // Unlike an assignment, this makes a column called `__proto__` one like others.
        Object.fromEntries(columns.map(({ name, kind }) => [name, cellOf(row, name, kind)])),
      ]),
    );
  }

  return async function listOutliers(
    key: VersionKey,
    hash: string,
    columns: readonly FeatureSchema[],
    { window, minScore = 0, feature, after, limit }: OutlierQuery,
  ): Promise<{ outliers: OutlierRecord[]; next: OutlierCursor | null }> {
    const bits = 'reinterpretAsUInt64(score)';
    const at = 'toUnixTimestamp64Milli(ts)';
    // One more than asked for tells whether any follow.
    const rows = await client.query<FlaggedRow>(
      `SELECT toString(identity) AS id, prediction_id, row_index, ${at} AS at, toUnixTimestamp64Milli(ingested_at) AS ingested,
         score, toString(${bits}) AS bits, reason_features, reason_contributions
       FROM outlier_scores FINAL
       WHERE model = {model:String} AND version = {version:String} AND reference_hash = {hash:String} AND flagged
         AND ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')} AND score >= {minScore:Float64}
         ${feature === undefined ? '' : 'AND reason_features[1] = {feature:String}'}
         ${after === undefined ? '' : `AND (${bits} < {bits:UInt64} OR (${bits} = {bits:UInt64} AND (${at}, identity) > ({at:Int64}, {identity:UInt64})))`}
       ORDER BY ${bits} DESC, ts, identity LIMIT {limit:UInt64}`,
      {
        model: key.model,
        version: key.modelVersion,
        hash,
        from: dateTime64(window.startMs),
        to: dateTime64(window.endMs),
        minScore,
        limit: limit + 1,
        ...(feature === undefined ? {} : { feature }),
        ...(after === undefined
          ? {}
          : { bits: after.scoreBits, at: after.timestampMs, identity: after.identity }),
      },
    );
    const page = rows.slice(0, limit);
    const values = await valuesOf(key, columns, page);
    const last = page.at(-1);
    return {
      outliers: page.map((row) => ({
        model: key.model,
        modelVersion: key.modelVersion,
        predictionId: row.prediction_id,
        rowIndex: row.row_index,
        timestampMs: row.at,
        score: row.score,
        reasons: row.reason_features.map((name, index) => ({
          feature: name,
          contribution: float64(row.reason_contributions[index] ?? Number.NaN),
        })),
        values: values.get(row.id) ?? null,
      })),
      next:
        last === undefined || rows.length <= limit
          ? null
          : { scoreBits: last.bits, timestampMs: last.at, identity: last.id },
    };
  };
}
