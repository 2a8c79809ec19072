/** Names and values of one row; the next row with the same names overwrites the values. */
export interface NamedList<Value> {
  readonly names: readonly string[];
  readonly values: Value[];
}

/** Lists that are remembered: of rows in which other values are null. */
const LISTS = 32;

/** Lists for the values of a form's slots: rows with values in the same slots share one, so that their names are one array. */
export class SlotLists<Value> {
  readonly #names: readonly string[];
  readonly #known: { readonly slots: readonly number[]; readonly list: NamedList<Value> }[] = [];
  #oldest = 0;

  /** @param names of the slots */
  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** The list for values in `count` slots, which stand in `words` from `first` on, one every `stride` words. */
  find(words: Uint32Array, first: number, stride: number, count: number): NamedList<Value> {
    const known = this.#known;
    for (let at = 0; at < known.length; at += 1) {
      const found = known[at] as (typeof known)[number];
      if (!fits(found.slots, words, first, stride, count)) continue;
      // The one that fitted is tried first next time.
      if (at > 0) [known[0], known[at]] = [found, known[0] as (typeof known)[number]];
      return found.list;
    }
    const slots = Array.from({ length: count }, (_, index) => words[first + stride * index] as number);
    const list = { names: slots.map((slot) => this.#names[slot] as string), values: [] };
    known[known.length < LISTS ? known.length : 1 + (this.#oldest++ % (LISTS - 1))] = { slots, list };
    return list;
  }
}

function fits(
  slots: readonly number[],
  words: Uint32Array,
  first: number,
  stride: number,
  count: number,
): boolean {
  if (slots.length !== count) return false;
  for (let index = 0; index < count; index += 1)
    if (slots[index] !== words[first + stride * index]) return false;
  return true;
}
