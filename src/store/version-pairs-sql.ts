import type { Task } from '../domain/model.js';
import { productionPairs } from './performance-source.js';
import { EPSILON } from './performance-sql.js';

/** Parameters of all statements: model, champion, challenger, fromHour, toHour; of those that match also `parts` and `part`. */
const IN_PERIOD = 'hour >= {fromHour:Int64} AND hour < {toHour:Int64}';
export type Side = 'champion' | 'challenger';

/** What a version's rows of the period name. Parameter also: version. */
export const NAMED_REQUESTS_SQL = `
  SELECT sum(c) AS predictions, sumIf(c, request = 0) AS unnamed, sumIf(c, request != 0 AND c > 1) AS ambiguous
  FROM (SELECT request, count() AS c FROM performance_rows
        WHERE model = {model:String} AND version = {version:String} AND ${IN_PERIOD} GROUP BY request)`;

/** A version's rows that name a request which no other of its rows names. */
function answers(task: Task, side: Side): string {
  const rows = productionPairs(task, {
    version: side,
    where: `${IN_PERIOD} AND request != 0 AND request % {parts:UInt32} = {part:UInt32}`,
  });
  const columns = ['hour', 'labelled', 'actual', 'predicted', 'score', 'positive', 'label', 'prediction'];
  return `SELECT request, ${columns.map((name) => `any(pairs.${name}) AS ${name}`).join(', ')}
    FROM (${rows}) AS pairs GROUP BY request HAVING count() = 1`;
}

/** Expressions of a side's row for the figures of a task, in their order; null where the row has none. */
function rowFigures(task: Task, side: Side): string[] {
  const of = (column: string) => `${side}_rows.${column}`;
  const hit = `toFloat64(${of('actual')} = ${of('predicted')})`;
  const chance = `least(greatest(${of('score')}, ${EPSILON}), 1 - ${EPSILON})`;
  const logLoss = `if(${of('positive')}, -log(${chance}), -log(1 - ${chance}))`;
  const error = `${of('label')} - ${of('prediction')}`;
  const finite = (value: string) => `if(isFinite(${error}), ${value}, NULL)`;
  switch (task) {
    case 'binary':
      return [hit, logLoss, `pow(toFloat64(${of('positive')}) - ${of('score')}, 2)`];
    case 'multiclass':
      return [hit, logLoss];
    case 'regression':
      return [finite(`abs(${error})`), finite(`pow(${error}, 2)`)];
  }
}

/** Requests that both sides answered: `hour`, what both predicted, and where both have the same label the figures of each. */
function matched(task: Task): string {
  const isNumber = task === 'regression';
  const same = isNumber
    ? 'champion_rows.label = challenger_rows.label'
    : 'champion_rows.actual = challenger_rows.actual';
  const champion = rowFigures(task, 'champion');
  const challenger = rowFigures(task, 'challenger');
  const value = isNumber ? 'prediction' : 'score';
  const distance =
    task === 'multiclass'
      ? "CAST(NULL, 'Nullable(Float64)')"
      : `abs(challenger_rows.${value} - champion_rows.${value})`;
  return `
    SELECT champion_rows.hour AS hour, champion_rows.labelled AND challenger_rows.labelled AS both,
      both AND ifNull(${same}, 0) AS agreed, champion_rows.positive AS positive,
      champion_rows.score AS s1, challenger_rows.score AS s2,
      ${isNumber ? "CAST(NULL, 'Nullable(String)')" : 'champion_rows.predicted'} AS p1,
      ${isNumber ? "CAST(NULL, 'Nullable(String)')" : 'challenger_rows.predicted'} AS p2, ${distance} AS apart,
      [${champion.map((one, i) => `if(agreed, (${one}, ${challenger[i]}), (NULL, NULL))`).join(',\n       ')}] AS figures
    FROM (${answers(task, 'champion')}) AS champion_rows INNER JOIN (${answers(task, 'challenger')}) AS challenger_rows USING (request)`;
}

/**
 * Matched requests per hour. Sums of fractions go over sorted values, so that the same rows give the same bits in whatever order they
 * came.
 */
