import { accessSync, constants } from 'node:fs';
import { extname, resolve } from 'node:path';
import { monitoredColumns } from '../domain/model.js';
import type { FeatureRow, ReferenceReader } from '../domain/ports.js';
import type { Grid } from '../domain/profile.js';
import { DAY_MS, HOUR_MS } from '../domain/window.js';
import { AppError, messageOf } from '../errors.js';
import type { StoreClient } from './client.js';
import { float64 } from './encoding.js';
import type { createProfileStore } from './profile-store.js';

/** Distinct values up to which a numeric grid holds them all, and order statistics beyond. */
const MAX_CUT_POINTS = 1_000;
const MAX_HEAD = 1_000;
const MAX_CATEGORIES = 100_000;
const QUANTA_PER_RANGE = 2 ** 32;
const READ_TIMEOUT_MS = 600_000;

const FORMATS: Readonly<Record<string, string>> = {
  '.parquet': 'Parquet',
  '.csv': 'CSVWithNames',
  '.ndjson': 'JSONEachRow',
  '.jsonl': 'JSONEachRow',
};

interface Description {
  readonly name: string;
  readonly type: string;
}

/** Names of ours beside a file's own column names in one SELECT; such a name in a file is refused. */
const OWN_PREFIX = '__plumbline_';
const VALUE = `${OWN_PREFIX}value`;
const HOUR = `${OWN_PREFIX}hour`;
const NUMBERS = `${OWN_PREFIX}numbers`;
const TEXTS = `${OWN_PREFIX}texts`;
const TIME = `${OWN_PREFIX}time`;

/** Least power of two of which `range` holds at most 2^32: sums of offsets stay exact integers. */
export function quantumFor(range: number): number {
  return range > 0 && Number.isFinite(range) ? 2 ** Math.ceil(Math.log2(range / QUANTA_PER_RANGE)) : 1;
}

