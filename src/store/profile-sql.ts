import { OF_VERSIONS, PLACE_OF_VERSION } from './batch.js';

/**
 * The one way from values to cells, for production rows and reference files alike.
 * Parameters of all statements: scope, revision, numericColumns, textColumns Array(String); of one version model, version.
 *
 * A source of `many` versions, each of another model, gives a `place` UInt32 (from 0, batch.ts) with every row. Parameters then: models,
 * versions Array(String), numericColumnsOf, textColumnsOf Array(Array(String)) (of each version); the columns above are those of all.
 */
export interface ProfileSource {
  readonly many?: boolean;
  /**
   * Subquery with `hour` Int64 (hours since the epoch), `column` UInt16 (position in numericColumns, from 1; grouping by numbers
   * is faster than by names) and `x` Float64 for each number that is there.
   */
  readonly numbers: string;
  /**
   * In place of `numbers`, where the columns lie apart in a file: some of the numeric columns, counted one by one (`columnCells`).
   */
  readonly counts?: (columns: readonly string[]) => string;
  /** Subquery with `hour`, `feature` and `x` String for each text that is there. */
  readonly texts: string;
  /** Whether `texts` may hold numeric columns. */
  readonly mistypes: boolean;
  /** Subquery with `hour` and `rows` for each hour that has any. */
  readonly hours: string;
}

/**
 * Farther than this many quanta from its cut point a value adds no more to its cell's offset. With 2^26 quanta to the reference's
 * range (reference-reader.ts) that is 256 ranges, and half a billion rows add up within an Int64.
 */
const MAX_OFFSET_QUANTA = 2 ** 34;

export const PROFILE_COLUMNS =
  'scope, model, version, granularity, bucket, feature, kind, rows, missing, non_finite, mistyped, counts, offsets, min, max, revision';

/** What differs between statements over one version and over many. */
export interface Span {
  /** Scope, model and version of rows whose place has this prefix. */
  readonly keysOf: (prefix: string) => string;
  readonly ofVersions: string;
  /** Makes the place of a stored row. */
  readonly placed: string;
  /** Before `hour` in a list of columns. */
  readonly place: string;
  readonly samePlace: (left: string, right: string) => string;
  readonly gridsOf: (kind: string) => string;
  /** The columns of a row's version. */
  readonly columnsOf: (columns: 'numericColumns' | 'textColumns') => string;
}

const ONE: Span = {
  keysOf: () => '{scope:String}, {model:String}, {version:String}',
  ofVersions: 'model = {model:String} AND version = {version:String}',
  placed: '',
  place: '',
  samePlace: () => '',
  gridsOf: (kind) => `(SELECT * FROM grids FINAL WHERE model = {model:String} AND kind = '${kind}')`,
  columnsOf: (columns) => `{${columns}:Array(String)}`,
};

const MANY: Span = {
  keysOf: (prefix) =>
    `{scope:String}, {models:Array(String)}[${prefix}place + 1], {versions:Array(String)}[${prefix}place + 1]`,
  ofVersions: OF_VERSIONS,
  placed: `${PLACE_OF_VERSION} AS place, `,
  place: 'place, ',
  samePlace: (left, right) => `${left}.place = ${right}.place AND `,
  gridsOf: (kind) =>
    `(SELECT *, toUInt32(indexOf({models:Array(String)}, model) - 1) AS place FROM grids FINAL
      WHERE model IN {models:Array(String)} AND kind = '${kind}')`,
  columnsOf: (columns) => `{${columns}Of:Array(Array(String))}[place + 1]`,
};

export const spanOf = ({ many }: Pick<ProfileSource, 'many'>): Span => (many === true ? MANY : ONE);

const HOUR_BUCKET = "'hour', fromUnixTimestamp64Milli(f.hour * 3600000, 'UTC')";

/** A row that comes while the statement runs may be in one part of it and not in another: counted again soon, never below 0. */
const missing = (present: string) => `toUInt64(greatest(toInt64(f.rows) - toInt64(${present}), 0))`;

const offsetSum = (x: string, base: string, quantum: string) =>
  `sum(toInt64(least(greatest(round((${x} - ${base}) / ${quantum}), -${MAX_OFFSET_QUANTA}.), ${MAX_OFFSET_QUANTA}.)))`;

/** Hours × columns, so that a column without a value in an hour has its profile (all missing) too. */
const frame = (source: ProfileSource, columns: 'numericColumns' | 'textColumns') => {
  const { place, columnsOf } = spanOf(source);
  return `(SELECT ${place}hour, rows, feature FROM (${source.hours}) ARRAY JOIN ${columnsOf(columns)} AS feature) AS f`;
};

