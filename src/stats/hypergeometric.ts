/**
 * P(X = x) for x = 0 … min(draws, marked): how many of `marked` among `all` rows are in `draws` of them, drawn without replacement.
 * Ratios of neighbours from the likeliest number outwards, then divided by their sum: no factorial of a large number loses digits. Within
 * 1e-10 of exact ones relatively; chances below the least double are 0.
 */
export function hypergeometricPmf(all: number, marked: number, draws: number): Float64Array {
  if (!(marked >= 0 && marked <= all && draws >= 0 && draws <= all))
    throw new RangeError(`${marked} marked and ${draws} drawn of ${all} rows: neither may exceed them`);
  const most = Math.min(draws, marked);
  const least = Math.max(0, draws + marked - all);
  const chances = new Float64Array(most + 1);
  const mode = Math.min(most, Math.max(least, Math.floor(((draws + 1) * (marked + 1)) / (all + 2))));
  chances[mode] = 1;
  for (let x = mode; x < most; x++)
    chances[x + 1] =
      ((chances[x] as number) * (marked - x) * (draws - x)) / ((x + 1) * (all - marked - draws + x + 1));
  for (let x = mode; x > least; x--)
    chances[x - 1] =
      ((chances[x] as number) * x * (all - marked - draws + x)) / ((marked - x + 1) * (draws - x + 1));
  const sum = chances.reduce((subtotal, chance) => subtotal + chance, 0);
  return chances.map((chance) => chance / sum);
}
