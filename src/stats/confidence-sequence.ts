/** Independent rows at which a sequence is narrowest in standard errors. Chosen once for all: choosing it by the data would void the level. */
const TUNED_ROWS = 1_000;

function requireLevel(level: number): void {
  if (!(level > 0 && level < 1)) throw new RangeError(`level is ${level}: it must lie between 0 and 1`);
}

/**
 * Half-width, in standard errors at `rows` independent rows, of the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy
 * & Ramdas (2024, Annals of Statistics 52:2613, theorem 2.2): the intervals of all looks hold the true mean together with probability
 * 1 − `level`, however often and for whatever reason one looks. √((2(nρ² + 1)/(nρ²))·ln(√(nρ² + 1)/level)), with ρ by their equation
 * for the narrowest interval at a thousand rows. Throws RangeError unless rows > 0 and level in (0, 1).
 */
export function sequenceHalfWidth(rows: number, level: number): number {
  requireLevel(level);
  if (!(rows > 0)) throw new RangeError(`rows is ${rows}: it must be above 0`);
  const tail = -2 * Math.log(level);
  const grown = (rows * (tail + Math.log(tail + 1))) / TUNED_ROWS;
  return Math.sqrt(((2 * (grown + 1)) / grown) * Math.log(Math.sqrt(grown + 1) / level));
}

/**
 * Rows after which the sequence's half-width is at most `halfWidth` (precision analysis as in Chow, Shao, Wang & Lokhnygina 2018, Sample
 * Size Calculations in Clinical Research, §1.3.1, with the sequence's boundary in place of z).
 *
 * @param deviation standard deviation of one row, design effect included
 * @param designEffect rows that one independent row is worth
 */
export function rowsForHalfWidth(input: {
  readonly deviation: number;
  readonly designEffect: number;
  readonly halfWidth: number;
  readonly level: number;
}): number {
  const { deviation, designEffect, halfWidth, level } = input;
  requireLevel(level);
  if (!(halfWidth > 0)) throw new RangeError(`halfWidth is ${halfWidth}: it must be above 0`);
  if (deviation === 0) return 1;
  const widthAt = (rows: number) =>
    sequenceHalfWidth(rows / designEffect, level) * (deviation / Math.sqrt(rows));
  let low = 0;
  let high = 1;
  while (widthAt(high) > halfWidth) {
    low = high;
    high *= 2;
    if (high > Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (widthAt(middle) > halfWidth) low = middle;
    else high = middle;
  }
  return high;
}
