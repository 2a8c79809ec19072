import type { Moments } from '../domain/performance.js';
import type {
  MatchedHour,
  MatchedPlacementHour,
  PlacementHour,
  PlacementSums,
  RowFigure,
} from '../domain/version-comparison.js';
import { DAY_MS, HOUR_MS, WEEK_MS } from '../domain/window.js';
import { normalHalfWidth } from '../stats/special.js';
import { studentQuantile } from '../stats/student.js';

/** Stretches of time whose rows may be alike. */
const CLUSTER_MS: readonly number[] = [HOUR_MS, 6 * HOUR_MS, DAY_MS, WEEK_MS];
/** With fewer stretches nobody can tell how alike their rows are. */
export const LEAST_CLUSTERS = 7;

/** One figure of two versions. */
export interface DifferenceEstimate {
  readonly champion: number;
  readonly challenger: number;
  /** challenger − champion. */
  readonly difference: number;
  /** Of the difference, were rows independent. */
  readonly variance: number;
  /** Rows of each version; of the one with fewer where they differ. */
  readonly rows: number;
  /** Rows that tell the versions apart; of ROC AUC the rows of the rarer class. */
  readonly telling: number;
  /** What each hour's rows add to the difference beyond their share of it, in order of time. */
  readonly influences: ReadonlyMap<number, number>;
}

/** Rows of one version in an hour. */
export interface HourMoments extends Moments {
  readonly hourMs: number;
}

/** Mean difference of matched rows (paired t statistic's parts); null with fewer than two. */
export function pairedMeans(hours: readonly MatchedHour[], figure: RowFigure): DifferenceEstimate | null {
  const found = hours.flatMap(({ hourMs, figures }) => {
    const one = figures[figure];
    return one === undefined ? [] : [{ hourMs, ...one }];
  });
  const rows = found.reduce((sum, one) => sum + one.difference.rows, 0);
  if (rows < 2) return null;
  const mean = (of: (one: (typeof found)[number]) => number) =>
    found.reduce((sum, one) => sum + one.difference.rows * of(one), 0) / rows;
  const difference = mean((one) => one.difference.mean);
  const m2 = found.reduce(
    (sum, one) => sum + one.difference.m2 + one.difference.rows * (one.difference.mean - difference) ** 2,
    0,
  );
  return {
    champion: mean((one) => one.champion),
    challenger: mean((one) => one.challenger),
    difference,
    variance: m2 / (rows - 1) / rows,
    rows,
    telling: found.reduce((sum, one) => sum + one.changed, 0),
    influences: new Map(
      found.map((one) => [one.hourMs, (one.difference.rows * (one.difference.mean - difference)) / rows]),
    ),
  };
}

/** Difference of the means of two sets of rows (Welch's standard error); null where either has fewer than two. */
export function unpairedMeans(
  champion: readonly HourMoments[],
  challenger: readonly HourMoments[],
): DifferenceEstimate | null {
  const sides = [champion, challenger].map((hours) => {
    const rows = hours.reduce((sum, hour) => sum + hour.rows, 0);
    const mean = hours.reduce((sum, hour) => sum + hour.rows * hour.mean, 0) / rows;
    const m2 = hours.reduce((sum, hour) => sum + hour.m2 + hour.rows * (hour.mean - mean) ** 2, 0);
    return { hours, rows, mean, m2 };
  });
  const [one, other] = sides;
  if (one === undefined || other === undefined || one.rows < 2 || other.rows < 2) return null;
  const influences = new Map<number, number>();
  for (const [side, sign] of [
    [one, -1],
    [other, 1],
  ] as const)
    for (const { hourMs, rows, mean } of side.hours)
      add(influences, hourMs, (sign * rows * (mean - side.mean)) / side.rows);
  return {
    champion: one.mean,
    challenger: other.mean,
    difference: other.mean - one.mean,
    variance: one.m2 / (one.rows - 1) / one.rows + other.m2 / (other.rows - 1) / other.rows,
    rows: Math.min(one.rows, other.rows),
    telling: Math.min(one.rows, other.rows),
    influences,
  };
}

