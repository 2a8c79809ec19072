import { type FeatureSchema, LATENCY, profiledColumns } from '../domain/model.js';
import type { FeatureRow, ReferenceReader } from '../domain/ports.js';
import { type Grid, latencyGrid, quantumFor } from '../domain/profile.js';
import { contentOf } from '../domain/reference-columns.js';
import { type Segment, segmentScope } from '../domain/segment.js';
import { END_OF_TIME_MS, HOUR_MS } from '../domain/window.js';
import { AppError } from '../errors.js';
import type { StoreClient } from './client.js';
import { float64 } from './encoding.js';
import { countReferencePerformance, hasPerformance } from './performance-reference.js';
import type { ProfileCounter } from './profile-counter.js';
import { columnCells, type ProfileSource } from './profile-sql.js';
import { openReferenceFile, type ReferenceFile } from './reference-file.js';
import { treatFile } from './treat-file.js';

/** Distinct values up to which a numeric grid holds them all, and order statistics beyond. */
const MAX_CUT_POINTS = 1_000;
const MAX_HEAD = 1_000;
const MAX_CATEGORIES = 100_000;
/** With more of its values occurring once a column holds identifiers or free text. */
const IDENTIFIER_SHARE = 0.95;
/** Columns whose values are sorted in one reading of the file: bounds memory, 8 bytes per value. */
const COLUMNS_PER_READING = 8;

/** Reads training baselines with the engine, which knows the formats. */
export function createReferenceReader(
  client: StoreClient,
  counter: ProfileCounter,
  nextRevision: () => number,
): ReferenceReader {
  return {
    async describeFile(path) {
      const file = await openReferenceFile(client, path);
      const distinct = file.columns.map(({ name, type }) =>
        contentOf(type) === 'other' ? 'toUInt64(0)' : `uniqUpTo(100)(${file.raw(name)})`,
      );
      const times = file.columns.map(({ name }) => `toUInt8(${file.areTimes(name)})`);
      const gapped = file.columns.map(({ name }) => `toUInt8(${file.areGappedNumbers(name)})`);
      const [counts] = await file.query<{ numbers: number[]; times: number[]; gapped: number[] }>(
        `SELECT [count(), ${distinct.join(', ')}] AS numbers, [${times.join(', ')}] AS times, [${gapped.join(', ')}] AS gapped
         FROM ${file.table}`,
        file.params,
      );
      return file.columns.map(({ name, type }, index) => ({
        name,
        // Numbers with words such as NA between them, as R writes gaps, are read as text.
        type: counts?.gapped[index] === 1 ? 'Nullable(Float64)' : type,
        distinct: counts?.numbers[index + 1] ?? 0,
        rows: counts?.numbers[0] ?? 0,
        times: counts?.times[index] === 1,
      }));
    },

    async buildGrids(path, model) {
      const file = await openReferenceFile(client, path);
      const columns = profiledColumns(model.schema).filter(({ name }) => name !== LATENCY);
      return [
        latencyGrid(LATENCY),
        ...(await numericGrids(file, columns.filter(isNumeric))),
        ...(await categoricalGrids(
          file,
          columns.filter((column) => !isNumeric(column)),
        )),
      ];
    },

    async importReference({ path, model, hash, timestampColumn, positiveClass = '1', segment }) {
      const whole = await openReferenceFile(client, path);
      const file = segment === undefined ? whole : segmentOf(whole, segment);
      const timeMs = timestampColumn === null ? 'toNullable(toInt64(0))' : file.timeMs(timestampColumn);
      const [extent] = await file.query<{ stored: number; timeless: number; first: number; last: number }>(
        `SELECT count() AS stored, countIf(isNull(ms)) AS timeless, min(ms) AS first, max(ms) AS last
         FROM (SELECT ${timeMs} AS ms FROM ${file.table})`,
        file.params,
      );
      const { stored, timeless, first, last } = extent ?? { stored: 0, timeless: 0, first: 0, last: 0 };
      const wrong = (what: string) => new AppError('invalid_reference', `${path} ${what}`);
      if (stored === 0 && segment !== undefined) return { rows: 0, period: null };
      if (stored === 0)
        throw wrong('has no rows: a reference is the data the model was trained or validated on');
      if (timeless > 0)
        throw wrong(
          `has ${timeless} of ${stored} rows without a readable ${timestampColumn}: fill them, or leave the column out`,
        );
      if (first < 0 || last >= END_OF_TIME_MS)
        throw wrong(
          `has times in ${timestampColumn} outside 1970–2199: correct them, or leave the column out`,
        );

      const { columns: countable, hoursPerStatement } = await counter.plan(model);
      const columns = countable.filter(({ name }) => name !== LATENCY || file.has(name));
      const hour = timestampColumn === null ? null : `intDiv(assumeNotNull(${timeMs}), ${HOUR_MS})`;
      const source = fileSource(file, columns, hour);
      const all = { ...file.params, fromHour: 0, toHour: END_OF_TIME_MS / HOUR_MS };
      const hours = (
        await file.query<{ hour: number }>(`SELECT hour FROM (${source.hours}) ORDER BY hour`, all)
      ).map(({ hour }) => hour);
      const revision = nextRevision();
      const scope = segmentScope(`reference:${hash}`, segment);
      for (let at = 0; at < hours.length; at += hoursPerStatement) {
        const slice = hours.slice(at, at + hoursPerStatement);
        const params = { ...all, fromHour: slice[0] ?? 0, toHour: (slice.at(-1) ?? 0) + 1 };
        await counter.count({
          scope,
          model,
          source,
          params,
          hours: slice,
          revision,
          columns,
        });
        if (hasPerformance(file))
          await countReferencePerformance(client, file, {
            scope,
            model,
            positiveClass,
            hourOfRow: hour,
            hours: slice,
            params,
            revision,
          });
      }
      return { rows: stored, period: timestampColumn === null ? null : { startMs: first, endMs: last + 1 } };
    },

    treatFile: (input) => treatFile(client, input),

    async readRows(path, columns, timestampColumn, limit) {
      const file = await openReferenceFile(client, path);
      const values = columns.map((column) => (isNumeric(column) ? file.number(column) : file.text(column)));
      const timeMs = timestampColumn === null ? 'NULL' : file.timeMs(timestampColumn);
      // Rows are numbered in the file's order, on one thread: the sample is the same each time.
      const rows = await file.query<{ cells: (number | string | null)[]; ms: number | null }>(
        `SELECT cells, ms
         FROM (SELECT tuple(${values.join(', ')}) AS cells, ${timeMs} AS ms, rowNumberInAllBlocks() AS number FROM ${file.table})
         ORDER BY sipHash64(number), number LIMIT {limit:UInt64}
         SETTINGS max_threads = 1, input_format_parallel_parsing = 0, input_format_parquet_preserve_order = 1`,
        { ...file.params, limit },
      );
      return rows.map(({ cells, ms }) => ({
        values: cells.map((cell, index) => cellOf(cell, columns[index])),
        timestampMs: ms,
      }));
    },
  };
}

