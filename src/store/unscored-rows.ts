import type { VersionKey } from '../domain/ports.js';
import { createBatch, OF_VERSIONS, PLACE_OF_VERSION, versionsOf } from './batch.js';
import type { StoreClient } from './client.js';
import { dateTime64 } from './encoding.js';
import { CELL_COLUMNS, type RowCells } from './row-cells.js';

/** A row may become visible so long after it was stamped, and is still found: an insert is retried, a redo repairs. */
const VISIBILITY_MS = 3_600_000;

/** A row's place in the order of scoring. */
export interface Cursor {
  readonly ingestedMs: number;
  /** Decimal text of a UInt64. */
  readonly identity: string;
}

export interface RawRow extends RowCells {
  readonly prediction_id: string;
  readonly row_index: number;
  readonly at: number;
  readonly ingested: number;
}

/** A version, and the reference whose forest scores its rows. */
export interface ScoredBy {
  readonly model: string;
  readonly version: string;
  readonly hash: string;
  readonly [parameter: string]: string;
}

interface Asked {
  readonly keys: ScoredBy;
  readonly cursor: Cursor;
}

interface Page {
  readonly id: string;
  readonly ms: number;
}

export const versionOf = (keys: ScoredBy): VersionKey => ({ model: keys.model, modelVersion: keys.version });

const VERSIONS_PER_STATEMENT = 256;
/** Versions whose rows are read in one statement. */
const FEW_PER_STATEMENT = 8;
/** With more values to read, a version's rows are read by themselves. */
const FEW_VALUES = 20_000;

const RAW_COLUMNS = `prediction_id, row_index, toUnixTimestamp64Milli(ts) AS at, toUnixTimestamp64Milli(ingested_at) AS ingested,
  ${CELL_COLUMNS}`;

/**
 * Finds the next rows that a version's forest has not scored.
 *
 * @returns rows after the cursor in order, so many at most where they are not few; without any, rows before it that came late
 */
export function createUnscoredRows(
  client: StoreClient,
): (asked: Asked, most: { readonly rows: number; readonly columns: number }) => Promise<RawRow[]> {
  /** Of versions with their cursors: their parameters, and expressions over a row. */
  function placed(asked: readonly Asked[]) {
    const versions = asked.map(({ keys }) => versionOf(keys));
    const { params, placeOf } = versionsOf(versions);
    const inOrder = params.models.map(
      (_, place) => asked[versions.findIndex((key) => placeOf(key) === place)],
    );
    const atMs = inOrder.map((each) => each?.cursor.ingestedMs ?? 0);
    const fromMs = atMs.map((ms) => Math.max(0, ms - VISIBILITY_MS));
    const of = (values: string) => `{${values}}[${PLACE_OF_VERSION} + 1]`;
    const atOfRow = 'toUnixTimestamp64Milli(ingested_at)';
    return {
      places: versions.map(placeOf),
      isRecent: `${atOfRow} >= ${of('fromMs:Array(Int64)')} AND ${atOfRow} <= ${of('atMs:Array(Int64)')}`,
      isNew: `(${atOfRow} > ${of('atMs:Array(Int64)')}
        OR (${atOfRow} = ${of('atMs:Array(Int64)')} AND identity > ${of('identities:Array(UInt64)')}))`,
      ofHash: `reference_hash = ${of('hashes:Array(String)')}`,
      since: `${OF_VERSIONS} AND ingested_at >= {from:DateTime64(3, 'UTC')}`,
      params: {
        ...params,
        atMs,
        fromMs,
        identities: `[${inOrder.map((each) => each?.cursor.identity ?? '0').join(',')}]`,
        hashes: inOrder.map((each) => each?.keys.hash ?? ''),
        from: dateTime64(fromMs.reduce((least, ms) => Math.min(least, ms), Infinity)),
      },
    };
  }

  /**
   * How many rows lie after a version's cursor, and whether any before it may lack a score. Most versions have neither when asked, so many
   * are asked about at once.
   */
  const lacking = createBatch(async (asked: readonly Asked[]) => {
    const { places, isRecent, isNew, ofHash, since, params } = placed(asked);
    const rows = await client.query<{ place: number; fresh: number; stored: number; scored: number }>(
      `SELECT place, sum(fresh) AS fresh, sum(stored) AS stored, sum(scored) AS scored FROM (
         SELECT ${PLACE_OF_VERSION} AS place, countIf(${isNew}) AS fresh, countIf(${isRecent}) AS stored, 0 AS scored
         FROM predictions WHERE ${since} GROUP BY place
         UNION ALL
         SELECT ${PLACE_OF_VERSION} AS place, 0, 0, countIf(${isRecent})
         FROM outlier_scores FINAL WHERE ${since} AND ${ofHash} GROUP BY place)
       GROUP BY place`,
      params,
    );
    const found = new Map(rows.map((row) => [row.place, row]));
    return places.map((place) => {
      const { fresh, stored, scored } = found.get(place) ?? { fresh: 0, stored: 0, scored: 0 };
      return { fresh, late: stored > scored };
    });
  }, VERSIONS_PER_STATEMENT);

  /** All rows after the cursors of versions that have few of them, in order. */
  const fewRows = createBatch(async (asked: readonly Asked[]) => {
    const { places, isNew, since, params } = placed(asked);
    const rows = await client.query<RawRow & { place: number }>(
      `SELECT ${PLACE_OF_VERSION} AS place, ${RAW_COLUMNS}
       FROM predictions PREWHERE ${since} AND ${isNew}
       ORDER BY place, ingested_at, identity, source_partition, source_offset LIMIT 1 BY place, identity`,
      params,
    );
    return places.map((own) => rows.filter(({ place }) => place === own));
  }, FEW_PER_STATEMENT);

  /** Rows after the cursor: no look at the scores is needed, so a page costs the same however many there are. */
  async function newRows(keys: ScoredBy, cursor: Cursor, limit: number): Promise<Page[]> {
    return client.query<Page>(
      `SELECT toString(identity) AS id, toUnixTimestamp64Milli(ingested_at) AS ms FROM predictions
       WHERE model = {model:String} AND version = {version:String} AND ingested_at >= {at:DateTime64(3, 'UTC')}
         AND (ingested_at > {at:DateTime64(3, 'UTC')} OR identity > {identity:UInt64})
       ORDER BY ingested_at, identity LIMIT {limit:UInt64}`,
      { ...keys, at: dateTime64(cursor.ingestedMs), identity: cursor.identity, limit },
    );
  }

  /** Rows before the cursor that became visible after it had passed. Their scores are missed only while one is there. */
  async function lateRows(keys: ScoredBy, cursor: Cursor, limit: number): Promise<Page[]> {
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

  async function pageOf(keys: ScoredBy, cursor: Cursor, limit: number): Promise<RawRow[]> {
    const fresh = await newRows(keys, cursor, limit);
    const page = fresh.length > 0 ? fresh : await lateRows(keys, cursor, limit);
    const first = page[0];
    if (first === undefined) return [];
    // The narrow columns found the page; only its rows are read whole.
    return client.query<RawRow>(
      `SELECT ${RAW_COLUMNS}
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
  }

  return async (asked, most) => {
    const { fresh, late } = await lacking(asked);
    if (fresh === 0 && !late) return [];
    const isFew = fresh > 0 && fresh <= most.rows && fresh * most.columns <= FEW_VALUES;
    return isFew ? fewRows(asked) : pageOf(asked.keys, asked.cursor, most.rows);
  };
}
