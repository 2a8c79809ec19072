/**
 * The one way from values to cells, for production rows and reference files alike.
 *
 * A source is a subquery with one row per scored row: `hour` Int64 (hours since the epoch), `numbers`
 * Array(Tuple(String, Float64)) and `texts` Array(Tuple(String, String)), both keyed by column name, nulls left out.
 * Parameters: scope, model, version, revision, numericColumns, textColumns Array(String).
 */
export interface ProfileSource {
  readonly sql: string;
  /** Subquery with `hour`, `raw_rows` and `rows` for each hour of the source. */
  readonly hoursSql: string;
}

/** Farther than this many quanta from its cut point a value adds no more to its cell's offset: sums cannot overflow. */
const MAX_OFFSET_QUANTA = 2 ** 40;

const COLUMNS =
  'scope, model, version, granularity, bucket, feature, kind, raw_rows, rows, missing, non_finite, mistyped, ' +
  'counts, offsets, min, max, revision';

const bucketOf = (hour: string) => `fromUnixTimestamp64Milli(${hour} * 3600000, 'UTC')`;

/** Hours × columns, so that a column without a value in an hour has its profile (all missing) too. */
const frame = (source: ProfileSource, columns: string) => `
  (SELECT hour, raw_rows, rows, feature
   FROM (${source.hoursSql}) ARRAY JOIN {${columns}:Array(String)} AS feature) AS f`;

const grid = (kind: string, cells: string) => `
  (SELECT feature, cell.1 AS position, cell.2 AS value, quantum, head_size
   FROM (SELECT * FROM grids FINAL WHERE model = {model:String} AND kind = '${kind}')
   ARRAY JOIN arrayZip(arrayEnumerate(${cells}), ${cells}) AS cell)`;

/**
 * Cells of numbers: the cut point at or below a value is found by an ASOF join; cell 2i-1 (i from 1) is "equal to cut point
 * i", 2i "between it and the next", 0 "below all".
 */
export function numericProfilesSql(source: ProfileSource): string {
  return `
INSERT INTO profiles (${COLUMNS})
SELECT {scope:String}, {model:String}, {version:String}, 'hour', ${bucketOf('f.hour')}, f.feature, 'numeric', f.raw_rows, f.rows,
  f.rows - c.finite - o.non_finite - o.mistyped, o.non_finite, o.mistyped, c.counts, c.offsets,
  if(c.finite = 0, NULL, c.least), if(c.finite = 0, NULL, c.greatest), {revision:UInt64}
FROM ${frame(source, 'numericColumns')}
LEFT JOIN (
  SELECT hour, feature, sum(n) AS finite, groupArrayInsertAt(toUInt64(0))(n, cell) AS counts,
    groupArrayInsertAt(toInt64(0))(offset, cell) AS offsets, min(least) AS least, max(greatest) AS greatest
  FROM (
    SELECT v.hour AS hour, v.feature AS feature,
      toUInt32(if(g.position = 0, 0, 2 * g.position - (g.value = v.x))) AS cell,
      count() AS n, min(v.x) AS least, max(v.x) AS greatest,
      sum(toInt64(least(greatest(round((v.x - if(g.position = 0, first.value, g.value)) / first.quantum),
        toFloat64(-${MAX_OFFSET_QUANTA})), toFloat64(${MAX_OFFSET_QUANTA})))) AS offset
    FROM (SELECT hour, pair.1 AS feature, pair.2 AS x FROM (${source.sql}) ARRAY JOIN numbers AS pair
          WHERE isFinite(x) AND feature IN {numericColumns:Array(String)}) AS v
    INNER JOIN (SELECT feature, argMin(value, position) AS value, any(quantum) AS quantum FROM ${grid('numeric', 'cut_points')}
                GROUP BY feature) AS first ON v.feature = first.feature
    ASOF LEFT JOIN ${grid('numeric', 'cut_points')} AS g ON v.feature = g.feature AND v.x >= g.value
    GROUP BY hour, feature, cell)
  GROUP BY hour, feature) AS c ON f.hour = c.hour AND f.feature = c.feature
LEFT JOIN (
  SELECT hour, feature, sum(non_finite) AS non_finite, sum(mistyped) AS mistyped
  FROM (
    SELECT hour, pair.1 AS feature, toUInt64(1) AS non_finite, toUInt64(0) AS mistyped
    FROM (${source.sql}) ARRAY JOIN numbers AS pair WHERE NOT isFinite(pair.2)
    UNION ALL
    SELECT hour, pair.1 AS feature, toUInt64(0), toUInt64(1)
    FROM (${source.sql}) ARRAY JOIN texts AS pair WHERE feature IN {numericColumns:Array(String)})
  GROUP BY hour, feature) AS o ON f.hour = o.hour AND f.feature = o.feature`;
}

/** Cells of categories: the head's own, then the pooled tail, then unseen. */
export function textProfilesSql(source: ProfileSource): string {
  return `
INSERT INTO profiles (${COLUMNS})
SELECT {scope:String}, {model:String}, {version:String}, 'hour', ${bucketOf('f.hour')}, f.feature, 'categorical', f.raw_rows, f.rows,
  f.rows - c.present, 0, 0, c.counts, [], NULL, NULL, {revision:UInt64}
FROM ${frame(source, 'textColumns')}
LEFT JOIN (
  SELECT hour, feature, sum(n) AS present, groupArrayInsertAt(toUInt64(0))(n, cell) AS counts
  FROM (
    SELECT v.hour AS hour, v.feature AS feature,
      toUInt32(multiIf(g.position = 0, head.head_size + 1, g.position > head.head_size, head.head_size, g.position - 1)) AS cell,
      count() AS n
    FROM (SELECT hour, pair.1 AS feature, pair.2 AS x FROM (${source.sql}) ARRAY JOIN texts AS pair
          WHERE feature IN {textColumns:Array(String)}) AS v
    INNER JOIN (SELECT feature, head_size FROM grids FINAL WHERE model = {model:String} AND kind = 'categorical') AS head
      ON v.feature = head.feature
    LEFT JOIN ${grid('categorical', 'categories')} AS g ON v.feature = g.feature AND v.x = g.value
    GROUP BY hour, feature, cell)
  GROUP BY hour, feature) AS c ON f.hour = c.hour AND f.feature = c.feature`;
}

/** Days are the sums of their hours. */
export const DAY_PROFILES_SQL = `
INSERT INTO profiles (${COLUMNS})
SELECT scope, model, version, 'day', toDateTime64(toStartOfDay(hourly.bucket, 'UTC'), 3, 'UTC') AS day, feature, any(kind),
  sum(hourly.raw_rows), sum(hourly.rows), sum(hourly.missing), sum(hourly.non_finite), sum(hourly.mistyped),
  sumForEach(hourly.counts), sumForEach(hourly.offsets), min(hourly.min), max(hourly.max), {revision:UInt64}
FROM (SELECT * FROM profiles FINAL
      WHERE scope = {scope:String} AND model = {model:String} AND version = {version:String} AND granularity = 'hour'
        AND toUnixTimestamp64Milli(bucket) - toUnixTimestamp64Milli(bucket) % 86400000 IN {days:Array(Int64)}) AS hourly
GROUP BY scope, model, version, day, feature`;
