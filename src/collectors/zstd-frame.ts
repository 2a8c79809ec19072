/** Largest output of a block (RFC 8878, 3.1.1.2.4). */
const BLOCK_BYTES = 128 * 1024;
/** The decoder moves its whole window once for each block: about two seconds of it. */
const MAX_MOVED_BYTES = 16 * 1024 ** 3;
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

const truncated = () => new RangeError('the zstd data ends in the middle of a frame');

/**
 * The frames, with windows no larger than what their blocks can unpack to, so that a few bytes cannot claim gigabytes and minutes: matches never
 * reach back further than the frame's start. Nothing else changes. Throws RangeError where frames are damaged, or would take too long
 * (formats: RFC 8878).
 */
export function withModestWindows(data: Buffer): Buffer {
  const changed = Buffer.from(data);
  let moved = 0;
  for (let at = 0; at < data.length; ) {
    if (at + 8 > data.length) throw truncated();
    const magic = data.readUInt32LE(at);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + data.readUInt32LE(at + 4);
      continue;
    }
    if (magic !== FRAME_MAGIC) throw new RangeError('this is no zstd frame');
    const flags = data[at + 4] ?? 0;
    const isSingle = (flags & 0x20) !== 0;
    const descriptor = at + 5;
    const dictionaryBytes = [0, 1, 2, 4][flags & 3] ?? 0;
    const sizeBytes = flags >> 6 === 0 ? Number(isSingle) : 1 << (flags >> 6);
    const sizeAt = descriptor + Number(!isSingle) + dictionaryBytes;
    if (sizeAt + sizeBytes > data.length) throw truncated();

    const { end, blocks } = afterBlocks(data, sizeAt + sizeBytes);
    const most = Math.max(1024, blocks * BLOCK_BYTES);
    let window = isSingle ? contentSize(data, sizeAt, sizeBytes) : windowOf(data[descriptor] ?? 0);
    if (isSingle && window > most) throw new RangeError('a zstd frame claims more than its blocks can hold');
    if (window > most) {
      changed[descriptor] = descriptorFor(most);
      window = windowOf(changed[descriptor] ?? 0);
    }
    moved += blocks * window;
    if (moved > MAX_MOVED_BYTES)
      throw new RangeError(
        `a zstd batch has ${blocks} blocks with a window of ${window} bytes, which would take too long`,
      );
    at = end + ((flags & 4) !== 0 ? 4 : 0);
  }
  return changed;
}

/** The position behind a frame's last block, and how many there are. */
function afterBlocks(data: Buffer, from: number): { end: number; blocks: number } {
  let at = from;
  for (let blocks = 1; ; blocks += 1) {
    if (at + 3 > data.length) throw truncated();
    const header = data.readUIntLE(at, 3);
    const isRepeated = ((header >> 1) & 3) === 1;
    at += 3 + (isRepeated ? 1 : header >> 3);
    if (at > data.length) throw truncated();
    if ((header & 1) === 1) return { end: at, blocks };
  }
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Of the smallest window that holds so many bytes. */
function descriptorFor(bytes: number): number {
  const exponent = Math.floor(Math.log2(bytes));
  const eighths = Math.ceil((bytes - 2 ** exponent) / 2 ** (exponent - 3));
  // Eight eighths carry over into the exponent by themselves.
  return ((exponent - 10) << 3) + eighths;
}

function contentSize(data: Buffer, at: number, bytes: number): number {
  if (bytes === 8) return Number(data.readBigUInt64LE(at));
  return data.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}
