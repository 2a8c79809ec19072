/** 1 … n, ties by their mean. */
function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort(
    (a, b) => (values[a] as number) - (values[b] as number),
  );
  const result = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && values[order[to] as number] === values[order[from] as number]) to++;
    for (let i = from; i < to; i++) result[order[i] as number] = (from + to + 1) / 2;
    from = to;
  }
  return result;
}

/** Of all values. */
export function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation; `lost` is 1 for a sample's, 0 for a population's. */
export function deviation(values: ArrayLike<number>, lost: number): number {
  const centre = mean(values);
  const squares = Array.from(values).reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - lost));
}

/** Rank correlation. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [ranks(a), ranks(b)];
  // Ranks have the same mean whatever the values.
  const centre = (x.length + 1) / 2;
  const covariance = mean(x.map((value, i) => (value - centre) * ((y[i] as number) - centre)));
  return covariance / (deviation(x, 0) * deviation(y, 0));
}

/** P(an outlier scores above an inlier): the Mann–Whitney share. */
export function auc(inliers: Float64Array, outliers: Float64Array): number {
  const all = ranks([...inliers, ...outliers]).subarray(inliers.length);
  const m = outliers.length;
  return (mean(all) * m - (m * (m + 1)) / 2) / (m * inliers.length);
}
