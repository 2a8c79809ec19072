/**
 * A buffer that is used again at each call, for numbers that a computation needs only until it ends: an array of some hundred numbers of its
 * own costs more than filling it. What it gives is valid until the next call, and holds what was there before.
 */
export function createScratch(): (length: number) => Float64Array {
  let buffer = new Float64Array(4_096);
  return (length) => {
    if (buffer.length < length) buffer = new Float64Array(2 * length);
    return buffer.subarray(0, length);
  };
}

/** As many scratches as are asked for, by number. */
export function createScratches(): (j: number, length: number) => Float64Array {
  const scratches: ReturnType<typeof createScratch>[] = [];
  return (j, length) => {
    scratches[j] ??= createScratch();
    return (scratches[j] as ReturnType<typeof createScratch>)(length);
  };
}
