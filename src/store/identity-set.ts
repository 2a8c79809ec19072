/** A set of 64-bit hashes that may take a hash for another one, never the other way round. Grows; nothing is removed. */
export interface IdentitySet {
  /** Adds a hash, given as two halves. False: it was certainly not there; true: it was, or (less than once in 10^7) another one. */
  add(high: number, low: number): boolean;
  /** Makes room for as many more at once: one table is quicker to look into than several. */
  reserve(count: number): void;
  /** Hashes added, the ones taken for others left out. */
  readonly size: number;
  readonly bytes: number;
}

interface Table {
  /** The high half of a hash, from the place that its low half names; 0 is free. */
  readonly slots: Uint32Array;
  used: number;
}

const FIRST_SLOTS = 2 ** 16;
/** Fuller, and a look takes too many steps. */
const FULLEST = 0.75;

/**
 * Half of each hash is kept, in tables with open addressing: 5.3 to 10.7 bytes for each. A full table stays, and a new one doubles
 * the room, because a place is named by the half that is not kept. (A Bloom filter of 12 bits would be smaller, but of a batch of
 * 5,000 rows it would suspect 35, so that the engine had to be asked about every batch after all.)
 */
export function createIdentitySet(): IdentitySet {
  const tables: Table[] = [];
  let slots = 0;
  let size = 0;

  function grow(least: number): Table {
    let length = Math.max(FIRST_SLOTS, slots);
    while (length * FULLEST < least) length *= 2;
    const table = { slots: new Uint32Array(length), used: 0 };
    slots += length;
    tables.push(table);
    return table;
  }

  /** Where the mark is in the table, or its free place as a negative number. */
  function placeOf(table: Table, mark: number, low: number): number {
    const { slots: marks } = table;
    const mask = marks.length - 1;
    for (let at = low & mask; ; at = (at + 1) & mask) {
      const found = marks[at];
      if (found === mark) return at;
      if (found === 0) return -1 - at;
    }
  }

  const newest = () => tables[tables.length - 1] ?? grow(0);

  return {
    add(high, low) {
      const mark = high === 0 ? 1 : high;
      const last = newest();
      const place = placeOf(last, mark, low);
      if (place >= 0) return true;
      for (let index = tables.length - 2; index >= 0; index -= 1)
        if (placeOf(tables[index] as Table, mark, low) >= 0) return true;
      last.slots[-1 - place] = mark;
      last.used += 1;
      size += 1;
      if (last.used >= last.slots.length * FULLEST) grow(0);
      return false;
    },
    reserve(count) {
      const last = newest();
      if (last.used + count > last.slots.length * FULLEST) grow(count);
    },
    get size() {
      return size;
    },
    get bytes() {
      return 4 * slots;
    },
  };
}
