import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RowList } from '../domain/row-list.js';
import { hash64Into, hash64Text } from './identity.js';
import type { KnownIdentities } from './known-identities.js';

export interface DuplicateFinderOptions<Row> {
  /** The text whose hash is the row's identity, as it is stored. */
  readonly hashedText: (row: Row) => string;
  /** Hashes of a list that has them already; null for another one. */
  readonly hashesOf?: (rows: RowList<Row>) => Uint32Array | null;
  /** Equal for rows that are the same, and for no others. */
  readonly nameOf: (row: Row) => string;
  /** Names of those that are stored, of rows with these hashes (decimal texts): exactly as `storedNameOf` gives them. */
  readonly lookUp: (rows: RowList<Row>, hashes: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly storedNameOf: (row: Row) => string;
  /** Null for a store with other writers: only it can tell then. */
  readonly known: KnownIdentities | null;
}

export interface DuplicateFinder<Row> {
  /** Positions of rows that are stored already or came earlier in the list. `settled` is waited for before the store is asked. */
  find(rows: RowList<Row>, settled?: () => Promise<unknown>): Promise<ReadonlySet<number>>;
  /** To be told of all rows that go into the store. Gives their hashes: high half, low half, and so on. */
  note(rows: RowList<Row>): Uint32Array;
}

/** Rows hashed before the event loop gets a turn: a few milliseconds of work. */
const SLICE_ROWS = 10_000;

/** The store is asked about rows alone that are not certainly new. */
export function createDuplicateFinder<Row>(options: DuplicateFinderOptions<Row>): DuplicateFinder<Row> {
  const { hashedText, hashesOf = () => null, nameOf, lookUp, storedNameOf, known } = options;
  /** Of the lists that `find` has noted already. */
  const noted = new WeakMap<RowList<Row>, Uint32Array>();

  /** Fills the hashes of the rows from `start` on, as two halves each; gives the position behind the last one of a slice. */
  function hashSlice(rows: RowList<Row>, halves: Uint32Array, start: number): number {
    const end = Math.min(start + SLICE_ROWS, rows.length);
    for (let index = start; index < end; index += 1)
      hash64Into(hashedText(rows.at(index) as Row), halves, 2 * index);
    return end;
  }

  async function hash(rows: RowList<Row>): Promise<Uint32Array> {
    const there = hashesOf(rows);
    if (there !== null) return there;
    const halves = new Uint32Array(2 * rows.length);
    for (let at = 0; at < rows.length; ) {
      at = hashSlice(rows, halves, at);
      if (at < rows.length) await nextTurn();
    }
    return halves;
  }

  /** All positions whose hash is that of a suspect: of equal rows in one list the first may be none. */
  function candidatesOf(suspects: readonly number[], halves: Uint32Array): readonly number[] {
    const lows = new Set(suspects.map((index) => halves[2 * index + 1]));
    const found: number[] = [];
    for (let index = 0; 2 * index < halves.length; index += 1)
      if (lows.has(halves[2 * index + 1])) found.push(index);
    return found;
  }

  return {
    async find(rows, settled) {
      const duplicates = new Set<number>();
      if (rows.length === 0) return duplicates;
      const halves = await hash(rows);
      const suspects = known?.note(halves) ?? null;
      noted.set(rows, halves);
      if (suspects?.length === 0) return duplicates;
      await settled?.();
      known?.settled();
      const candidates =
        suspects === null
          ? Array.from({ length: rows.length }, (_, index) => index)
          : candidatesOf(suspects, halves);
      const hashes: string[] = [];
      for (const index of candidates) {
        hashes.push(hash64Text(halves[2 * index] as number, halves[2 * index + 1] as number));
        if (hashes.length % SLICE_ROWS === 0) await nextTurn();
      }
      const stored = await lookUp(rows, hashes);
      const before = new Set<string>();
      for (const index of candidates) {
        const row = rows.at(index) as Row;
        const name = nameOf(row);
        if (before.has(name) || (stored.size > 0 && stored.has(storedNameOf(row)))) duplicates.add(index);
        else before.add(name);
      }
      return duplicates;
    },
    note(rows) {
      const before = noted.get(rows);
      if (before !== undefined) return before;
      let halves = hashesOf(rows);
      if (halves === null) {
        halves = new Uint32Array(2 * rows.length);
        for (let at = 0; at < rows.length; ) at = hashSlice(rows, halves, at);
      }
      known?.note(halves);
      return halves;
    },
  };
}
