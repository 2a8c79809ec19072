/** Memory to be used again. */
export interface SpareBuffers {
  /** At least so many bytes, a power of two; what was in them is still there. */
  take(bytes: number): ArrayBuffer;
  /** Of memory that nothing refers to any more. Some other buffer than one taken here is left to the garbage collector. */
  give(buffer: ArrayBufferLike): void;
}

/** Smaller ones cost nothing worth saving. */
const LEAST_BYTES = 16 * 1_024;
const GREATEST_BYTES = 16 * 1_024 * 1_024;

/**
 * Large buffers lie outside of the garbage collector's heap, but their bytes drive it: a service that takes in 30 MB a second had a full
 * collection every 300 ms. `maxBytes` bounds what is kept.
 */
export function createSpareBuffers(maxBytes: number): SpareBuffers {
  const spare = new Map<number, ArrayBuffer[]>();
  let kept = 0;
  return {
    take(bytes) {
      const size = 2 ** Math.ceil(Math.log2(Math.max(1, bytes)));
      const buffer = spare.get(size)?.pop();
      if (buffer === undefined) return new ArrayBuffer(size);
      kept -= size;
      return buffer;
    },
    give(buffer) {
      const { byteLength } = buffer;
      const isOurs = buffer instanceof ArrayBuffer && Number.isInteger(Math.log2(byteLength));
      if (!isOurs || byteLength < LEAST_BYTES || byteLength > GREATEST_BYTES) return;
      if (kept + byteLength > maxBytes) return;
      kept += byteLength;
      const list = spare.get(byteLength);
      if (list === undefined) spare.set(byteLength, [buffer]);
      else list.push(buffer);
    },
  };
}
