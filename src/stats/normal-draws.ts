/** Standard normal numbers by Marsaglia's polar method (1964, SIAM Rev. 6:260), from uniform ones in [0, 1). */
export function createNormal(random: () => number): () => number {
  let spare: number | null = null;
  return () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    for (;;) {
      const x = 2 * random() - 1;
      const y = 2 * random() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      spare = y * factor;
      return x * factor;
    }
  };
}

/**
 * χ²(df)/df for any positive df, by Marsaglia & Tsang's gamma (2000, ACM TOMS 26:363); below two degrees of freedom with their boost.
 *
 * @throws RangeError when df is not positive
 */
export function createMeanChiSquare(random: () => number, normal: () => number, df: number): () => number {
  if (!(df > 0)) throw new RangeError(`df is ${df}: it must be above 0`);
  const shape = df / 2;
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  return () => {
    const boost = shape < 1 ? (1 - random()) ** (1 / shape) : 1;
    for (;;) {
      const x = normal();
      const v = (1 + c * x) ** 3;
      if (v <= 0) continue;
      if (Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return (d * v * boost) / shape;
    }
  };
}

/**
 * A stationary Gaussian series of variance 1 whose values h apart correlate by 1 − h/overlap (0 from `overlap` on): means over
 * windows that share rows with the `overlap` − 1 before them.
 */
export function createOverlapping(normal: () => number, overlap: number): () => number {
  if (overlap === 1) return normal;
  const scale = 1 / Math.sqrt(overlap);
  const ring = Float64Array.from({ length: overlap }, () => normal() * scale);
  let sum = ring.reduce((all, value) => all + value, 0);
  let at = 0;
  return () => {
    const next = normal() * scale;
    sum += next - (ring[at] ?? 0);
    ring[at] = next;
    at = at + 1 === overlap ? 0 : at + 1;
    return sum;
  };
}
