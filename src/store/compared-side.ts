import type {
  ComparedSide,
  GroupCount,
  Grouping,
  NumberChunk,
  SideColumn,
} from '../domain/compared-files.js';
import { NO_GROUP } from '../domain/compared-files.js';
import { END_OF_TIME_MS } from '../domain/window.js';
import { gapOrNumber, isGap } from './missing-words.js';
import { readNativeBlocks } from './native-columns.js';

/** The rows of a side as something to select from. Expressions are SQL; names come as parameters. */
export interface SideSource {
  readonly from: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Float64, NaN where there is no number. */
  number(column: SideColumn): string;
  /** Nullable(String). */
  text(column: SideColumn): string;
  /** Nullable(Int64), ms. */
  timeMs(column: SideColumn): string;
  query<T>(sql: string, params: Readonly<Record<string, unknown>>): Promise<T[]>;
  /** The result in the engine's Native format. */
  native(sql: string, params: Readonly<Record<string, unknown>>): Promise<Uint8Array>;
}

/** One thread, so that rows come in the order of the file. */
const IN_ORDER =
  'SETTINGS max_threads = 1, input_format_parallel_parsing = 0, input_format_parquet_preserve_order = 1';

/** Reads columns of a source. */
export function createComparedSide(
  source: SideSource,
  known: {
    readonly files: readonly string[];
    readonly rows: number;
    readonly columns: readonly SideColumn[];
  },
): ComparedSide {
  const byName = new Map(known.columns.map((column) => [column.name, column]));
  const find = (name: string): SideColumn => {
    const column = byName.get(name);
    if (column === undefined) throw new TypeError(`no column ${name} on this side`);
    return column;
  };

  /** Expression of type UInt32, with the settings and parameters that it needs. */
  function group(grouping: Grouping | null): {
    sql: string;
    settings: string;
    params: Record<string, unknown>;
  } {
    switch (grouping?.by) {
      case undefined:
        return { sql: 'toUInt32(0)', settings: '', params: {} };
      case 'rows':
        return {
          sql: 'toUInt32(intDiv(rowNumberInAllBlocks(), {windowRows:UInt64}))',
          settings: IN_ORDER,
          params: { windowRows: grouping.windowRows },
        };
      case 'time': {
        const ms = source.timeMs(find(grouping.column));
        return {
          sql: `if(ifNull(${ms}, -1) BETWEEN 0 AND ${END_OF_TIME_MS}, toUInt32(intDiv(assumeNotNull(${ms}), {lengthMs:UInt64})), toUInt32(${NO_GROUP}))`,
          settings: '',
          params: { lengthMs: grouping.lengthMs },
        };
      }
      case 'value':
        return {
          sql: position(source.text(find(grouping.column)), 'segments', NO_GROUP),
          settings: '',
          params: { segments: grouping.values },
        };
    }
  }

  async function counts<Row extends object>(
    expressions: string,
    where: string,
    by: string,
    grouping: Grouping | null,
    params: Record<string, unknown> = {},
  ): Promise<(Row & GroupCount)[]> {
    const { sql, settings, params: more } = group(grouping);
    return source.query<Row & GroupCount>(
      `SELECT group, ${expressions} count() AS rows FROM (SELECT ${sql} AS group${where}) GROUP BY ${by} ORDER BY ${by} ${settings}`,
      { ...source.params, ...more, ...params },
    );
  }

  return {
    ...known,

    async numbers(name, grouping, ascending) {
      const { sql, settings, params } = group(grouping);
      const groups = grouping === null ? '' : `, ${sql} AS side_group`;
      const bytes = await source.native(
        `SELECT ${source.number(find(name))} AS side_value${groups} FROM ${source.from} ${ascending ? 'ORDER BY side_value' : ''} ${settings}`,
        { ...source.params, ...params },
      );
      return chunksOf(bytes);
    },

    async mistyped(name, grouping) {
      const column = find(name);
      if (column.content !== 'text' && column.content !== 'mixed') return [];
      return counts(
        '',
        `, ${source.text(column)} AS side_text FROM ${source.from}
         WHERE isNotNull(side_text) AND NOT ${isGap('assumeNotNull(side_text)')}
           AND isNull(toFloat64OrNull(assumeNotNull(side_text)))`,
        'group',
        grouping,
      );
    },

    async gappedNumbers(name) {
      const [row] = await source.query<{ gaps: number; numbers: number; others: number }>(
        `SELECT countIf(kind = 0) AS gaps, countIf(kind = 1) AS numbers, countIf(kind = 2) AS others
         FROM (SELECT assumeNotNull(side_text) AS value, ${gapOrNumber('value')} AS kind
               FROM (SELECT ${source.text(find(name))} AS side_text FROM ${source.from}) WHERE isNotNull(side_text))`,
        source.params,
      );
      return row !== undefined && row.gaps > 0 && row.numbers > 0 && row.others === 0;
    },

    async distinct(names) {
      if (names.length === 0) return new Map();
      const texts = names.map((name) => source.text(find(name)));
      const [row] = await source.query<{ present: number[]; distinct: number[] }>(
        `SELECT [${texts.map((text) => `count(${text})`).join(', ')}] AS present,
           [${texts.map((text) => `uniqExact(${text})`).join(', ')}] AS distinct FROM ${source.from}`,
        source.params,
      );
      return new Map(
        names.map((name, i) => [name, { present: row?.present[i] ?? 0, distinct: row?.distinct[i] ?? 0 }]),
      );
    },

    async categories(name, limit) {
      return source.query<{ value: string; rows: number }>(
        `SELECT assumeNotNull(side_text) AS value, count() AS rows
         FROM (SELECT ${source.text(find(name))} AS side_text FROM ${source.from}) WHERE isNotNull(side_text)
         GROUP BY value ORDER BY rows DESC, value LIMIT {limit:UInt64}`,
        { ...source.params, limit },
      );
    },

    async categoryCounts(name, categories, grouping) {
      const text = source.text(find(name));
      return counts<{ position: number }>(
        'position,',
        `, ${position(text, 'categories', categories.length)} AS position FROM ${source.from}`,
        'group, position',
        grouping,
        { categories },
      );
    },

    async sample(columns, limit) {
      const values = columns.map(({ name, kind }, i) => {
        const column = find(name);
        const value =
          kind === 'numeric'
            ? `if(isFinite(${source.number(column)}), ${source.number(column)}, NULL)`
            : source.text(column);
        return `${value} AS v${i}`;
      });
      // Few rows enough to be sorted whole, and more than are asked for.
      const sieve = Math.max(1, Math.floor(known.rows / (4 * limit)));
      const rows = await source.query<Record<string, number | string | null>>(
        `SELECT ${columns.map((_, i) => `v${i}`).join(', ')}
         FROM (SELECT ${values.join(', ')}, sipHash64(rowNumberInAllBlocks()) AS side_order FROM ${source.from})
         WHERE side_order % {sieve:UInt64} = 0 ORDER BY intDiv(side_order, {sieve:UInt64}) LIMIT {limit:UInt64} ${IN_ORDER}`,
        { ...source.params, sieve, limit },
      );
      return rows.map((row) => columns.map((_, i) => row[`v${i}`] ?? null));
    },

    groupRows: (grouping) => counts('', ` FROM ${source.from}`, 'group', grouping),

    async timeExtent(name) {
      const [row] = await source.query<{ first: number | null; last: number | null; timeless: number }>(
        `SELECT min(ms) AS first, max(ms) AS last, countIf(isNull(ms)) AS timeless
         FROM (SELECT if(ifNull(time, -1) BETWEEN 0 AND ${END_OF_TIME_MS}, time, NULL) AS ms
               FROM (SELECT ${source.timeMs(find(name))} AS time FROM ${source.from}))`,
        source.params,
      );
      if (row === undefined || row.first === null || row.last === null) return null;
      return { firstMs: row.first, lastMs: row.last, timeless: row.timeless };
    },
  };
}

/** Position of a text in an Array(String) parameter, UInt32; `otherwise` for other texts, NO_GROUP for none. */
function position(text: string, parameter: string, otherwise: number): string {
  const values = `{${parameter}:Array(String)}`;
  // The array must not be empty, or it would have no type: its last element stands for nothing.
  return `if(isNull(${text}), toUInt32(${NO_GROUP}), transform(assumeNotNull(${text}), arrayPushBack(${values}, '\\0none'),
    arrayPushBack(arrayMap(i -> toUInt32(i), range(length(${values}))), toUInt32(${otherwise})), toUInt32(${otherwise})))`;
}

function* chunksOf(bytes: Uint8Array): Generator<NumberChunk> {
  for (const [values, groups] of readNativeBlocks(bytes))
    yield {
      values: values instanceof Float64Array ? values : new Float64Array(0),
      groups: groups instanceof Uint32Array ? groups : new Uint32Array(0),
    };
}
