import { isSharedArrayBuffer } from 'node:util/types';

/**
 * The ArrayBuffers in plain data, to be handed over instead of copied: those of typed arrays in it, at any depth of objects, and of
 * arrays of objects. Shared memory stays out, and so do small parts of Node's common pool, which others use too.
 */
export function buffersIn(value: unknown, found: Set<ArrayBuffer> = new Set()): Set<ArrayBuffer> {
  if (typeof value !== 'object' || value === null) return found;
  if (ArrayBuffer.isView(value)) {
    const { buffer } = value;
    if (!isSharedArrayBuffer(buffer) && !Buffer.isBuffer(value)) found.add(buffer as ArrayBuffer);
    return found;
  }
  if (Array.isArray(value)) {
    // Rows of numbers are not looked through.
    if (typeof value[0] === 'object') for (const each of value) buffersIn(each, found);
    return found;
  }
  for (const each of Object.values(value)) buffersIn(each, found);
  return found;
}
