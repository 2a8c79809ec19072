/** Columns of one block of the engine's Native format. Only what we ask for: Float64, UInt32 and arrays of these, not nullable. */
export type NativeColumn = Float64Array | Uint32Array;

/**
 * Reads a result of `FORMAT Native`: blocks of varint columns, varint rows, then name, type and values of each column, little-endian.
 * A column of arrays gives two: where each row's values end, then the values of all rows. What a block gives is overwritten by the
 * next one. Throws TypeError for other types, and for a result that ends in the middle.
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
  const bytesOf = (wanted: number): Uint8Array => {
    if (at + wanted > bytes.length)
      throw new TypeError(`a Native result of ${bytes.length} bytes ends in the middle of ${wanted} more`);
    at += wanted;
    return bytes.subarray(at - wanted, at);
  };
  /** The values that follow, copied to where they are aligned. */
  const values = (index: number, rows: number, type: string): NativeColumn => {
    if (type !== 'Float64' && type !== 'UInt32')
      throw new TypeError(
        `a Native column of type ${type}: cast it to Float64 or UInt32, or arrays of these`,
      );
    let own = scratch[index];
    if (own === undefined || own.length < rows)
      own = type === 'Float64' ? new Float64Array(rows) : new Uint32Array(rows);
    scratch[index] = own;
    new Uint8Array(own.buffer).set(bytesOf(rows * (type === 'Float64' ? 8 : 4)));
    return own.subarray(0, rows);
  };
  /** UInt64 in the result; a block of 2³² values would not fit into memory. */
  const ends = (index: number, rows: number): NativeColumn => {
    const halves = values(index, 2 * rows, 'UInt32');
    for (let row = 0; row < rows; row++) halves[row] = halves[2 * row] ?? 0;
    return halves.subarray(0, rows);
  };
  while (at < bytes.length) {
    const columns = varint();
    const rows = varint();
    const block: NativeColumn[] = [];
    for (let column = 0; column < columns; column++) {
      text();
      const type = text();
      const element = /^Array\((.*)\)$/.exec(type)?.[1];
      if (element === undefined) block.push(values(block.length, rows, type));
      else {
        const rowEnds = ends(block.length, rows);
        block.push(rowEnds);
        block.push(values(block.length, rowEnds.at(-1) ?? 0, element));
      }
    }
    if (rows > 0) yield block;
  }
}