/** The rows that have one value of a categorical feature, as a file. */
function segmentOf(file: ReferenceFile, { column, value }: Segment): ReferenceFile {
  const text = file.text({ name: column, kind: 'categorical' });
  return {
    ...file,
    // Without the setting the engine moves several filters into the reading of Parquet and then misses their columns (error 10).
    table: `(SELECT * FROM ${file.table} WHERE ${text} = {segmentValue:String} SETTINGS optimize_move_to_prewhere = 0) AS file_rows`,
    params: { ...file.params, segmentValue: value },
  };
}

const isNumeric = (column: FeatureSchema | undefined) => column?.kind === 'numeric';

function cellOf(
  cell: number | string | null,
  column: FeatureSchema | undefined,
): FeatureRow['values'][number] {
  if (cell === null || !isNumeric(column)) return cell;
  const number = float64(cell);
  return Number.isNaN(number) ? null : number;
}

/** The file's rows as values by column, for the hours in [fromHour, toHour). `hourOfRow` is null where all rows have hour 0. */
function fileSource(
  file: ReferenceFile,
  columns: readonly FeatureSchema[],
  hourOfRow: string | null,
): ProfileSource {
  const hour = hourOfRow ?? 'toInt64(0)';
  const inside = hourOfRow === null ? '' : `WHERE ${hour} >= {fromHour:Int64} AND ${hour} < {toHour:Int64}`;
  const numeric = columns.filter(isNumeric);
  const texts = columns.filter((column) => !isNumeric(column));
  const hours = `SELECT hour, count() AS rows FROM (SELECT ${hour} AS hour FROM ${file.table} ${inside}) GROUP BY hour`;
  const rows = (values: string) => `SELECT ${hour} AS hour, ${values} FROM ${file.table} ${inside}`;
  const numbers = numeric.map((column, index) => `(toUInt16(${index + 1}), ${file.number(column)})`);
  const all = {
    numbers: `SELECT hour, pair.1 AS column, pair.2 AS x
      FROM (${rows(`${pairs(numbers, 'UInt16, Float64')} AS all`)})
      ARRAY JOIN arrayFilter(pair -> NOT isNaN(pair.2), all) AS pair`,
    texts: textsSql(
      rows(
        `${pairs(
          texts.map((column) => textPair(file, column)),
          'String, Nullable(String)',
        )} AS all`,
      ),
    ),
    hours,
    // Text in a numeric column of a file is read as a number, or is missing.
    mistypes: false,
  };
  if (!file.columnar || texts.length === 0) return all;
  return {
    ...all,
    counts: (names) =>
      numeric
        .filter(({ name }) => names.includes(name))
        .map((column) =>
          columnCells(
            { table: file.table, where: inside.replace('WHERE', 'AND') },
            {
              value: file.number(column),
              hour,
              name: file.nameOf(column),
              column: names.indexOf(column.name) + 1,
            },
          ),
        )
        .join('\nUNION ALL\n'),
    texts: texts
      .map(
        (column) =>
          `SELECT hour, ${file.nameOf(column)} AS feature, assumeNotNull(value) AS x
           FROM (${rows(`${file.text(column)} AS value`)}) WHERE isNotNull(value)`,
      )
      .join('\nUNION ALL\n'),
  };
}

