import type { Task } from '../domain/model.js';
import { CALIBRATION_BINS, DELAY_EDGES_MS } from '../domain/performance.js';

/** Pairs of label and predicted class that an hour keeps. */
const MAX_PAIRS = 10_000;
/** Different scores that are kept as they are: beyond so many, to the nearest multiple of one in so many. */
export const SCORE_CELLS = 65_536;
/** As scikit-learn clips probabilities: the distance from 1 to the next number. */
export const EPSILON = '2.220446049250313e-16';

/** Expression: a score's cell. */
export const coarse = (score: string) => `round(${score} * ${SCORE_CELLS}) / ${SCORE_CELLS}`;

/**
 * Predictions beside their labels, where there are any: a subquery with `hour` Int64, `labelled` UInt8, `delay` UInt8 (part of
 * DELAY_EDGES_MS), `actual` and `predicted` Nullable(String), `score` Nullable(Float64) and `positive` UInt8 (binary: P(positive) and
 * whether the label is that; several classes: P(label's class), 1), `label` and `prediction` Nullable(Float64) (regression).
 */
export type PerformanceSource = string;

/** Expression: in which part of the delays a time in ms lies. */
export const delayPart = (delayMs: string) =>
  `toUInt8(arrayCount(edge -> ${delayMs} > edge, [${DELAY_EDGES_MS.map((ms) => `toInt64(${ms})`).join(', ')}]))`;

const COLUMNS = `scope, model, version, hour, raw_rows, settings, predictions, labelled, delays, actual, predicted, pairs,
  classified, correct, coarse, scores, positives, negatives, bin_rows, bin_positives, bin_scores, moments, revision`;

/**
 * Counts a source into `performance_hours`. Parameters: scope, model, version, settings, revision, hours and rawRows (which belong to
 * each other). Sums of fractions go over sorted values, so that the same rows give the same bits in whatever order they came.
 */
export function performanceSql(source: PerformanceSource, task: Task): string {
  const losses = task === 'regression' ? errorLosses(source) : probabilityLosses(source, task);
  return `
INSERT INTO performance_hours (${COLUMNS})
SELECT {scope:String}, {model:String}, {version:String}, c.hour, transform(c.hour, {hours:Array(Int64)}, {rawRows:Array(UInt64)}, toUInt64(0)),
  {settings:String}, c.predictions, c.labelled, c.delays, c.listed.2, c.listed.3, c.listed.1, c.classified, c.correct,
  l.coarse, l.cells.1, l.cells.2, l.cells.3, l.bins.1, l.bins.2, l.bins.3, l.moments, {revision:UInt64}
FROM (${pairCounts(source, task)}) AS c LEFT JOIN (${losses}) AS l ON c.hour = l.hour`;
}

function pairCounts(source: PerformanceSource, task: Task): string {
  const [actual, predicted] =
    task === 'regression'
      ? ["CAST(NULL, 'Nullable(String)')", "CAST(NULL, 'Nullable(String)')"]
      : ['actual', 'predicted'];
  return `
  SELECT hour, sum(n) AS predictions, sumIf(n, labelled) AS labelled, sumForEach(parts) AS delays,
    sumIf(n, isNotNull(a) AND isNotNull(p)) AS classified, sumIf(n, ifNull(a = p, 0)) AS correct,
    arraySlice(arraySort(pair -> (-toInt64(pair.1), pair.2, pair.3),
      groupArrayIf((n, assumeNotNull(a), assumeNotNull(p)), isNotNull(a) AND isNotNull(p))), 1, ${MAX_PAIRS}) AS listed
  FROM (
    SELECT hour, labelled, a, p, sum(m) AS n,
      sumForEach(arrayMap(part -> if(labelled AND part = delay, m, toUInt64(0)), range(${DELAY_EDGES_MS.length + 1}))) AS parts
    FROM (SELECT hour, labelled, delay, ${actual} AS a, ${predicted} AS p, count() AS m FROM (${source})
          GROUP BY hour, labelled, delay, a, p)
    GROUP BY hour, labelled, a, p)
  GROUP BY hour`;
}

/**
 * Log loss and Brier score of probabilities, their order, and their calibration: rows to different scores, those to equal parts of
 * [0, 1], and those to hours.
 */
