/**
 * Holm's step-down adjusted p-values, in the order of the input (Holm 1979, Scand. J. Stat. 6:65).
 * Rejecting those ≤ α keeps the chance of any false rejection ≤ α under every dependence.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = ascending(pValues);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let running = 0;
  order.forEach((index, rank) => {
    running = Math.max(running, Math.min(1, (pValues.length - rank) * (pValues[index] ?? 1)));
    adjusted[index] = running;
  });
  return adjusted;
}

/**
 * Benjamini–Hochberg adjusted p-values, in the order of the input (1995, JRSS B 57:289): rejecting those ≤ q keeps
 * the expected share of false ones among the rejected ≤ q for independent or positively dependent tests.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = ascending(pValues);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let running = 1;
  for (let rank = order.length - 1; rank >= 0; rank--) {
    const index = order[rank] ?? 0;
    running = Math.min(running, ((pValues[index] ?? 1) * pValues.length) / (rank + 1));
    adjusted[index] = running;
  }
  return adjusted;
}

/**
 * Tarone's family size (1990, Biometrics 46:515): the least K such that at most K tests could reach α/K at all.
 * Tests whose least attainable p-value is above α/K can never reject, so they need no share of α.
 */
export function taroneFamilySize(leastPValues: readonly number[], alpha: number): number {
  const isEnough = (size: number) => {
    let could = 0;
    for (const p of leastPValues) if (p <= alpha / size) could += 1;
    return could <= size;
  };
  // The larger the family, the fewer tests reach their share: all sizes from the least one on are enough.
  let low = 1;
  let high = Math.max(1, leastPValues.length);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isEnough(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function ascending(pValues: readonly number[]): number[] {
  // A p-value of 1 comes last and stays 1: in a quiet window there is nearly nothing else, and nothing to sort.
  const ones: number[] = [];
  const others: number[] = [];
  for (const [i, p] of pValues.entries()) {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`a p-value is ${p}: it must lie in [0, 1]`);
    (p === 1 ? ones : others).push(i);
  }
  return [...others.sort((i, j) => (pValues[i] ?? 1) - (pValues[j] ?? 1) || i - j), ...ones];
}
