/**
 * LZ4 frames, decoding only (specification: lz4/lz4 doc/lz4_Frame_format.md and lz4_Block_format.md, 1.6). Checksums
 * are skipped: Kafka's batch has its own. Throws RangeError on damaged input or output beyond the limit.
 */
const FRAME_MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a50;
const MIN_MATCH = 4;

interface Output {
  bytes: Buffer;
  length: number;
}

function ensureRoom(output: Output, extra: number, maxBytes: number): void {
  const needed = output.length + extra;
  if (needed > maxBytes) throw new RangeError(`the lz4 data unpacks to more than ${maxBytes} bytes`);
  if (needed <= output.bytes.length) return;
  const grown = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(needed, output.bytes.length * 2)));
  output.bytes.copy(grown, 0, 0, output.length);
  output.bytes = grown;
}

const truncated = () => new RangeError('the lz4 data ends in the middle of a block');

/** Appends one block's content. Matches may reach back into the frame's earlier blocks, never before `frameStart`. */
function decodeBlock(block: Buffer, output: Output, frameStart: number, maxBytes: number): void {
  let at = 0;
  const readLength = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) {
      let byte: number;
      do {
        const next = block[at++];
        if (next === undefined) throw truncated();
        byte = next;
        length += byte;
      } while (byte === 255);
    }
    return length;
  };
  while (at < block.length) {
    const token = block[at++] ?? 0;
    const literals = readLength(token >> 4);
    if (at + literals > block.length) throw truncated();
    ensureRoom(output, literals, maxBytes);
    block.copy(output.bytes, output.length, at, at + literals);
    output.length += literals;
    at += literals;
    // The last sequence has literals only.
    if (at === block.length) return;

    if (at + 2 > block.length) throw truncated();
    const distance = block.readUInt16LE(at);
    at += 2;
    const from = output.length - distance;
    if (distance === 0 || from < frameStart) throw new RangeError('the lz4 data points before its start');
    const matched = readLength(token & 15) + MIN_MATCH;
    ensureRoom(output, matched, maxBytes);
    const { bytes } = output;
    if (distance >= matched) bytes.copyWithin(output.length, from, from + matched);
    // An overlapping match repeats what it writes: byte by byte.
    else for (let i = 0; i < matched; i += 1) bytes[output.length + i] = bytes[from + i] ?? 0;
    output.length += matched;
  }
}

/** Decodes all frames in `data`; the result has at most `maxBytes` bytes. */
export function decodeLz4Frames(data: Buffer, maxBytes: number): Buffer {
  const output: Output = { bytes: Buffer.allocUnsafe(Math.min(maxBytes, data.length * 4)), length: 0 };
  let at = 0;
  const word = (): number => {
    if (at + 4 > data.length) throw truncated();
    at += 4;
    return data.readUInt32LE(at - 4);
  };
  while (at < data.length) {
    const magic = word();
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      const size = word();
      at += size;
      continue;
    }
    if (magic !== FRAME_MAGIC) throw new RangeError(`not an lz4 frame: it starts with ${magic.toString(16)}`);
    const flags = data[at] ?? 0;
    if (flags >> 6 !== 1) throw new RangeError(`unknown lz4 frame version ${flags >> 6}`);
    if ((flags & 1) !== 0) throw new RangeError('lz4 frames with a dictionary are not supported');
    // FLG, BD, optional content size, header checksum.
    at += 2 + ((flags & 8) !== 0 ? 8 : 0) + 1;
    const frameStart = output.length;
    for (;;) {
      const size = word();
      if (size === 0) break;
      const length = size & 0x7fffffff;
      if (at + length > data.length) throw truncated();
      const block = data.subarray(at, at + length);
      at += length;
      if (size >>> 31 === 1) {
        ensureRoom(output, length, maxBytes);
        block.copy(output.bytes, output.length);
        output.length += length;
      } else {
        decodeBlock(block, output, frameStart, maxBytes);
      }
      if ((flags & 16) !== 0) at += 4;
    }
    if ((flags & 4) !== 0) at += 4;
  }
  return output.bytes.subarray(0, output.length);
}
