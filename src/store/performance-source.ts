import type { Task } from '../domain/model.js';
import { delayPart, type PerformanceSource } from './performance-sql.js';
import { ARRIVAL, HOUR_OF_ROW, PREDICTION_ROWS } from './profile-source.js';

const OF_VERSION = 'model = {model:String} AND version = {version:String}';
/** Kept rows of one version in some hours. Parameters: model, version, hours Array(Int64). */
const SELECTED = `${OF_VERSION} AND hour IN {hours:Array(Int64)}`;

/** A class as text, whatever it was sent as: 1 and `1` are one class. */
const classOf = (text: string, number: string) => `ifNull(toString(${text}), toString(${number}))`;

/** Expression: the request that a row names; empty for none. */
const NAMED_REQUEST = `if({requestTag:String} != '', tags[{requestTag:String}],
    if(startsWith(prediction_id, {requestPrefix:String}) AND endsWith(prediction_id, {requestSuffix:String})
        AND length(prediction_id) > length({requestPrefix:String}) + length({requestSuffix:String}),
      substring(prediction_id, length({requestPrefix:String}) + 1,
        length(prediction_id) - length({requestPrefix:String}) - length({requestSuffix:String})), ''))`;
/**
 * Expression: its hash, 0 for none. Stored in tables: it must never change. Parameters: requestTag, requestPrefix, requestSuffix, of which
 * the tag is empty where the prediction id names the request.
 */
const REQUEST_OF_ROW = `if(${NAMED_REQUEST} = '', toUInt64(0), greatest(toUInt64(1), sipHash64(${NAMED_REQUEST}, row_index)))`;

/**
 * Rows that are kept when their features have gone: of the hours' predictions those not kept yet. Of predictions that came twice, in
 * spite of all (`repeated`), the first one. Parameters: model, version, hours, fromTs, toTs, segmentTags and segmentFeatures
 * Array(String), and those of the request.
 */
export const keepRowsSql = (repeated: boolean) => `
  INSERT INTO performance_rows (model, version, hour, identity, request, ts, prediction_num, prediction_cat, proba, probas, segments)
  SELECT model, version, ${HOUR_OF_ROW} AS hour, identity, ${REQUEST_OF_ROW} AS request, ts, prediction_num, prediction_cat, proba, probas,
    CAST(arrayConcat(
      arrayMap(tag -> (concat('tags.', tag), tags[tag]), arrayFilter(tag -> mapContains(tags, tag), {segmentTags:Array(String)})),
      arrayMap(name -> (name, toString(cat[name])), arrayFilter(name -> mapContains(cat, name), {segmentFeatures:Array(String)}))),
      'Map(String, String)')
  FROM predictions
  WHERE ${PREDICTION_ROWS} AND identity NOT IN (SELECT identity FROM performance_rows WHERE ${SELECTED})
  ${repeated ? 'ORDER BY ingested_at, source_partition, source_offset LIMIT 1 BY identity' : ''}`;

/** How many rows of each hour are kept. */
export const KEPT_ROWS_SQL = `SELECT hour, count() AS stored FROM performance_rows WHERE ${SELECTED} GROUP BY hour ORDER BY hour`;

/** Hours with more counted predictions than were measured, or measured with other settings. Parameters also: settings. */
export const UNMEASURED_HOURS_SQL = `
  SELECT p.hour AS hour, p.stored AS stored
  FROM (SELECT hour, argMax(raw_rows, revision) AS stored FROM profiled_hours WHERE ${OF_VERSION} GROUP BY hour) AS p
  LEFT JOIN (SELECT hour, argMax((raw_rows, toString(settings)), revision) AS last FROM performance_hours
             WHERE scope = {scope:String} AND ${OF_VERSION} GROUP BY hour) AS h ON p.hour = h.hour
  WHERE p.stored > h.last.1 OR h.last.2 != {settings:String} ORDER BY hour`;

