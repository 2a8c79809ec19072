import { fSf, normalHalfWidth, normalSf } from './special.js';

/** P(T ≥ t) for Student's t with `degrees` of freedom; the normal tail for infinitely many. */
export function studentSf(t: number, degrees: number): number {
  const size = Math.abs(t);
  const upper = degrees === Number.POSITIVE_INFINITY ? normalSf(size) : fSf(size * size, 1, degrees) / 2;
  return t >= 0 ? upper : 1 - upper;
}

/** The t of 0 or more with P(T ≥ t) = p, for p in (0, ½]: by halving, to the last digit. */
export function studentQuantile(p: number, degrees: number): number {
  if (!(p > 0 && p <= 0.5)) throw new RangeError(`p is ${p}: it must lie in (0, 0.5]`);
  if (degrees === Number.POSITIVE_INFINITY) return normalHalfWidth(1 - 2 * p);
  let low = 0;
  let high = 1;
  while (studentSf(high, degrees) > p && high < 1e150) high *= 2;
  for (let step = 0; step < 200; step++) {
    const middle = low + (high - low) / 2;
    if (middle === low || middle === high) break;
    if (studentSf(middle, degrees) > p) low = middle;
    else high = middle;
  }
  return high;
}
