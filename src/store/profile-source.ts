import { PREDICTION, PREDICTION_PROBA } from '../domain/model.js';
import type { ProfileSource } from './profile-sql.js';

/** Hour of a row, counted from the epoch: the very expression that the projection `hours` of the table is keyed by. */
export const HOUR_OF_ROW = 'intDiv(toUnixTimestamp64Milli(ts), 3600000)';

/** Rows of one version in some hours. Parameters: model, version, fromTs, toTs, hours Array(Int64). */
const SELECTED = `model = {model:String} AND version = {version:String}
  AND ts >= {fromTs:DateTime64(3, 'UTC')} AND ts < {toTs:DateTime64(3, 'UTC')} AND ${HOUR_OF_ROW} IN {hours:Array(Int64)}`;

const COLUMNS = 'ts, identity, num, cat, prediction_num, prediction_cat, proba';

/** Stored rows and distinct identities over the selected hours. */
export const COUNT_IDENTITIES_SQL = `SELECT count() AS stored, uniqExact(identity) AS identities FROM predictions WHERE ${SELECTED}`;

const REPEATED = `SELECT identity FROM predictions WHERE ${SELECTED} GROUP BY identity HAVING count() > 1`;

/** Of rows that came twice, in spite of all, the first counts; only those are sorted. */
const FIRST_ROWS = `
  SELECT ${COLUMNS} FROM predictions WHERE ${SELECTED} AND identity NOT IN (${REPEATED})
  UNION ALL
  SELECT ${COLUMNS} FROM (
    SELECT * FROM predictions WHERE ${SELECTED} AND identity IN (${REPEATED})
    ORDER BY ingested_at, source_partition, source_offset LIMIT 1 BY identity)`;

/** The model's outputs are columns of their own: a feature that takes their names is none. */
const RESERVED = `('${PREDICTION}', '${PREDICTION_PROBA}')`;

/** Position of a column's name in numericColumns, from 1, or 0. */
const positionOf = (name: string) =>
  `transform(${name}, {numericColumns:Array(String)}, arrayMap(i -> toUInt16(i), arrayEnumerate({numericColumns:Array(String)})), toUInt16(0))`;

/** Production rows of the selected hours as a source; `repeated` says whether any identity is there twice. */
export function productionSource(repeated: boolean): ProfileSource {
  const rows = repeated ? `(${FIRST_ROWS})` : `(SELECT ${COLUMNS} FROM predictions WHERE ${SELECTED})`;
  return {
    numbers: `
      SELECT ${HOUR_OF_ROW} AS hour, ${positionOf('key')} AS column, value AS x
      FROM ${rows} ARRAY JOIN mapKeys(num) AS key, mapValues(num) AS value
      WHERE column > 0 AND key NOT IN ${RESERVED}
      UNION ALL
      SELECT ${HOUR_OF_ROW} AS hour, ${positionOf(`'${PREDICTION_PROBA}'`)} AS column, assumeNotNull(proba) AS x FROM ${rows}
      WHERE isNotNull(proba) AND column > 0
      UNION ALL
      SELECT ${HOUR_OF_ROW} AS hour, ${positionOf(`'${PREDICTION}'`)} AS column, assumeNotNull(prediction_num) AS x FROM ${rows}
      WHERE isNotNull(prediction_num) AND column > 0`,
    mistypes: true,
    texts: `
      SELECT ${HOUR_OF_ROW} AS hour, key AS feature, toString(value) AS x FROM ${rows} ARRAY JOIN mapKeys(cat) AS key, mapValues(cat) AS value
      WHERE key NOT IN ${RESERVED}
      UNION ALL
      SELECT ${HOUR_OF_ROW} AS hour, '${PREDICTION}' AS feature,
        ifNull(toString(prediction_cat), toString(assumeNotNull(prediction_num))) AS x
      FROM ${rows}
      WHERE isNotNull(prediction_cat) OR (isNotNull(prediction_num) AND has({textColumns:Array(String)}, '${PREDICTION}'))`,
    hours: `SELECT ${HOUR_OF_ROW} AS hour, ${repeated ? 'uniqExact(identity)' : 'count()'} AS rows FROM predictions
      WHERE ${SELECTED} GROUP BY hour`,
  };
}
