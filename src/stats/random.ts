/**
 * A seeded generator of uniform numbers in [0, 1) on a grid of 2⁻³²: sfc32 (Chris Doty-Humphrey, PractRand).
 * The seed is any safe integer; both of its 32-bit halves count. The same seed gives the same sequence on every machine.
 */
export function createRandom(seed: number): () => number {
  if (!Number.isSafeInteger(seed))
    throw new RangeError(`seed ${seed} is not a safe integer: use a whole number`);
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  // The author's advice for seeds that may be alike: let the state mix before the first number is used.
  for (let i = 0; i < 15; i++) next();
  return () => next() / 2 ** 32;
}
