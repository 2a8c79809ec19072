/** Rows of nearly one score. */
export interface ScoreCell {
  readonly rows: number;
  /** Their mean score, in [0, 1]. */
  readonly score: number;
  /** Calibrated probability of the positive class there. */
  readonly probability: number;
  /** True where the rows have scores of their own, close to each other; else they are tied. */
  readonly spread?: boolean;
}

/** Expected rows in each cell of the confusion matrix; fractions of rows are usual. */
export interface ExpectedConfusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

/** A figure expected of the labels to come, and the standard deviation that it would have over draws of independent rows and labels. */
export interface Expected {
  readonly value: number;
  readonly standardError: number;
}

/** What a prediction is worth by what it turned out to be. Units: the user's. */
export interface BusinessValue {
  readonly truePositive: number;
  readonly falsePositive: number;
  readonly trueNegative: number;
  readonly falseNegative: number;
}

/**
 * The expected confusion matrix (confidence-based performance estimation, CBPE; NannyML): a row with probability p is p of a positive.
 * @param cells ascending by score
 * @param predictedPositives rows with the highest scores that were predicted positive; the cell that they end in is split
 */
export function expectedConfusion(
  cells: readonly ScoreCell[],
  predictedPositives: number,
): ExpectedConfusion {
  let left = predictedPositives;
  let [truePositives, falsePositives, trueNegatives, falseNegatives] = [0, 0, 0, 0];
  for (let i = cells.length - 1; i >= 0; i--) {
    const { rows, probability } = cells[i] as ScoreCell;
    const positive = Math.min(rows, left);
    left -= positive;
    truePositives += positive * probability;
    falsePositives += positive * (1 - probability);
    trueNegatives += (rows - positive) * (1 - probability);
    falseNegatives += (rows - positive) * probability;
  }
  return { truePositives, falsePositives, trueNegatives, falseNegatives };
}

const share = (part: number, whole: number): Expected | null =>
  whole > 0 ? { value: part / whole, standardError: Math.sqrt((part * (whole - part)) / whole ** 3) } : null;

/** Figures at the threshold; null where nothing is expected in the denominator. Standard errors are those of shares of independent rows. */
export function thresholdFigures(confusion: ExpectedConfusion): {
  readonly accuracy: Expected | null;
  readonly precision: Expected | null;
  readonly recall: Expected | null;
  readonly specificity: Expected | null;
  readonly f1: Expected | null;
} {
  const { truePositives: tp, falsePositives: fp, trueNegatives: tn, falseNegatives: fn } = confusion;
  return {
    accuracy: share(tp + tn, tp + fp + tn + fn),
    precision: share(tp, tp + fp),
    recall: share(tp, tp + fn),
    specificity: share(tn, tn + fp),
    f1: f1Of(tp, fp + fn),
  };
}

/** F₁ = 2·TP/(2·TP + wrong); delta method on the multinomial counts (Takahashi et al. 2022 have the same for averages). */
function f1Of(tp: number, wrong: number): Expected | null {
  const whole = 2 * tp + wrong;
  if (!(whole > 0)) return null;
  const [byTp, byWrong] = [(2 * wrong) / whole ** 2, (-2 * tp) / whole ** 2];
  // F₁ has degree 0 in the counts, so the mean of its derivatives is 0.
  return { value: (2 * tp) / whole, standardError: Math.sqrt(byTp ** 2 * tp + byWrong ** 2 * wrong) };
}

/** Mean value of a prediction. Units: those of `values`. Null without rows. */
export function expectedValue(confusion: ExpectedConfusion, values: BusinessValue): Expected | null {
  const parts = [
    [confusion.truePositives, values.truePositive],
    [confusion.falsePositives, values.falsePositive],
    [confusion.trueNegatives, values.trueNegative],
    [confusion.falseNegatives, values.falseNegative],
  ] as const;
  return meanOf(parts);
}