function probabilityLosses(source: PerformanceSource, task: 'binary' | 'multiclass'): string {
  const clipped = `least(greatest(cell.1, ${EPSILON}), 1 - ${EPSILON})`;
  const losses = {
    log: [`-log(${clipped})`, `-log(1 - ${clipped})`],
    brier: ['(1 - cell.1) * (1 - cell.1)', 'cell.1 * cell.1'],
  } as const;
  const ofBin = Object.entries(losses).map(
    ([name, [positive, negative]]) =>
      `arraySum(cell -> cell.2 * (${positive}) + cell.3 * (${negative}), exact) / rows AS ${name}_mean,
       arraySum(cell -> cell.2 * pow(${positive} - ${name}_mean, 2) + cell.3 * pow(${negative} - ${name}_mean, 2), exact) AS ${name}_m2`,
  );
  /** Of the moments at two places of a bin's tuple. */
  const moments = (mean: number, m2: number) => {
    const overall = `(arraySum(bin -> bin.2 * bin.${mean}, parts) / total)`;
    return `(total, ${overall}, arraySum(bin -> bin.${m2} + bin.2 * pow(bin.${mean} - ${overall}, 2), parts))`;
  };
  const isBinary = task === 'binary';
  const cells = `arrayFlatten(arrayMap(bin -> if(coarse, bin.10, bin.9), parts))`;
  const ofCells = [1, 2, 3].map((place) => `arrayMap(cell -> cell.${place}, kept)`).join(', ');
  const spread = (place: number) =>
    `arrayMap(number -> arraySum(bin -> if(bin.1 = number, bin.${place}, 0), parts), range(${CALIBRATION_BINS}))`;
  return `
  SELECT hour, arraySort(bin -> bin.1, groupArray((tenth, rows, hits, score_sum, log_mean, log_m2, brier_mean, brier_m2, exact, rough))) AS parts,
    arraySum(bin -> bin.2, parts) AS total,
    ${isBinary ? `arraySum(bin -> length(bin.9), parts) > ${SCORE_CELLS}` : 'false'} AS coarse,
    ${isBinary ? cells : `CAST([], 'Array(Tuple(Float64, UInt64, UInt64))')`} AS kept, (${ofCells}) AS cells,
    ${isBinary ? `(${spread(2)}, ${spread(3)}, ${spread(4)})` : '([], [], [])'} AS bins,
    [${isBinary ? `${moments(5, 6)}, ${moments(7, 8)}` : moments(5, 6)}] AS moments
  FROM (
    SELECT hour, tenth, arrayFlatten(arrayMap(part -> part.2, arraySort(part -> part.1, groupArray((place, some))))) AS exact,
      arraySort(part -> part.1, groupArray((place / ${SCORE_CELLS}, p, n))) AS rough,
      sum(p) + sum(n) AS rows, sum(p) AS hits, arraySum(cell -> cell.1 * (cell.2 + cell.3), exact) AS score_sum,
      ${ofBin.join(',\n      ')}
    FROM (
      SELECT hour, toUInt8(least(floor(score * ${CALIBRATION_BINS}), ${CALIBRATION_BINS - 1})) AS tenth, round(score * ${SCORE_CELLS}) AS place,
        arraySort(same -> same.1, groupArray((score, yes, no))) AS some, sum(yes) AS p, sum(no) AS n
      FROM (SELECT hour, assumeNotNull(score) AS score, countIf(positive) AS yes, countIf(NOT positive) AS no
            FROM (${source}) AS r WHERE labelled AND isNotNull(r.score) GROUP BY hour, score)
      GROUP BY hour, tenth, place)
    GROUP BY hour, tenth)
  GROUP BY hour`;
}

/** Errors of numbers: those that are infinite have none. */
function errorLosses(source: PerformanceSource): string {
  const values = {
    under: 'greatest(pair.1 - pair.2, 0)',
    over: 'greatest(pair.2 - pair.1, 0)',
    squared: 'pow(pair.1 - pair.2, 2)',
    percentage: 'abs(pair.1 - pair.2) / abs(pair.1)',
    label: 'pair.1',
  };
  const names = Object.keys(values);
  const pairsOf = (name: string) =>
    name === 'percentage' ? 'arrayFilter(pair -> pair.1 != 0, pairs)' : 'pairs';
  const none = "CAST([], 'Array(Float64)')";
  return `
  SELECT hour, false AS coarse, (${none}, CAST([], 'Array(UInt64)'), CAST([], 'Array(UInt64)')) AS cells,
    (CAST([], 'Array(UInt64)'), CAST([], 'Array(UInt64)'), ${none}) AS bins,
    [${names.map((name) => `(toUInt64(length(${name}_of)), ${name}_mean, arraySum(x -> pow(x - ${name}_mean, 2), ${name}_of))`).join(', ')}] AS moments
  FROM (
    SELECT hour, arraySort(groupArray((label, prediction))) AS pairs,
      ${names
        .map(
          (name) => `arrayMap(pair -> ${values[name as keyof typeof values]}, ${pairsOf(name)}) AS ${name}_of,
      if(empty(${name}_of), 0, arraySum(${name}_of) / length(${name}_of)) AS ${name}_mean`,
        )
        .join(',\n      ')}
    FROM (SELECT hour, assumeNotNull(r.label) AS label, assumeNotNull(r.prediction) AS prediction FROM (${source}) AS r
          WHERE labelled AND isFinite(r.label) AND isFinite(r.prediction))
    GROUP BY hour)`;
}
