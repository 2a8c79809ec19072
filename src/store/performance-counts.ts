import type { Task } from '../domain/model.js';
import type {
  CalibrationBin,
  Moments,
  PerformanceCounts,
  PerformanceStore,
  PieceLength,
  ScoreRanking,
} from '../domain/performance.js';
import { DELAY_EDGES_MS, MOMENTS, mergeMoments } from '../domain/performance.js';
import { HOUR_MS, pieceEnd, type Window } from '../domain/window.js';
import type { StoreClient } from './client.js';
import { coarse } from './performance-sql.js';

/** Different scores of one piece that are ordered as they are; of more, their cells. */
export const MAX_SCORES = 2 ** 20;
const TIMEOUT_MS = 600_000;

const HOURS = `scope = {scope:String} AND model = {model:String} AND version = {version:String}
  AND hour >= {fromHour:Int64} AND hour < {toHour:Int64} AND predictions > 0`;

interface CountRow {
  readonly piece: number;
  readonly predictions: number;
  readonly labelled: number;
  readonly delays: number[];
  readonly classified: number;
  readonly correct: number;
  readonly bin_rows: number[];
  readonly bin_positives: number[];
  /** By hour, in order. */
  readonly bin_scores: number[][];
  readonly moments: [rows: number, mean: number, m2: number][][];
}

interface RankingRow {
  readonly piece: number;
  readonly of_p: number;
  readonly of_n: number;
  readonly u2: number;
  readonly spread_p: number;
  readonly spread_n: number;
  readonly precision_sum: number;
  readonly tied: number;
  readonly is_rough: number;
}

/** Expression: start of the piece that an hour lies in, ms since the epoch. */
export function pieceOf(piece: PieceLength): string {
  const time = "toDateTime(hour * 3600, 'UTC')";
  if (typeof piece === 'object') return `intDiv(hour * ${HOUR_MS}, ${piece.ms}) * ${piece.ms}`;
  switch (piece) {
    case 'hour':
      return `hour * ${HOUR_MS}`;
    case 'day':
      return `intDiv(hour, 24) * ${24 * HOUR_MS}`;
    case 'week':
      return `toInt64(toUnixTimestamp(toDateTime(toMonday(${time}), 'UTC'))) * 1000`;
    case 'month':
      return `toInt64(toUnixTimestamp(toDateTime(toStartOfMonth(${time}), 'UTC'))) * 1000`;
    case 'all':
      return 'toInt64(0)';
  }
}

const countsSql = (piece: string) => `
  SELECT ${piece} AS piece, sum(h.predictions) AS predictions, sum(h.labelled) AS labelled,
    sumForEach(h.delays) AS delays, sum(h.classified) AS classified, sum(h.correct) AS correct,
    sumForEach(h.bin_rows) AS bin_rows, sumForEach(h.bin_positives) AS bin_positives,
    arrayMap(one -> one.2, arraySort(one -> one.1, groupArray((hour, h.bin_scores)))) AS bin_scores,
    arrayMap(one -> one.2, arraySort(one -> one.1, groupArray((hour, h.moments)))) AS moments
  FROM (SELECT hour, predictions, labelled, delays, classified, correct, bin_rows, bin_positives, bin_scores,
          arrayMap(moment -> [toFloat64(moment.1), moment.2, moment.3], moments) AS moments
        FROM performance_hours FINAL WHERE ${HOURS}) AS h
  GROUP BY piece ORDER BY piece`;

const pairsSql = (piece: string) => `
  SELECT ${piece} AS piece, a AS actual, p AS predicted, sum(n) AS rows
  FROM (SELECT * FROM performance_hours FINAL WHERE ${HOURS}) ARRAY JOIN actual AS a, predicted AS p, pairs AS n
  GROUP BY piece, actual, predicted ORDER BY piece, actual, predicted`;

/**
 * The order of a piece's scores. U is the number of pairs of a positive and a negative with the positive's score above, ties counted
 * half; the spreads are DeLong's (1988): of positives by the negatives below them, of negatives by the positives above. All sums are of
 * whole numbers, so exact.
 */
