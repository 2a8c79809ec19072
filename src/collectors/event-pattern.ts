/** Bytes that are expected, four at a time: half of an event is the same in all of them. */
export interface Pattern {
  readonly length: number;
  readonly words: Uint32Array;
  /** What is left after the last whole word. */
  readonly rest: Uint8Array;
}

export function patternOf(bytes: Uint8Array): Pattern {
  const whole = bytes.length >>> 2;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = Uint32Array.from({ length: whole }, (_, index) => view.getUint32(4 * index, true));
  return { length: bytes.length, words, rest: bytes.subarray(4 * whole) };
}
