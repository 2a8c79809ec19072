import { MODEL_ROWS } from './panels.js';

// Macros of the ClickHouse data source: $__timeFilter(column) keeps the dashboard's time range, $__interval_s is the width
// of a point in seconds. A window's verdicts are those of its greatest revision; its volume may have been revised alone.

const NEWEST_REVISION = `(window_start, window_end, detector = 'volume', revision) IN (
  SELECT window_start, window_end, detector = 'volume' AS alone, max(revision) FROM verdicts
  WHERE ${MODEL_ROWS} AND $__timeFilter(window_end) GROUP BY window_start, window_end, alone
)`;

export const HEATMAP = `SELECT
  window_end AS time,
  feature,
  max(multiIf(status = 'drifted' AND material, 1, status = 'undecided', -1, 0)) AS status
FROM verdicts
WHERE ${MODEL_ROWS} AND role = 'primary' AND feature != '' AND $__timeFilter(window_end) AND ${NEWEST_REVISION}
GROUP BY time, feature
ORDER BY time, feature`;

export const LAST_VERDICTS = `SELECT window_end, feature, detector, status, material, statistic, threshold, effect, adjusted_p_value, reason
FROM verdicts
WHERE ${MODEL_ROWS} AND ${NEWEST_REVISION}
  AND window_end = (SELECT max(window_end) FROM verdicts WHERE ${MODEL_ROWS} AND $__timeFilter(window_end))
ORDER BY status = 'drifted' AND material DESC, status = 'drifted' DESC, effect DESC, feature, detector`;

export const EPISODES = `SELECT
  opened_at,
  category,
  JSONExtractString(body, 'severity') AS severity,
  state,
  arrayStringConcat(arrayDistinct(JSONExtract(body, 'drivers', 'Array(Tuple(feature String))').feature), ', ') AS columns
FROM episodes FINAL
WHERE ${MODEL_ROWS}
ORDER BY opened_at DESC
LIMIT 50`;

/** Numbers below ten digits read as they were sent: a class may be called 0 or 1. */
const CLASS = 'ifNull(prediction_cat, toString(prediction_num))';
const POINT = 'toStartOfInterval(ts, toIntervalSecond(greatest($__interval_s, 3600)))';

export const CLASS_SHARES = `WITH frequent AS (
  SELECT ${CLASS} AS class FROM predictions
  WHERE ${MODEL_ROWS} AND $__timeFilter(ts) AND class IS NOT NULL GROUP BY class ORDER BY count() DESC, class LIMIT 10
)
SELECT
  time,
  class,
  rows / sum(rows) OVER (PARTITION BY time) AS share
FROM (
  SELECT ${POINT} AS time, if(${CLASS} IN (SELECT class FROM frequent), ${CLASS}, 'other') AS class, count() AS rows
  FROM predictions
  WHERE ${MODEL_ROWS} AND $__timeFilter(ts) AND ${CLASS} IS NOT NULL
  GROUP BY time, class
)
ORDER BY time, class`;

export const PREDICTION_QUANTILES = `SELECT
  time,
  'decile ' || toString(tupleElement(pair, 1)) AS decile,
  tupleElement(pair, 2) AS value
FROM (
  SELECT ${POINT} AS time, quantiles(0.1, 0.5, 0.9)(coalesce(proba, prediction_num)) AS q
  FROM predictions
  WHERE ${MODEL_ROWS} AND $__timeFilter(ts) AND coalesce(proba, prediction_num) IS NOT NULL
  GROUP BY time
)
ARRAY JOIN arrayZip([1, 5, 9], q) AS pair
ORDER BY time, decile`;

export const PROBABILITY_HISTOGRAM = `SELECT toString(least(floor(assumeNotNull(proba) * 20), 19) / 20) AS probability, count() AS rows
FROM predictions
WHERE ${MODEL_ROWS} AND $__timeFilter(ts) AND proba IS NOT NULL
GROUP BY probability
ORDER BY probability`;

export const ACCURACY = `SELECT
  toStartOfDay(said.ts) AS time,
  'accuracy' AS metric,
  avg(said.class = truth.class) AS value
FROM (
  SELECT identity, ts, ${CLASS} AS class FROM predictions
  WHERE ${MODEL_ROWS} AND $__timeFilter(ts)
) AS said
INNER JOIN (
  SELECT identity, argMax(ifNull(label_cat, toString(label_num)), labels.ts) AS class FROM labels
  WHERE ${MODEL_ROWS} GROUP BY identity
) AS truth ON said.identity = truth.identity
WHERE said.class IS NOT NULL AND truth.class IS NOT NULL
GROUP BY time
ORDER BY time`;