/** One row per cut point, position from 1, and one at −∞ with position 0 that holds the first cut point as its base. */
const cutPointsOf = ({ place, gridsOf }: Span) => `
  (SELECT ${place}toUInt16(indexOf({numericColumns:Array(String)}, feature)) AS column, cell.1 AS position, cell.2 AS value,
     if(position = 0, cut_points[1], value) AS base, quantum
   FROM ${gridsOf('numeric')}
   ARRAY JOIN arrayZip(range(length(cut_points) + 1), arrayPushFront(cut_points, -inf)) AS cell)`;

/** One row per category, position from 1. */
const categoriesOf = ({ place, gridsOf }: Span) => `
  (SELECT ${place}feature, cell.1 AS position, cell.2 AS value
   FROM ${gridsOf('categorical')} ARRAY JOIN arrayZip(arrayEnumerate(categories), categories) AS cell)`;

/**
 * Cells of numbers. An ASOF join finds the cut point at or below a value: cell 2p−1 is "equal to cut point p" (from 1), 2p
 * "between it and the next", 0 "below all".
 */
export function numericProfilesSql(source: ProfileSource, counts?: string): string {
  const { keysOf, place, samePlace } = spanOf(source);
  const cells = counts === undefined ? joinedCells(source) : foundCells(counts);
  const mistyped = source.mistypes ? 'm.mistyped' : 'toUInt64(0)';
  return `
INSERT INTO profiles (${PROFILE_COLUMNS})
SELECT ${keysOf('f.')}, ${HOUR_BUCKET}, f.feature, 'numeric', f.rows, ${missing(`c.finite + c.non_finite + ${mistyped}`)},
  c.non_finite, ${mistyped}, c.counts, c.offsets, if(c.finite = 0, NULL, c.low), if(c.finite = 0, NULL, c.high), {revision:UInt64}
FROM ${frame(source, 'numericColumns')}
LEFT JOIN (
  SELECT ${place}hour, {numericColumns:Array(String)}[column] AS feature,
    sumIf(n, is_finite) AS finite, sumIf(n, NOT is_finite) AS non_finite,
    groupArrayInsertAtIf(toUInt64(0))(n, cell, is_finite) AS counts,
    groupArrayInsertAtIf(toInt64(0))(offset, cell, is_finite) AS offsets,
    minIf(low, is_finite) AS low, maxIf(high, is_finite) AS high
  FROM (${cells})
  GROUP BY ${place}hour, column) AS c ON ${samePlace('f', 'c')}f.hour = c.hour AND f.feature = c.feature
${source.mistypes ? mistypedJoin(source) : ''}`;
}

function joinedCells(source: ProfileSource): string {
  const span = spanOf(source);
  const { place, samePlace } = span;
  return `
    SELECT ${place === '' ? '' : 'v.place AS place, '}v.hour AS hour, v.column AS column, v.is_finite AS is_finite,
      toUInt32(2 * g.position - (g.position > 0 AND g.base = v.x)) AS cell,
      count() AS n, min(v.x) AS low, max(v.x) AS high,
      ${offsetSum('v.x', 'g.base', 'g.quantum')} AS offset
    FROM (SELECT ${place}hour, column, isFinite(number) AS is_finite, if(is_finite, number, 0) AS x
          FROM (SELECT ${place}hour, column, x AS number FROM (${source.numbers}))) AS v
    ASOF INNER JOIN ${cutPointsOf(span)} AS g ON ${samePlace('v', 'g')}v.column = g.column AND v.x >= g.value
    GROUP BY ${place}hour, column, is_finite, cell`;
}

function mistypedJoin(source: ProfileSource): string {
  const { place, samePlace } = spanOf(source);
  return `LEFT JOIN (
  SELECT ${place}hour, feature, count() AS mistyped FROM (${source.texts}) WHERE feature IN {numericColumns:Array(String)}
  GROUP BY ${place}hour, feature) AS m ON ${samePlace('f', 'm')}f.hour = m.hour AND f.feature = m.feature`;
}

/**
 * Counts of one column of a file by the cut point at or below its values, for `numericProfilesSql` to find the cells of. A search in
 * constant cut points and few groups: a third of the work of the join, which must take every column at once. The engine plans a
 * statement of many such columns longer than it runs it, hence one level, one use of the cut points, and scalars that all share.
 * `value` and `hour` are expressions over `rows`, Float64 (NaN where missing) and Int64; `name` is one, too, `column` its number.
 */
