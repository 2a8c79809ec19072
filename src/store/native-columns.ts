/** Columns of the engine's Native format, joined over its blocks. Only what we ask for: Float64 and UInt32, not nullable. */
export type NativeColumn = Float64Array | Uint32Array;

interface Block {
  readonly rows: number;
  /** Start of each column's data. */
  readonly starts: readonly number[];
}

const BYTES: ReadonlyMap<string, number> = new Map([
  ['Float64', 8],
  ['UInt32', 4],
]);

/**
 * Reads a result of `FORMAT Native`: blocks of varint columns, varint rows, then name, type and values of each column, little-endian.
 * Throws TypeError for a type other than Float64 and UInt32.
 */
export function readNativeColumns(bytes: Uint8Array): NativeColumn[] {
  const { blocks, types } = findBlocks(bytes);
  const total = blocks.reduce((sum, block) => sum + block.rows, 0);
  return types.map((type, index) => {
    const column = type === 'Float64' ? new Float64Array(total) : new Uint32Array(total);
    const target = new Uint8Array(column.buffer);
    const width = column.BYTES_PER_ELEMENT;
    let row = 0;
    for (const block of blocks) {
      const start = block.starts[index] ?? 0;
      target.set(bytes.subarray(start, start + block.rows * width), row * width);
      row += block.rows;
    }
    return column;
  });
}

function findBlocks(bytes: Uint8Array): { blocks: Block[]; types: string[] } {
  const blocks: Block[] = [];
  let types: string[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new TypeError(`a Native result ends in the middle, at byte ${at}`);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const text = (): string => {
    const length = varint();
    at += length;
    return Buffer.from(bytes.buffer, bytes.byteOffset + at - length, length).toString('utf8');
  };
  while (at < bytes.length) {
    const columns = varint();
    const rows = varint();
    const starts: number[] = [];
    const found: string[] = [];
    for (let column = 0; column < columns; column++) {
      text();
      const type = text();
      const width = BYTES.get(type);
      if (width === undefined)
        throw new TypeError(`a Native column of type ${type}: cast it to Float64 or UInt32`);
      found.push(type);
      starts.push(at);
      at += rows * width;
    }
    if (at > bytes.length)
      throw new TypeError(`a Native result of ${bytes.length} bytes lacks ${at - bytes.length}`);
    types = found;
    blocks.push({ rows, starts });
  }
  return { blocks, types };
}
