import type { FeatureSchema, ModelVersion } from '../domain/model.js';
import type { FeatureRow, VersionKey } from '../domain/ports.js';
import { PRODUCTION } from '../domain/ports.js';
import type { PeriodStore } from '../domain/reference-ports.js';
import { DAY_MS, HOUR_MS, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import { DAY_PROFILES_SQL, PROFILE_COLUMNS } from './profile-sql.js';
import { CELL_COLUMNS, cellOf, type RowCells } from './row-cells.js';

const TIMEOUT_MS = 600_000;
/** Hours may be counted again while they are copied. */
const ATTEMPTS = 3;

const HOURS = `model = {model:String} AND version = {version:String} AND granularity = 'hour'
  AND bucket >= {fromTs:DateTime64(3, 'UTC')} AND bucket < {toTs:DateTime64(3, 'UTC')}`;
const SELECTED = `scope = {from:String} AND ${HOURS}`;

/** SHA-256 over the hours' counts, whatever their order; rows are those of any column. */
const DIGEST_SQL = `
  SELECT lower(hex(SHA256(arrayStringConcat(arraySort(groupArrayArray(digests)))))) AS hash, sum(hour_rows) AS rows
  FROM (
    SELECT max(p.rows) AS hour_rows,
      groupArray(hex(SHA256(toString((toUnixTimestamp64Milli(p.bucket), p.feature, p.kind, p.rows, p.missing, p.non_finite,
        p.mistyped, p.counts, p.offsets, p.min, p.max))))) AS digests
    FROM (SELECT * FROM profiles FINAL WHERE ${SELECTED}) AS p
    GROUP BY p.bucket)`;

const COPY_SQL = `
  INSERT INTO profiles (${PROFILE_COLUMNS})
  SELECT concat({scope:String}, substring(scope, length({from:String}) + 1)), model, version, granularity, bucket, feature, kind, rows, missing, non_finite, mistyped, counts, offsets,
    min, max, {revision:UInt64}
  FROM profiles FINAL WHERE (scope = {from:String} OR startsWith(scope, {segments:String})) AND ${HOURS}`;

/** Predictions against the labels that have come until now; those that come later do not change the reference. */
const COPY_PERFORMANCE_SQL = `
  INSERT INTO performance_hours
  SELECT * REPLACE (concat({scope:String}, substring(scope, length({from:String}) + 1)) AS scope, now('UTC') AS written_at, {revision:UInt64} AS revision)
  FROM performance_hours FINAL
  WHERE (scope = {from:String} OR startsWith(scope, {segments:String})) AND model = {model:String} AND version = {version:String}
    AND hour >= {fromHour:Int64} AND hour < {toHour:Int64}`;

const ROWS_WITHIN = `model = {model:String} AND version = {version:String}
  AND ts >= {fromTs:DateTime64(3, 'UTC')} AND ts < {toTs:DateTime64(3, 'UTC')}`;

const rowsWithin = ({ model, modelVersion }: VersionKey, { startMs, endMs }: Window) => ({
  model,
  version: modelVersion,
  fromTs: dateTime64(startMs),
  toTs: dateTime64(endMs),
});

/** Past production as a reference. */
export function createPeriodStore(client: StoreClient, nextRevision: () => number): PeriodStore {
  const limits = { timeoutMs: TIMEOUT_MS };

  /** The reference's scope and those of its segments. */
  async function scopesOf({ model, modelVersion }: VersionKey, scope: string): Promise<string[]> {
    const rows = await client.query<{ found: string }>(
      `SELECT DISTINCT scope AS found FROM profiles
       WHERE model = {model:String} AND version = {version:String}
         AND (scope = {scope:String} OR startsWith(scope, {segments:String})) ORDER BY found`,
      { model, version: modelVersion, scope, segments: `${scope}|` },
    );
    return rows.map(({ found }) => found);
  }

  async function someRows(
    model: ModelVersion,
    columns: readonly FeatureSchema[],
    period: Window,
    limit: number,
  ): Promise<{ values: FeatureRow['values']; timestampMs: number }[]> {
    // The narrow column chooses the sample; only its rows are read whole.
    const rows = await client.query<RowCells & { at: number }>(
      `SELECT toUnixTimestamp64Milli(ts) AS at, ${CELL_COLUMNS} FROM predictions
       WHERE ${ROWS_WITHIN} AND identity IN (
         SELECT DISTINCT identity FROM predictions WHERE ${ROWS_WITHIN} ORDER BY sipHash64(identity), identity LIMIT {limit:UInt64})
       ORDER BY sipHash64(identity), identity, ingested_at, source_partition, source_offset LIMIT 1 BY identity`,
      { ...rowsWithin(model, period), limit },
      limits,
    );
    return rows.map((row) => ({
      values: columns.map((column) => cellOf(row, column.name, column.kind)),
      timestampMs: row.at,
    }));
  }

  return {
    async freezePeriod(model, period, hashOf = (counts) => counts) {
      const params = {
        model: model.model,
        version: model.modelVersion,
        fromTs: dateTime64(period.startMs),
        toTs: dateTime64(period.endMs),
        fromHour: period.startMs / HOUR_MS,
        toHour: period.endMs / HOUR_MS,
      };
      const digest = async (from: string) => {
        const [found] = await client.query<{ hash: string; rows: number }>(
          DIGEST_SQL,
          { ...params, from },
          limits,
        );
        return found ?? { hash: '', rows: 0 };
      };
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const { hash: counts, rows } = await digest(PRODUCTION);
        const hash = hashOf(counts);
        if (rows === 0) return { hash, rows };
        const scope = `reference:${hash}`;
        const copied = { ...params, scope, revision: nextRevision() };
        await client.command(COPY_SQL, { ...copied, from: PRODUCTION, segments: `${PRODUCTION}|` }, limits);
        if ((await digest(scope)).hash !== counts) continue;
        await client.command(
          COPY_PERFORMANCE_SQL,
          { ...copied, from: PRODUCTION, segments: `${PRODUCTION}|` },
          limits,
        );
        for (const each of await scopesOf(model, scope))
          await client.command(DAY_PROFILES_SQL, { ...copied, scope: each, ...daysOf(period) }, limits);
        return { hash, rows };
      }
      throw new AppError(
        'overloaded',
        `the rows of this period are being counted: ask again when they have stopped coming in`,
        { retryable: true },
      );
    },

    async sampleRows(model, columns, period, limit) {
      const [stored] = await client.query<{ identities: number }>(
        `SELECT uniqExact(identity) AS identities FROM predictions WHERE ${ROWS_WITHIN}`,
        rowsWithin(model, period),
        limits,
      );
      return { stored: stored?.identities ?? 0, rows: await someRows(model, columns, period, limit) };
    },

    someRows,
  };
}

/** Parameters of DAY_PROFILES_SQL for the days that hold the period's hours. */
function daysOf(period: Window): { days: number[]; fromTs: string; toTs: string } {
  const first = Math.floor(period.startMs / DAY_MS);
  const end = Math.ceil(period.endMs / DAY_MS);
  return {
    days: Array.from({ length: end - first }, (_, index) => first + index),
    fromTs: dateTime64(first * DAY_MS),
    toTs: dateTime64(end * DAY_MS),
  };
}