/** Arrivals of a version's labels that hold more than were measured, in one row; none where all were. */
export const UNMEASURED_LABELS_SQL = `
  SELECT groupArray((s.arrival, s.stored)) AS arrivals
  FROM (SELECT model, version, ${ARRIVAL} AS arrival, count() AS stored FROM labels WHERE ${OF_VERSION}
        GROUP BY model, version, arrival) AS s
  LEFT JOIN (SELECT arrival, argMax(labels, revision) AS counted FROM measured_labels WHERE ${OF_VERSION} GROUP BY arrival) AS c
    ON s.arrival = c.arrival
  WHERE s.stored > c.counted`;

/**
 * Hours of the kept rows that some arrivals' labels belong to. Parameters: model, version, arrivals Array(Int64). Identities lie anywhere
 * within an hour, so the index skips nothing: asking it took 7 GB and minutes for ten million labels.
 */
export const HOURS_OF_LABELS_SQL = `
  SELECT DISTINCT hour FROM performance_rows
  WHERE ${OF_VERSION} AND identity IN (SELECT identity FROM labels WHERE ${OF_VERSION} AND ${ARRIVAL} IN {arrivals:Array(Int64)})
  ORDER BY hour SETTINGS use_index_for_in_with_subqueries = 0`;

/** What the whole traffic of some hours was counted to be, in one number. */
export const HOUR_DIGESTS_SQL = `
  SELECT hour, predictions, labelled,
    toString(sipHash64(arrayZip(actual, predicted, pairs), arrayZip(scores, positives, negatives), moments)) AS digest
  FROM performance_hours FINAL WHERE scope = {scope:String} AND ${SELECTED} AND predictions > 0 ORDER BY hour`;

/** Rows that were counted in some hours of the profiles. */
export const RAW_ROWS_SQL = `
  SELECT hour, argMax(raw_rows, revision) AS stored FROM profiled_hours WHERE ${SELECTED} GROUP BY hour ORDER BY hour`;

/** Which of a version's kept rows are told, as an SQL condition, and the parameter that names the version. */
export interface PairedRows {
  readonly version: string;
  readonly where: string;
}

/** Rows of the hours of a statement that counts hours, of all traffic or of a segment (parameters segmentColumn, segmentValue). */
export const rowsOfHours = (ofSegment: boolean): PairedRows => ({
  version: 'version',
  where: `hour IN {hours:Array(Int64)}${
    ofSegment
      ? ' AND mapContains(segments, {segmentColumn:String}) AND segments[{segmentColumn:String}] = {segmentValue:String}'
      : ''
  }`,
});

/**
 * Kept rows beside their labels: of several labels the last by its own time counts, then the last to arrive; how long labels take is
 * told by the first. Beside what a `PerformanceSource` has: `request`. Parameters: model, the version, positiveClass.
 */
export function productionPairs(task: Task, { version, where }: PairedRows): PerformanceSource {
  const ofVersion = `model = {model:String} AND version = {${version}:String}`;
  const actual = classOf('l.label.2', 'l.label.1');
  const score =
    task === 'multiclass'
      ? `if(empty(r.probas), NULL, toNullable(r.probas[assumeNotNull(${actual})]))`
      : 'r.proba';
  return `
    SELECT r.hour AS hour, r.request AS request, toUInt8(l.found) AS labelled,
      ${delayPart('toInt64(l.first_ms - toUnixTimestamp64Milli(r.ts))')} AS delay,
      if(labelled, ${actual}, NULL) AS actual, ${classOf('r.prediction_cat', 'r.prediction_num')} AS predicted,
      ${score} AS score, ${task === 'multiclass' ? 'toUInt8(1)' : `toUInt8(ifNull(${actual} = {positiveClass:String}, 0))`} AS positive,
      l.label.1 AS label, r.prediction_num AS prediction
    FROM (SELECT * FROM performance_rows WHERE ${ofVersion} AND ${where}) AS r
    LEFT JOIN (
      SELECT identity, 1 AS found, min(toUnixTimestamp64Milli(labels.ts)) AS first_ms,
        argMax((label_num, label_cat), (labels.ts, labels.ingested_at, fingerprint)) AS label
      FROM labels
      WHERE ${ofVersion} AND identity IN (SELECT identity FROM performance_rows WHERE ${ofVersion} AND ${where})
      GROUP BY identity) AS l ON r.identity = l.identity`;
}