export function matchedHoursSql(task: Task): string {
  const count = task === 'multiclass' ? 2 : task === 'binary' ? 3 : 2;
  const places = Array.from({ length: count }, (_, i) => i + 1);
  const both = (at: number) => `isNotNull(figures[${at}].1) AND isNotNull(figures[${at}].2)`;
  const values = (at: number) =>
    `arraySort(groupArrayIf((ifNull(figures[${at}].2, 0) - ifNull(figures[${at}].1, 0), ifNull(figures[${at}].1, 0), ifNull(figures[${at}].2, 0)), ${both(at)})) AS of_${at}`;
  const mean = (at: number, place: number) =>
    `if(empty(of_${at}), 0, arraySum(one -> one.${place}, of_${at}) / length(of_${at}))`;
  const moments = (at: number) =>
    `(${mean(at, 2)}, ${mean(at, 3)}, toFloat64(length(of_${at})), ${mean(at, 1)} AS mean_${at},
      arraySum(one -> pow(one.1 - mean_${at}, 2), of_${at}), toFloat64(arrayCount(one -> one.1 != 0, of_${at})))`;
  return `
  SELECT hour, requests, classified, classes.1 AS class_names, classes.2 AS class_rows, labelled, conflicting,
    (toFloat64(length(apart_of)), if(empty(apart_of), 0, arraySum(apart_of) / length(apart_of)) AS apart_mean,
      arraySum(x -> pow(x - apart_mean, 2), apart_of)) AS distance,
    [${places.map(moments).join(',\n     ')}] AS moments
  FROM (
    SELECT hour, count() AS requests, countIf(isNotNull(p1) AND isNotNull(p2)) AS classified,
      sumMapIf([(ifNull(p1, ''), ifNull(p2, ''))], [toUInt64(1)], isNotNull(p1) AND isNotNull(p2)) AS classes,
      countIf(both) AS labelled, countIf(both AND NOT agreed) AS conflicting,
      arraySort(groupArrayIf(assumeNotNull(apart), isFinite(apart))) AS apart_of,
      ${places.map(values).join(',\n      ')}
    FROM (${matched(task)}) AS m
    GROUP BY hour)
  ORDER BY hour`;
}

/** Expression: twice the rows of the other class that a row is on the right side of, those with the same score counted once. */
const placement = (score: string, positives: string, negatives: string, positive: string) => `if(${positive},
  2 * sum(${negatives}) OVER (PARTITION BY piece ORDER BY ${score}) - sum(${negatives}) OVER (PARTITION BY piece, ${score}),
  2 * (sum(${positives}) OVER (PARTITION BY piece) - sum(${positives}) OVER (PARTITION BY piece ORDER BY ${score}))
    + sum(${positives}) OVER (PARTITION BY piece, ${score}))`;

const exact = (sum: string) => `toFloat64(${sum})`;

/** Placements per hour among the matched requests of each piece. All sums are of whole numbers, so exact. `piece`: of an hour. */
export function matchedPlacementsSql(piece: string): string {
  const sums = (where: string) =>
    `(toFloat64(countIf(${where})), ${exact(`sumIf(toInt128(u2 - u1), ${where})`)}, ${exact(`sumIf(toInt128(u2 - u1) * (u2 - u1), ${where})`)})`;
  const u = (score: string) => `toInt64(${placement(score, 'positive', 'negative', 'positive')})`;
  return `
  SELECT piece, hour, ${sums('positive')} AS positives, ${sums('NOT positive')} AS negatives,
    ${exact('sumIf(toInt128(u1), positive)')} AS champion, ${exact('sumIf(toInt128(u2), positive)')} AS challenger
  FROM (
    SELECT piece, hour, positive, ${u('s1')} AS u1, ${u('s2')} AS u2
    FROM (SELECT ${piece} AS piece, hour, positive, 1 - positive AS negative, assumeNotNull(s1) AS s1, assumeNotNull(s2) AS s2
          FROM (${matched('binary')}) AS m WHERE agreed AND isNotNull(s1) AND isNotNull(s2)))
  GROUP BY piece, hour ORDER BY piece, hour`;
}

/** Placements per hour among all labelled rows of a version, from what is counted of each hour. Parameters also: version, scope. */
export function placementsSql(piece: string, score: string): string {
  const ofHours = `scope = {scope:String} AND model = {model:String} AND version = {version:String} AND ${IN_PERIOD}`;
  const sums = (rows: string, u: string) =>
    `(toFloat64(sum(${rows})), ${exact(`sum(toInt128(${u}) * ${rows})`)}, ${exact(`sum(toInt128(${u}) * ${u} * ${rows})`)})`;
  return `
  SELECT piece, hour, ${sums('p', 'up')} AS positives, ${sums('n', 'down')} AS negatives
  FROM (
    SELECT piece, hour, p, n, toInt64(${placement('score', 'p', 'n', '1')}) AS up, toInt64(${placement('score', 'p', 'n', '0')}) AS down
    FROM (
      SELECT ${piece} AS piece, hour, ${score} AS score, sum(yes) AS p, sum(no) AS n
      FROM (SELECT hour, scores, positives, negatives FROM performance_hours FINAL WHERE ${ofHours})
      ARRAY JOIN scores AS s, positives AS yes, negatives AS no
      GROUP BY piece, hour, score))
  GROUP BY piece, hour ORDER BY piece, hour`;
}