const textsSql = (rows: string) => `SELECT hour, pair.1 AS feature, assumeNotNull(pair.2) AS x
  FROM (${rows}) ARRAY JOIN arrayFilter(pair -> isNotNull(pair.2), all) AS pair`;

/** Names are text here, and come as parameters too. */
const textPair = (file: ReferenceFile, column: FeatureSchema) =>
  `(${file.nameOf(column)}, ${file.text(column)})`;

const pairs = (elements: readonly string[], types: string) =>
  `CAST([${elements.join(', ')}], 'Array(Tuple(${types}))')`;

async function numericGrids(file: ReferenceFile, columns: readonly FeatureSchema[]): Promise<Grid[]> {
  const grids: Grid[] = [];
  for (let at = 0; at < columns.length; at += COLUMNS_PER_READING) {
    const some = columns.slice(at, at + COLUMNS_PER_READING);
    const values = some.map((column) => file.number(column));
    const [row] = await file.query<{ points: (number | string)[][] }>(
      // Elements are picked from the sorted values by their index alone: a lambda over the 1,000 indices would copy all values for each.
      `SELECT arrayMap(pair -> if(length(pair.1) <= ${MAX_CUT_POINTS}, arraySort(pair.1),
           arrayDistinct(arrayFilter(
             (x, k) -> k = round(round(k * ${MAX_CUT_POINTS - 1} / (length(pair.2) - 1)) * (length(pair.2) - 1) / ${MAX_CUT_POINTS - 1}),
             pair.2, range(length(pair.2))))),
         [${values
           .map(
             (value) =>
               `(groupUniqArrayIf(${MAX_CUT_POINTS + 1})(${value}, isFinite(${value})), arraySort(groupArrayIf(${value}, isFinite(${value}))))`,
           )
           .join(', ')}]) AS points
       FROM ${file.table}`,
      file.params,
    );
    for (const [index, column] of some.entries()) {
      const cutPoints = (row?.points[index] ?? []).map(float64);
      // A column without a value has no cut points: nothing can be compared with it but its missing share.
      const least = cutPoints[0] ?? 0;
      grids.push({
        kind: 'numeric',
        feature: column.name,
        cutPoints,
        quantum: quantumFor(least, cutPoints.at(-1) ?? least),
      });
    }
  }
  return grids;
}

async function categoricalGrids(file: ReferenceFile, columns: readonly FeatureSchema[]): Promise<Grid[]> {
  const texts = columns.map((column) => textPair(file, column));
  const rows = await file.query<{ feature: string; categories: string[]; singletons: number }>(
    `SELECT feature, arrayMap(pair -> pair.2, groupArraySorted(${MAX_CATEGORIES})((-n, x))) AS categories,
       countIf(n = 1) / sum(n) AS singletons
     FROM (SELECT feature, x, toInt64(count()) AS n FROM (${textsSql(`SELECT 0 AS hour, ${pairs(texts, 'String, Nullable(String)')} AS all FROM ${file.table}`)})
           GROUP BY feature, x)
     GROUP BY feature`,
    file.params,
  );
  const found = new Map(rows.map((row) => [row.feature, row]));
  return columns.map(({ name }) => {
    const { categories: all, singletons: singletonShare } = found.get(name) ?? {
      categories: [],
      singletons: 0,
    };
    // Of identifiers none comes again: knowing them all would cost and tell nothing.
    const categories = singletonShare > IDENTIFIER_SHARE ? all.slice(0, MAX_HEAD) : all;
    return {
      kind: 'categorical',
      feature: name,
      categories,
      headSize: Math.min(categories.length, MAX_HEAD),
      ...(singletonShare > 0 ? { singletonShare } : {}),
    };
  });
}
