/** Columns of one block of the engine's Native format. Only what we ask for: Float64 and UInt32, not nullable. */
export type NativeColumn = Float64Array | Uint32Array;

/**
 * Reads a result of `FORMAT Native`: blocks of varint columns, varint rows, then name, type and values of each column, little-endian.
 * The arrays of a block are overwritten by the next one. Throws TypeError for a type other than Float64 and UInt32, and for a result
 * that ends in the middle.
 */
export function* readNativeBlocks(bytes: Uint8Array): Generator<NativeColumn[]> {
  const scratch: NativeColumn[] = [];
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
  /** The values that follow, copied to where they are aligned. */
  const values = (index: number, rows: number, type: string): NativeColumn => {
    if (type !== 'Float64' && type !== 'UInt32')
      throw new TypeError(`a Native column of type ${type}: cast it to Float64 or UInt32`);
    const width = type === 'Float64' ? 8 : 4;
    if (at + rows * width > bytes.length)
      throw new TypeError(`a Native result of ${bytes.length} bytes ends in the middle of ${rows} values`);
    let own = scratch[index];
    if (own === undefined || own.length < rows)
      own = type === 'Float64' ? new Float64Array(rows) : new Uint32Array(rows);
    scratch[index] = own;
    new Uint8Array(own.buffer).set(bytes.subarray(at, at + rows * width));
    at += rows * width;
    return own.subarray(0, rows);
  };
  while (at < bytes.length) {
    const columns = varint();
    const rows = varint();
    const block: NativeColumn[] = [];
    for (let column = 0; column < columns; column++) {
      text();
      block.push(values(column, rows, text()));
    }
    if (rows > 0) yield block;
  }
}