/** Mean and its standard error of values that come so often. */
function meanOf(parts: readonly (readonly [rows: number, value: number])[]): Expected | null {
  let [rows, sum] = [0, 0];
  for (const [n, value] of parts) {
    rows += n;
    sum += n * value;
  }
  if (!(rows > 0)) return null;
  const value = sum / rows;
  let squares = 0;
  for (const [n, each] of parts) squares += n * (each - value) ** 2;
  return { value, standardError: Math.sqrt(squares) / rows };
}

/**
 * Expected area under the ROC curve: each row is p of a positive and 1 − p of a negative, and rows of one cell rank half each. Its
 * standard error is DeLong's with those weights (DeLong, DeLong, Clarke-Pearson 1988). Null where one class is not expected at all.
 * @param cells ascending by score
 */
export function expectedRocAuc(cells: readonly ScoreCell[]): Expected | null {
  let [positives, negatives] = [0, 0];
  for (const { rows, probability } of cells) {
    positives += rows * probability;
    negatives += rows * (1 - probability);
  }
  if (!(positives > 0 && negatives > 0)) return null;
  // Of a positive: the share of negatives below it. Of a negative: the share of positives above it.
  const placements: [weight: number, place: number][][] = [[], []];
  let [below, belowPositives] = [0, 0];
  let area = 0;
  for (const { rows, probability } of cells) {
    const [p, q] = [rows * probability, rows * (1 - probability)];
    const place = (below + q / 2) / negatives;
    area += p * place;
    placements[0]?.push([p, place]);
    placements[1]?.push([q, (positives - belowPositives - p / 2) / positives]);
    below += q;
    belowPositives += p;
  }
  const value = area / positives;
  const variance = (parts: readonly [number, number][], rows: number) =>
    parts.reduce((sum, [weight, place]) => sum + weight * (place - value) ** 2, 0) / rows ** 2;
  const [ofPositives = [], ofNegatives = []] = placements;
  return {
    value,
    standardError: Math.sqrt(variance(ofPositives, positives) + variance(ofNegatives, negatives)),
  };
}

/**
 * Expected average precision, Σ (Rᵢ − Rᵢ₋₁)·Pᵢ over the cells from the highest score down, as scikit-learn defines it. Its standard
 * error is that of a share among the expected positives (Boyd, Eng, Page 2013). Null where no positive is expected.
 * @param cells ascending by score
 */
export function expectedAveragePrecision(cells: readonly ScoreCell[]): Expected | null {
  let [rows, found, sum] = [0, 0, 0];
  for (let i = cells.length - 1; i >= 0; i--) {
    const cell = cells[i] as ScoreCell;
    if (cell.rows === 0) continue;
    const p = cell.probability;
    // Of rows that are not tied each is a threshold: Σ (found + jp)/(rows + j), whose Σ 1/(rows + j) is about a logarithm.
    sum +=
      cell.spread === true
        ? p * (p * cell.rows + (found - p * rows) * Math.log1p(cell.rows / (rows + 0.5)))
        : (p * cell.rows * (found + p * cell.rows)) / (rows + cell.rows);
    rows += cell.rows;
    found += p * cell.rows;
  }
  if (!(found > 0)) return null;
  const value = sum / found;
  return { value, standardError: Math.sqrt((value * (1 - value)) / found) };
}

/** The least probability that a logarithm is taken of, as scikit-learn's: the distance from 1 to the next number. */
const CLIP = Number.EPSILON;

/** Expected log loss (nats) and Brier score of the scores as they are. Null without rows. */
export function expectedLosses(cells: readonly ScoreCell[]): {
  readonly logLoss: Expected | null;
  readonly brier: Expected | null;
} {
  const by = (ofPositive: (score: number) => number, ofNegative: (score: number) => number) =>
    meanOf(
      cells.flatMap(({ rows, score, probability }): [number, number][] => [
        [rows * probability, ofPositive(score)],
        [rows * (1 - probability), ofNegative(score)],
      ]),
    );
  return {
    logLoss: by(
      (s) => -Math.log(Math.min(1, Math.max(CLIP, s))),
      (s) => -Math.log(Math.min(1, Math.max(CLIP, 1 - s))),
    ),
    brier: by(
      (s) => (1 - s) ** 2,
      (s) => s ** 2,
    ),
  };
}