const rankingSql = (piece: string) => `
  WITH rough_pieces AS (
    SELECT ${piece} AS piece FROM performance_hours FINAL WHERE ${HOURS}
    GROUP BY piece HAVING sum(length(scores)) > ${MAX_SCORES} OR max(coarse))
  SELECT piece, sum(p) AS of_p, sum(n) AS of_n, toFloat64(sum(twice_u)) AS u2,
    toFloat64(sum(toInt256(p)) * sum(square_p) - sum(twice_u) * sum(twice_u)) AS spread_p,
    toFloat64(sum(toInt256(n)) * sum(square_n) - sum(twice_u) * sum(twice_u)) AS spread_n,
    arraySum(cell -> cell.2, arraySort(cell -> -cell.1, groupArray((score, precision)))) AS precision_sum,
    toFloat64(sum(toInt256(p) * n)) AS tied, max(rough) AS is_rough
  FROM (
    SELECT piece, rough, score, p, n,
      sum(n) OVER upwards - n AS below, sum(p) OVER whole - sum(p) OVER upwards AS above, sum(n) OVER whole - below AS reached,
      toInt256(2 * below + n) AS twice_below, toInt256(2 * above + p) AS twice_above,
      p * twice_below AS twice_u, p * twice_below * twice_below AS square_p, n * twice_above * twice_above AS square_n,
      p * ((above + p) / (above + p + reached)) AS precision
    FROM (
      SELECT piece, rough, if(rough, ${coarse('s')}, s) AS score, sum(yes) AS p, sum(no) AS n
      FROM (SELECT ${piece} AS piece, piece IN rough_pieces AS rough, scores, positives, negatives FROM performance_hours FINAL WHERE ${HOURS})
      ARRAY JOIN scores AS s, positives AS yes, negatives AS no
      GROUP BY piece, rough, score)
    WINDOW whole AS (PARTITION BY piece), upwards AS (PARTITION BY piece ORDER BY score ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))
  GROUP BY piece ORDER BY piece`;

/** What was counted of predictions against labels, merged by pieces of time inside the engine. */
export function createPerformanceCounts(client: StoreClient): Pick<PerformanceStore, 'performanceCounts'> {
  const limits = { timeoutMs: TIMEOUT_MS };
  return {
    async performanceCounts({ task, scope, window, ...key }, pieceLength) {
      const piece = pieceOf(pieceLength);
      const params = {
        scope,
        model: key.model,
        version: key.modelVersion,
        fromHour: Math.ceil(window.startMs / HOUR_MS),
        toHour: Math.ceil(window.endMs / HOUR_MS),
      };
      const counts = await client.query<CountRow>(countsSql(piece), params, limits);
      const pairs =
        task === 'regression'
          ? []
          : await client.query<{ piece: number; actual: string; predicted: string; rows: number }>(
              pairsSql(piece),
              params,
              limits,
            );
      const rankings =
        task === 'binary' ? await client.query<RankingRow>(rankingSql(piece), params, limits) : [];
      const confusionOf = new Map<number, PerformanceCounts['confusion'][number][]>();
      for (const { piece: start, ...pair } of pairs)
        confusionOf.set(start, [...(confusionOf.get(start) ?? []), pair]);
      const rankingOf = new Map(rankings.map((row) => [row.piece, row]));
      return counts.map((row) =>
        countsOf(row, {
          task,
          window: windowOf(row, pieceLength, window),
          confusion: confusionOf.get(row.piece) ?? [],
          ranking: rankingOf.get(row.piece),
        }),
      );
    },
  };
}

function countsOf(
  row: CountRow,
  {
    task,
    window,
    confusion,
    ranking,
  }: Pick<PerformanceCounts, 'window' | 'confusion'> & { task: Task; ranking: RankingRow | undefined },
): PerformanceCounts {
  const moments: Record<string, Moments> = {};
  for (const [place, name] of MOMENTS[task].entries()) {
    const merged = mergeMoments(
      row.moments.flatMap((hour) => {
        const one = hour[place];
        return one === undefined ? [] : [{ rows: one[0], mean: one[1], m2: one[2] }];
      }),
    );
    if (merged !== null) moments[name] = merged;
  }
  return {
    window,
    predictions: row.predictions,
    labelled: row.labelled,
    delays: row.delays.length > 0 ? row.delays : new Array<number>(DELAY_EDGES_MS.length + 1).fill(0),
    confusion,
    classified: row.classified,
    correct: row.correct,
    ranking: ranking === undefined ? null : orderOf(ranking),
    calibration: row.bin_rows.map(
      (rows, bin): CalibrationBin => ({
        rows,
        positives: row.bin_positives[bin] ?? 0,
        scoreSum: row.bin_scores.reduce((sum, hour) => sum + (hour[bin] ?? 0), 0),
      }),
    ),
    moments,
  };
}

function orderOf({
  of_p: p,
  of_n: n,
  u2,
  spread_p,
  spread_n,
  precision_sum,
  tied,
  is_rough,
}: RankingRow): ScoreRanking {
  const pairs = p * n;
  // Of V10 = (2·below + n) / 2N and V01 likewise, over P − 1 and N − 1.
  const ofPositives = spread_p / (4 * n * n * p * (p - 1));
  const ofNegatives = spread_n / (4 * p * p * n * (n - 1));
  return {
    positives: p,
    negatives: n,
    auc: pairs === 0 ? null : u2 / (2 * pairs),
    aucVariance: p < 2 || n < 2 ? null : ofPositives / p + ofNegatives / n,
    averagePrecision: p === 0 ? null : precision_sum / p,
    aucResolution: is_rough === 1 && pairs > 0 ? tied / (2 * pairs) : 0,
  };
}

/** The piece, within what was asked for. */
function windowOf({ piece }: CountRow, length: PieceLength, asked: Window): Window {
  if (length === 'all') return asked;
  const endMs = pieceEnd(piece, length);
  return { startMs: Math.max(piece, asked.startMs), endMs: Math.min(endMs, asked.endMs) };
}