/** Reads training baselines with the engine, which knows the formats. */
export function createReferenceReader(
  client: StoreClient,
  profiles: Pick<ReturnType<typeof createProfileStore>, 'countSource'>,
): ReferenceReader {
  /** The file as a table. Parameters: path, format. */
  const FILE = 'file({path:String}, {format:String})';

  function fileParams(path: string): { path: string; format: string } {
    const format = FORMATS[extname(path).toLowerCase()];
    if (format === undefined)
      throw new AppError(
        'invalid_reference',
        `cannot tell the format of ${path}: it must end in ${Object.keys(FORMATS).join(', ')}`,
      );
    try {
      accessSync(path, constants.R_OK);
    } catch (cause) {
      throw new AppError('file_unreadable', `cannot read ${path}: ${messageOf(cause)}`, { cause });
    }
    return { path: resolve(path), format };
  }

  async function readFile<T>(path: string, sql: string, params: Record<string, unknown> = {}): Promise<T[]> {
    const file = fileParams(path);
    try {
      return await client.query<T>(sql, { ...params, ...file }, { timeoutMs: READ_TIMEOUT_MS });
    } catch (cause) {
      throw new AppError(
        'invalid_reference',
        `cannot read ${path} as ${file.format}: ${messageOf(cause).split('\n')[0]}; is it complete, and in the format its name says?`,
        { cause },
      );
    }
  }

  const describe = (path: string) => readFile<Description>(path, `DESCRIBE TABLE ${FILE}`);

  /** `{c0:Identifier}` … for column names, which may hold anything. */
  function identifiers(columns: readonly string[]) {
    return {
      names: columns.map((_, index) => `{c${index}:Identifier}`),
      params: Object.fromEntries(columns.map((column, index) => [`c${index}`, column])),
    };
  }

  async function numericGrid(path: string, feature: string): Promise<Grid> {
    const [row] = await readFile<{ points: (number | string)[] }>(
      path,
      `SELECT if(length(d) <= ${MAX_CUT_POINTS}, d, arrayDistinct(arrayMap(
          i -> s[toUInt64(1 + round(i * (length(s) - 1) / ${MAX_CUT_POINTS - 1}))], range(${MAX_CUT_POINTS})))) AS points
       FROM (SELECT arraySort(groupUniqArray(${VALUE})) AS d, arraySort(groupArray(${VALUE})) AS s
             FROM (SELECT toFloat64(assumeNotNull({c0:Identifier})) AS ${VALUE} FROM ${FILE} WHERE {c0:Identifier} IS NOT NULL)
             WHERE isFinite(${VALUE}))`,
      { c0: feature },
    );
    const cutPoints = (row?.points ?? []).map(float64);
    if (cutPoints.length === 0)
      throw new AppError(
        'invalid_reference',
        `column ${feature} of ${path} has no finite value: leave it out of the reference`,
      );
    return {
      kind: 'numeric',
      feature,
      cutPoints,
      quantum: quantumFor((cutPoints.at(-1) ?? 0) - (cutPoints[0] ?? 0)),
    };
  }

  async function categoricalGrid(path: string, feature: string): Promise<Grid> {
    const rows = await readFile<{ value: string }>(
      path,
      `SELECT ${VALUE} AS value FROM (SELECT toString(assumeNotNull({c0:Identifier})) AS ${VALUE} FROM ${FILE} WHERE {c0:Identifier} IS NOT NULL)
       GROUP BY ${VALUE} ORDER BY count() DESC, ${VALUE} LIMIT ${MAX_CATEGORIES}`,
      { c0: feature },
    );
    return {
      kind: 'categorical',
      feature,
      categories: rows.map((row) => row.value),
      headSize: Math.min(rows.length, MAX_HEAD),
    };
  }

  return {
    async describeFile(path) {
      const columns = await describe(path);
      const taken = columns.find((column) => column.name.startsWith(OWN_PREFIX));
      if (taken !== undefined)
        throw new AppError(
          'invalid_reference',
          `column ${taken.name} of ${path}: names in ${OWN_PREFIX}… are taken, rename it`,
        );
      const { names, params } = identifiers(columns.map((column) => column.name));
      const [counts] = await readFile<{ rows: number; distinct: number[] }>(
        path,
        `SELECT tupleElement(${VALUE}, 1) AS rows, tupleElement(${VALUE}, 2) AS distinct FROM (
           SELECT (count(), [${names.map((name) => `uniqUpTo(100)(${name})`).join(', ')}]) AS ${VALUE} FROM ${FILE})`,
        params,
      );
      return columns.map((column, index) => ({
        name: column.name,
        type: column.type,
        distinct: counts?.distinct[index] ?? 0,
        rows: counts?.rows ?? 0,
      }));
    },

    async buildGrids(path, model) {
      const grids: Grid[] = [];
      for (const column of monitoredColumns(model.schema))
        grids.push(
          column.kind === 'numeric'
            ? await numericGrid(path, column.name)
            : await categoricalGrid(path, column.name),
        );
      return grids;
    },

    async importReference({ path, model, hash, timestampColumn }) {
      const file = fileParams(path);
      const columns = monitoredColumns(model.schema);
      const { names, params } = identifiers([...columns.map((column) => column.name), timestampColumn ?? '']);
      const stamp = names.at(-1);
      const hour =
        timestampColumn === null
          ? 'toInt64(0)'
          : `intDiv(toUnixTimestamp64Milli(toDateTime64(${stamp}, 3, 'UTC')), ${HOUR_MS})`;
      const keep = timestampColumn === null ? '' : `WHERE ${stamp} IS NOT NULL`;
      const pairs = (kind: string, type: string, convert: (name: string) => string) => {
        const parts = columns.flatMap((column, index) =>
          column.kind === kind
            ? [
                // A column's own name is a value here, not an identifier.
                `if(isNull(${names[index]}), [], [({n${index}:String}, ${convert(`assumeNotNull(${names[index]})`)})])`,
              ]
            : [],
        );
        return parts.length === 0
          ? `CAST([], 'Array(Tuple(String, ${type}))')`
          : `CAST(arrayConcat(${parts.join(', ')}), 'Array(Tuple(String, ${type}))')`;
      };
      const sql = `SELECT ${HOUR} AS hour, ${NUMBERS} AS numbers, ${TEXTS} AS texts FROM (
        SELECT ${hour} AS ${HOUR}, ${pairs('numeric', 'Float64', (name) => `toFloat64(${name})`)} AS ${NUMBERS},
          ${pairs('categorical', 'String', (name) => `toString(${name})`)} AS ${TEXTS} FROM ${FILE} ${keep})`;
      const all = {
        ...file,
        ...params,
        ...Object.fromEntries(columns.map((column, index) => [`n${index}`, column.name])),
      };
      const [extent] = await readFile<{ rows: number; first: number; last: number }>(
        path,
        timestampColumn === null
          ? `SELECT count() AS rows, 0 AS first, 0 AS last FROM ${FILE}`
          : `SELECT count() AS rows, toUnixTimestamp64Milli(min(${TIME})) AS first, toUnixTimestamp64Milli(max(${TIME})) AS last
             FROM (SELECT assumeNotNull(toDateTime64(${stamp}, 3, 'UTC')) AS ${TIME} FROM ${FILE} ${keep})`,
        params,
      );
      if (extent === undefined || extent.rows === 0)
        throw new AppError('invalid_reference', `${path} has no rows to compare with`);
      const period = timestampColumn === null ? null : { startMs: extent.first, endMs: extent.last + 1 };
      const days: number[] = [];
      for (let day = Math.floor((period?.startMs ?? 0) / DAY_MS); day * DAY_MS < (period?.endMs ?? 1); day++)
        days.push(day * DAY_MS);
      await profiles.countSource({
        scope: `reference:${hash}`,
        model,
        source: {
          sql,
          hoursSql: `SELECT ${HOUR} AS hour, count() AS raw_rows, count() AS rows FROM (SELECT ${hour} AS ${HOUR} FROM ${FILE} ${keep}) GROUP BY hour`,
        },
        params: all,
        dayStartsMs: days,
      });
      return { rows: extent.rows, period };
    },

    async readRows(path, columns, timestampColumn, limit) {
      const types = new Map((await describe(path)).map((column) => [column.name, column.type]));
      const { names, params } = identifiers([...columns, timestampColumn ?? '']);
      const values = columns.map((column, index) =>
        isNumeric(types.get(column) ?? '') ? `toFloat64(${names[index]})` : `toString(${names[index]})`,
      );
      const time =
        timestampColumn === null
          ? 'NULL'
          : `toUnixTimestamp64Milli(toDateTime64(${names[columns.length]}, 3, 'UTC'))`;
      // The order follows from the rows themselves, so the sample is the same whatever the engine's threads do.
      const rows = await readFile<{ row: FeatureRow['values']; time: number | null }>(
        path,
        `SELECT ${VALUE} AS row, ${TIME} AS time
         FROM (SELECT tuple(${values.join(', ')}) AS ${VALUE}, ${time} AS ${TIME} FROM ${FILE})
         ORDER BY sipHash64(toString(row)), row, time LIMIT {limit:UInt64}`,
        { ...params, limit },
      );
      return rows.map(({ row, time: timestampMs }) => ({
        values: Object.values(row) as FeatureRow['values'],
        timestampMs,
      }));
    },
  };
}

/** Whether a ClickHouse column type holds numbers. */
export function isNumeric(type: string): boolean {
  return /^(Nullable\()?(U?Int\d+|Float\d+|Decimal)/.test(type);
}