/** Difference of two ROC AUCs of the same rows (DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837). */
export function pairedAreas(hours: readonly MatchedPlacementHour[]): DifferenceEstimate | null {
  const area = areaOf(hours);
  if (area === null) return null;
  const { positives, negatives } = area;
  const of = (sum: (hour: MatchedPlacementHour) => number) =>
    hours.reduce((total, hour) => total + sum(hour), 0) / (2 * positives * negatives);
  return {
    champion: of((hour) => hour.champion),
    challenger: of((hour) => hour.challenger),
    difference: area.value,
    variance: area.variance,
    rows: positives + negatives,
    telling: Math.min(positives, negatives),
    influences: area.influences,
  };
}

/** Difference of the ROC AUCs of two sets of rows. */
export function unpairedAreas(
  champion: readonly PlacementHour[],
  challenger: readonly PlacementHour[],
): DifferenceEstimate | null {
  const one = areaOf(champion);
  const other = areaOf(challenger);
  if (one === null || other === null) return null;
  const influences = new Map<number, number>();
  for (const [hour, value] of one.influences) add(influences, hour, -value);
  for (const [hour, value] of other.influences) add(influences, hour, value);
  return {
    champion: one.value,
    challenger: other.value,
    difference: other.value - one.value,
    variance: one.variance + other.variance,
    rows: Math.min(one.positives + one.negatives, other.positives + other.negatives),
    telling: Math.min(one.positives, one.negatives, other.positives, other.negatives),
    influences,
  };
}

/** Mean placement of positives among negatives, and its variance; null with fewer than two rows of either class. */
function areaOf(hours: readonly PlacementHour[]) {
  const total = (of: (hour: PlacementHour) => PlacementSums) =>
    hours.map(of).reduce(
      (sum, one) => ({
        rows: sum.rows + one.rows,
        sum: sum.sum + one.sum,
        squares: sum.squares + one.squares,
      }),
      { rows: 0, sum: 0, squares: 0 },
    );
  const up = total((hour) => hour.positives);
  const down = total((hour) => hour.negatives);
  if (up.rows < 2 || down.rows < 2) return null;
  const value = up.sum / (2 * up.rows * down.rows);
  /** Variance of one class's placements, each over twice the other class's rows. */
  const spread = (own: PlacementSums, others: number) =>
    Math.max(0, own.squares - own.sum ** 2 / own.rows) / (4 * others * others) / (own.rows - 1);
  const influences = new Map<number, number>();
  for (const { hourMs, positives, negatives } of hours) {
    const upward = positives.sum / (2 * down.rows) - positives.rows * value;
    const downward = negatives.sum / (2 * up.rows) - negatives.rows * value;
    add(influences, hourMs, upward / up.rows + downward / down.rows);
  }
  return {
    value,
    variance: spread(up, down.rows) / up.rows + spread(down, up.rows) / down.rows,
    positives: up.rows,
    negatives: down.rows,
    influences,
  };
}

function add(sums: Map<number, number>, key: number, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}

/**
 * How much more the difference varies than that of independent rows: the largest ratio of the cluster-robust variance (Liang & Zeger 1986,
 * Biometrika 73:13, with G/(G − 1), and t² of G − 1 degrees over z² since so few clusters know their variance badly) over hours, quarters
 * of days, days and weeks to the independent one, of those of which there are seven at least; 1 where none is larger. Null where there
 * are not even seven hours.
 */
export function designEffectOf({
  variance,
  influences,
}: Pick<DifferenceEstimate, 'variance' | 'influences'>): number | null {
  if (influences.size < LEAST_CLUSTERS) return null;
  let largest = 1;
  for (const clusterMs of CLUSTER_MS) {
    const clusters = new Map<number, number>();
    for (const [hourMs, value] of influences) add(clusters, Math.floor(hourMs / clusterMs), value);
    const count = clusters.size;
    if (count < LEAST_CLUSTERS || variance === 0) continue;
    const sum = [...clusters.values()].reduce((total, value) => total + value * value, 0);
    largest = Math.max(largest, (sum * (count / (count - 1)) * fewClusters(count)) / variance);
  }
  return largest;
}

const Z_95 = normalHalfWidth(0.95);
const factors = new Map<number, number>();

/** (t/z)² at 95 %. */
function fewClusters(count: number): number {
  const known = factors.get(count);
  if (known !== undefined) return known;
  const factor = (studentQuantile(0.025, count - 1) / Z_95) ** 2;
  factors.set(count, factor);
  return factor;
}
