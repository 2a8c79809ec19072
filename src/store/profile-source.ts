import { LABEL, LATENCY, type ModelSchema, PREDICTION, PREDICTION_PROBA } from '../domain/model.js';
import { type ProfileSource, type Span, spanOf } from './profile-sql.js';
import { ageSeconds, timeOfNumber } from './reference-file.js';

/** Hour of a row, counted from the epoch: the very expression that the projection `hours` of the table is keyed by. */
export const HOUR_OF_ROW = 'intDiv(toUnixTimestamp64Milli(ts), 3600000)';

/** Rows of a statement's versions in some hours. */
export const rowsOfHours = ({ ofVersions }: Span) => `${ofVersions}
  AND ts >= {fromTs:DateTime64(3, 'UTC')} AND ts < {toTs:DateTime64(3, 'UTC')} AND ${HOUR_OF_ROW} IN {hours:Array(Int64)}`;

const COLUMNS =
  'ts, identity, num, cat, prediction_num, prediction_cat, proba, probas, latency_ms, ingested_at, source_partition, source_offset';

/** Rows of one version in some hours. Parameters: model, version, fromTs, toTs, hours Array(Int64). */
export const PREDICTION_ROWS = rowsOfHours(spanOf({}));

/** Stored rows and distinct identities over the selected hours. Parameters: those of the source, but for its columns. */
export const countIdentitiesSql = (source: Pick<ProfileSource, 'many'>) =>
  `SELECT count() AS stored, uniqExact(identity) AS identities FROM predictions WHERE ${rowsOfHours(spanOf(source))}`;
export const COUNT_IDENTITIES_SQL = countIdentitiesSql({});

/** The rows of a statement's versions in its hours, as subqueries; `repeated` says whether any identity is there twice. */
function readRows(span: Span, repeated: boolean) {
  const { placed, place } = span;
  const where = rowsOfHours(span);
  const again = `SELECT identity FROM predictions WHERE ${where} GROUP BY identity HAVING count() > 1`;
  // Of rows that came twice, in spite of all, the first counts; only those are sorted.
  const first = `
  SELECT ${placed}${COLUMNS} FROM predictions WHERE ${where} AND identity NOT IN (${again})
  UNION ALL
  SELECT ${placed}${COLUMNS} FROM predictions WHERE ${where} AND identity IN (${again})
  ORDER BY ingested_at, source_partition, source_offset LIMIT 1 BY identity`;
  return {
    where,
    rows: repeated ? `(${first})` : `(SELECT ${placed}${COLUMNS} FROM predictions WHERE ${where})`,
    hours: `SELECT ${placed}${HOUR_OF_ROW} AS hour, ${repeated ? 'uniqExact(identity)' : 'count()'} AS rows FROM predictions
      WHERE ${where} GROUP BY ${place}hour`,
  };
}

/** These are columns of their own: a feature that takes their names is none. */
const RESERVED = `('${[PREDICTION, PREDICTION_PROBA, LABEL, LATENCY].join("', '")}')`;

/** Position of a column's name in numericColumns, from 1, or 0. */
const positionOf = (name: string) =>
  `transform(${name}, {numericColumns:Array(String)}, arrayMap(i -> toUInt16(i), arrayEnumerate({numericColumns:Array(String)})), toUInt16(0))`;

/** A class as text, whatever it was sent as. */
const classOf = (column: 'prediction' | 'label') =>
  `ifNull(toString(${column}_cat), toString(assumeNotNull(${column}_num)))`;

/** Expression: the positive class's probability, or of several classes the predicted one's. */
export const SCORE_OF_ROW = `if(isNull(proba) AND mapContains(probas, ${classOf('prediction')}), probas[${classOf('prediction')}], proba)`;

/** Numbers and texts of the model's times, as ages. Parameter: timeColumns Array(String), which no other values may come from. */
const ages = (rows: string, map: 'num' | 'cat', timeMs: string) => `
      UNION ALL
      SELECT hour, column, assumeNotNull(age) AS x
      FROM (SELECT ${HOUR_OF_ROW} AS hour, ${positionOf('key')} AS column, ${ageSeconds('toUnixTimestamp64Milli(ts)', timeMs)} AS age
            FROM ${rows} ARRAY JOIN mapKeys(${map}) AS key, mapValues(${map}) AS value
            WHERE key IN {timeColumns:Array(String)})
      WHERE isNotNull(age)`;
const TIME_OF_TEXT = `toNullable(toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull(toString(value), 3, 'UTC')))`;

/**
 * Production rows of the selected hours as a source, without their labels; `repeated` says whether any identity is there twice. Of many
 * versions, all are of the schema's task and none has times. Parameters: fromTs, toTs, hours Array(Int64), timeColumns.
 */
