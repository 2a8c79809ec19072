import betainc from '@stdlib/math/base/special/betainc/lib/index.js';

/** Successes and failures so far. */
export interface Trials {
  readonly successes: number;
  readonly failures: number;
}

/**
 * A draw from the posterior of a success probability under the uniform prior, Beta(successes + 1, failures + 1), by inverting its
 * distribution function at one uniform number: halving, to 2⁻⁴⁰.
 */
export function posteriorDraw({ successes, failures }: Trials, uniform: number): number {
  let low = 0;
  let high = 1;
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (betainc(middle, successes + 1, failures + 1) < uniform) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Arms in the order of one draw each from their posteriors, the greatest first: an arm stands first as often as it is likely to be the
 * best (Thompson 1933, Biometrika 25:285), so little known ones are still tried. `random` gives uniform numbers in [0, 1).
 */
export function thompsonOrder<Arm extends Trials>(
  arms: readonly Arm[],
  random: () => number,
): (Arm & { readonly draw: number })[] {
  return arms.map((arm) => ({ ...arm, draw: posteriorDraw(arm, random()) })).sort((a, b) => b.draw - a.draw);
}