export function columnCells(
  rows: { readonly table: string; readonly where: string },
  { value, hour, name, column }: { value: string; hour: string; name: string; column: number },
): string {
  return `
    (WITH ${value} AS x, isFinite(x) AS is_finite, if(is_finite, x, 0) AS v, roundDown(v, ${gridScalar(CUT_POINTS_OR_INF)}[${name}]) AS base
     SELECT ${hour} AS hour, toUInt16(${column}) AS column, is_finite, base, toUInt8((v >= base) + (v > base)) AS side,
       count() AS n, min(v) AS low, max(v) AS high, ${offsetSum('v', 'base', `${gridScalar('quantum')}[${name}]`)} AS offset
     FROM ${rows.table} WHERE NOT isNaN(x) ${rows.where}
     GROUP BY hour, is_finite, base, side)`;
}

/** Without a cut point all is below the first. */
const CUT_POINTS_OR_INF = 'if(empty(cut_points), [inf], cut_points)';

/** What the columns' grids say, by column: the same text wherever it stands, so that the engine reads it once in a statement. */
const gridScalar = (value: string) =>
  `(SELECT mapFromArrays(groupArray(feature), groupArray(${value})) FROM ${ONE.gridsOf('numeric')} WHERE feature IN {numericColumns:Array(String)})`;

/** Of the counts that `columnCells` gives, joined: the cell of each. */
const foundCells = (counts: string) => `
    SELECT v.hour AS hour, v.column AS column, v.is_finite AS is_finite,
      toUInt32(if(v.side = 0, 0, 2 * g.position - (v.side = 1))) AS cell,
      v.n AS n, v.low AS low, v.high AS high, v.offset AS offset
    FROM (${counts}) AS v
    LEFT JOIN (SELECT * FROM ${cutPointsOf(ONE)} WHERE position > 0) AS g ON v.column = g.column AND v.base = g.value`;

/** Cells of categories: the head's own, then the pooled tail, then unseen. */
export function textProfilesSql(source: ProfileSource): string {
  const span = spanOf(source);
  const { keysOf, place, samePlace } = span;
  return `
INSERT INTO profiles (${PROFILE_COLUMNS})
SELECT ${keysOf('f.')}, ${HOUR_BUCKET}, f.feature, 'categorical', f.rows, ${missing('c.present')},
  0, 0, c.counts, [], NULL, NULL, {revision:UInt64}
FROM ${frame(source, 'textColumns')}
LEFT JOIN (
  SELECT ${place}hour, feature, sum(n) AS present, groupArrayInsertAt(toUInt64(0))(n, cell) AS counts
  FROM (
    SELECT ${place === '' ? '' : 'v.place AS place, '}v.hour AS hour, v.feature AS feature, sum(v.n) AS n,
      toUInt32(multiIf(c.position = 0, g.head_size + 1, c.position > g.head_size, g.head_size, c.position - 1)) AS cell
    FROM (SELECT ${place}hour, feature, x, count() AS n FROM (${source.texts})
          WHERE feature IN {textColumns:Array(String)} GROUP BY ${place}hour, feature, x) AS v
    INNER JOIN ${span.gridsOf('categorical')} AS g ON ${samePlace('v', 'g')}v.feature = g.feature
    LEFT JOIN ${categoriesOf(span)} AS c ON ${samePlace('v', 'c')}v.feature = c.feature AND v.x = c.value
    GROUP BY ${place}hour, feature, cell)
  GROUP BY ${place}hour, feature) AS c ON ${samePlace('f', 'c')}f.hour = c.hour AND f.feature = c.feature`;
}

const dayProfiles = ({ keysOf, place, ofVersions, placed }: Span, also: string) => `
INSERT INTO profiles (${PROFILE_COLUMNS})
SELECT ${keysOf('')}, 'day', fromUnixTimestamp64Milli(day * 86400000, 'UTC'), feature, any(h.kind), sum(h.rows), sum(h.missing),
  sum(h.non_finite), sum(h.mistyped), sumForEach(h.counts), sumForEach(h.offsets), min(h.min), max(h.max), {revision:UInt64}
FROM (SELECT *, ${placed}intDiv(toUnixTimestamp64Milli(bucket), 86400000) AS day FROM profiles FINAL
      WHERE scope = {scope:String} AND ${ofVersions} AND granularity = 'hour'
        AND bucket >= {fromTs:DateTime64(3, 'UTC')} AND bucket < {toTs:DateTime64(3, 'UTC')} AND day IN {days:Array(Int64)} ${also}) AS h
GROUP BY ${place}day, feature`;

/** Days are the sums of their hours. Parameters also: days Array(Int64) (days since the epoch, ascending), fromTs, toTs. */
export const DAY_PROFILES_SQL = dayProfiles(ONE, '');
/** For some columns. Parameters also: columns Array(String). */
export const dayProfilesSql = (source: Pick<ProfileSource, 'many'>) =>
  dayProfiles(spanOf(source), 'AND feature IN {columns:Array(String)}');