export function productionSource(
  repeated: boolean,
  schema: Pick<ModelSchema, 'task' | 'features'>,
  many = false,
): ProfileSource {
  const span = spanOf({ many });
  const { place } = span;
  const { rows, hours } = readRows(span, repeated);
  const single = (name: string, value: string) => `
      UNION ALL
      SELECT ${place}${HOUR_OF_ROW} AS hour, ${positionOf(`'${name}'`)} AS column, assumeNotNull(${value}) AS x FROM ${rows}
      WHERE isNotNull(${value}) AND column > 0`;
  const hasTimes = schema.features.some((feature) => feature.time === true);
  const notTimes = hasTimes ? 'AND key NOT IN {timeColumns:Array(String)}' : '';
  return {
    many,
    numbers: `
      SELECT ${place}${HOUR_OF_ROW} AS hour, ${positionOf('key')} AS column, value AS x
      FROM ${rows} ARRAY JOIN mapKeys(num) AS key, mapValues(num) AS value
      WHERE column > 0 AND key NOT IN ${RESERVED} ${notTimes}
      ${hasTimes ? ages(rows, 'num', timeOfNumber('value')) + ages(rows, 'cat', TIME_OF_TEXT) : ''}
      ${single(PREDICTION_PROBA, schema.task === 'multiclass' ? SCORE_OF_ROW : 'proba')}
      ${single(LATENCY, 'latency_ms')}
      ${single(PREDICTION, 'prediction_num')}`,
    mistypes: true,
    texts: `
      SELECT ${place}${HOUR_OF_ROW} AS hour, key AS feature, toString(value) AS x FROM ${rows} ARRAY JOIN mapKeys(cat) AS key, mapValues(cat) AS value
      WHERE key NOT IN ${RESERVED}
        ${hasTimes ? `AND NOT (key IN {timeColumns:Array(String)} AND isNotNull(${TIME_OF_TEXT}))` : ''}
      UNION ALL
      SELECT ${place}${HOUR_OF_ROW} AS hour, '${PREDICTION}' AS feature, ${classOf('prediction')} AS x
      FROM ${rows}
      WHERE isNotNull(prediction_cat) OR (isNotNull(prediction_num) AND has(${span.columnsOf('textColumns')}, '${PREDICTION}'))`,
    hours,
  };
}

/**
 * The labels of the selected hours' rows as a source of one column: of several for one row the last by its own time counts, then
 * the last to arrive. Rows without a label have none: they count as missing.
 */
export function labelSource(repeated: boolean, many = false): ProfileSource {
  const span = spanOf({ many });
  const { place } = span;
  const { where, rows, hours } = readRows(span, repeated);
  const labels = `
      SELECT ${place}${HOUR_OF_ROW} AS hour, l.label.1 AS label_num, l.label.2 AS label_cat
      FROM (SELECT DISTINCT ${place}ts, identity FROM ${rows}) AS p
      INNER JOIN (
        SELECT identity, argMax((label_num, label_cat), (labels.ts, labels.ingested_at, fingerprint)) AS label FROM labels
        WHERE ${span.ofVersions} AND identity IN (SELECT identity FROM predictions WHERE ${where})
        GROUP BY identity) AS l ON p.identity = l.identity`;
  return {
    many,
    numbers: `SELECT ${place}hour, toUInt16(1) AS column, assumeNotNull(label_num) AS x FROM (${labels}) WHERE isNotNull(label_num)`,
    mistypes: true,
    texts: `SELECT ${place}hour, '${LABEL}' AS feature, ${classOf('label')} AS x FROM (${labels})
      WHERE isNotNull(label_cat) OR has(${span.columnsOf('textColumns')}, '${LABEL}')`,
    hours,
  };
}

/** Ten minutes of a label's arrival: the very expression that the projection `arrivals` of the table is keyed by. */
export const ARRIVAL = 'intDiv(toUnixTimestamp64Milli(ingested_at), 600000)';

/** Per version, arrivals with more stored labels than counted ones. */
export const UNCOUNTED_LABELS_SQL = `
  SELECT s.model AS model, s.version AS version, groupArray((s.arrival, s.stored)) AS arrivals
  FROM (SELECT model, version, ${ARRIVAL} AS arrival, count() AS stored FROM labels GROUP BY model, version, arrival) AS s
  LEFT JOIN (SELECT model, version, arrival, argMax(labels, revision) AS counted FROM counted_labels
             GROUP BY model, version, arrival) AS c
    ON s.model = c.model AND s.version = c.version AND s.arrival = c.arrival
  WHERE s.stored > c.counted
  GROUP BY model, version ORDER BY model, version`;

/** Hours of the predictions that some arrivals' labels belong to. Parameters: model, version, arrivals Array(Int64). */
export const HOURS_OF_LABELS_SQL = `
  SELECT DISTINCT ${HOUR_OF_ROW} AS hour FROM predictions
  WHERE model = {model:String} AND version = {version:String} AND identity IN (
    SELECT identity FROM labels
    WHERE model = {model:String} AND version = {version:String} AND ${ARRIVAL} IN {arrivals:Array(Int64)})`;
