import { createNormal, createOverlapping } from './normal-draws.js';
import { createRandom } from './random.js';
import { normalHalfWidth } from './special.js';

/** Windows in the library: at a tail of 1e-5 it still holds forty. */
const WINDOWS = 2 ** 22;
/** A few milliseconds' worth. */
const WINDOWS_PER_TURN = 2 ** 16;

/** The far values of one long Gaussian series of overlapping windows: few, so that they can be looked up instead of drawn. */
export interface TailLibrary {
  readonly windows: number;
  /** Values at most this far from 0 are not kept. */
  readonly floor: number;
  /** Ascending positions of the kept values. */
  readonly positions: Int32Array;
  readonly values: Float64Array;
}

/**
 * Draws a series of windows, each sharing rows with the `overlap` − 1 before, and keeps its values beyond `floor`. Their sizes are
 * replaced by those that their ranks should have: the share of windows beyond any bound is then exact, and chance is left only in
 * how they cluster.
 *
 * @param pause called every few milliseconds, to let others have their turn
 */
export async function createTailLibrary(
  overlap: number,
  floor: number,
  seed: number,
  pause: () => Promise<void>,
): Promise<TailLibrary> {
  const next = createOverlapping(createNormal(createRandom(seed)), overlap);
  const positions: number[] = [];
  const drawn: number[] = [];
  for (let position = 0; position < WINDOWS; position++) {
    if (position % WINDOWS_PER_TURN === 0) await pause();
    const value = next();
    if (value <= floor && value >= -floor) continue;
    positions.push(position);
    drawn.push(value);
  }
  const sizes = Float64Array.from(drawn, Math.abs).sort();
  const values = Float64Array.from(drawn, (value) => {
    const larger = sizes.length - upperRank(sizes, Math.abs(value));
    return Math.sign(value) * normalHalfWidth(1 - (larger + 0.5) / WINDOWS);
  });
  return { windows: WINDOWS, floor, positions: Int32Array.from(positions), values };
}

/** How many of the ascending values are at most x. */
function upperRank(ascending: Float64Array, x: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First index of a position at or after `position`. */
export function firstFrom(library: TailLibrary, position: number): number {
  let low = 0;
  let high = library.positions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((library.positions[middle] ?? 0) < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
