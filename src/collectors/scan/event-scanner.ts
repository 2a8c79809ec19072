import { type Named, NO_VALUES } from '../../domain/prediction.js';
import type { PlainText } from '../../domain/row-list.js';
import type { EventForm, Role } from '../event-form.js';
import { SCAN_WASM } from './scan-wasm.js';
import type { SlotLists } from './slot-lists.js';

/** What the scanner asks for. */
export interface ScannerHost {
  /** The value of a number that is written too long to be exact. */
  readonly number: (text: string) => number;
  /** ms since the epoch; NaN where a time cannot be read. */
  readonly time: (value: number | string) => number;
  /** Kinds of the form's slots of features for this version, in their order; null when it is not registered. */
  readonly kinds: (form: EventForm, model: string, modelVersion: string) => readonly Kind[] | null;
}

export type Kind = 'numeric' | 'categorical' | undefined;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly scan: (form: number, start: number) => number;
  readonly forget: () => void;
  readonly forgetTexts: () => void;
  readonly heapBase: () => number;
  readonly floats: () => number;
  readonly words: () => number;
  readonly numbers: () => number;
  readonly numberSlots: () => number;
  readonly texts: () => number;
  readonly tags: () => number;
  readonly label: () => number;
  readonly fresh: () => number;
  readonly reciprocals: () => number;
}

/** The part of the runtime's API that is used: the types of Node 20 do not have it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: unknown };
};

/** In the order of the constants in assembly/scan.ts. */
const ROLES: readonly Role[] = [
  'feature',
  'tag',
  'ignored',
  'model',
  'modelVersion',
  'predictionId',
  'timestamp',
  'prediction',
  'proba',
  'latencyMs',
  'rowIndex',
];
const KINDS: readonly Kind[] = [undefined, 'numeric', 'categorical'];
const PAGE = 65_536;
/** Zeros behind the text: nothing that is looked for goes on in them. */
const MARGIN = 16;
/** Powers of five whose reciprocals the scanner has. */
const MOST_DECIMALS = 27;
/** 32-bit words of a slot, and of a text's entry. */
const SLOT_WORDS = 4;
const ENTRY_WORDS = 6;
/** The order of what `words` holds. */
const [IS_NUMBER, ID_FROM, ID_END, NUMBERS, TEXTS, TAGS, FRESH] = [0, 1, 2, 3, 4, 5, 6];

let compiled: object | null = null;

/** Reads events of known forms out of text that was loaded. */
export function createEventScanner(host: ScannerHost) {
  compiled ??= new WebAssembly.Module(Buffer.from(SCAN_WASM, 'base64'));
  const forms = new Map<number, EventForm>();
  const wasm = new WebAssembly.Instance(compiled, {
    numbers: {
      hostNumber: (from: number, end: number) => host.number(latin1(from, end)),
    },
    times: {
      timeOfNumber: (value: number) => host.time(value),
      timeOfText: (from: number, end: number) => host.time(latin1(from, end)),
    },
    scan: { hostKinds: setKinds },
  }).exports as Exports;
  const heap = wasm.heapBase();
  const at = {
    floats: wasm.floats() / 8,
    words: wasm.words() / 4,
    numbers: wasm.numbers() / 8,
    numberSlots: wasm.numberSlots() / 4,
    texts: wasm.texts() / 4,
    tags: wasm.tags() / 4,
    label: wasm.label() / 4,
    fresh: wasm.fresh() / 4,
  };
  let bytes = Buffer.from(wasm.memory.buffer);
  let words = new Uint32Array(wasm.memory.buffer);
  let floats = new Float64Array(wasm.memory.buffer);
  let input = heap;
  const id = { bytes: bytes as Uint8Array, from: 0, end: 0 };
  for (let power = 1; power <= MOST_DECIMALS; power += 1) {
    const fives = 5n ** BigInt(power);
    const bits = BigInt(fives.toString(2).length + 127);
    const reciprocal = (1n << bits) / fives + 1n;
    bytes.writeBigUInt64LE(reciprocal & 0xffff_ffff_ffff_ffffn, wasm.reciprocals() + 16 * power);
    bytes.writeBigUInt64LE(reciprocal >> 64n, wasm.reciprocals() + 16 * power + 8);
  }
  /** Short texts by their number. */
  const known: string[] = [];

  const latin1 = (from: number, end: number) => bytes.toString('latin1', from, end);

  function reserve(end: number): void {
    if (end <= bytes.length) return;
    wasm.memory.grow(Math.ceil((end - bytes.length) / PAGE));
    bytes = Buffer.from(wasm.memory.buffer);
    words = new Uint32Array(wasm.memory.buffer);
    floats = new Float64Array(wasm.memory.buffer);
  }

  function setKinds(
    address: number,
    modelFrom: number,
    modelEnd: number,
    versionFrom: number,
    versionEnd: number,
  ): number {
    const form = forms.get(address);
    if (form === undefined) throw new RangeError(`no form at ${address}`);
    const kinds = host.kinds(form, latin1(modelFrom, modelEnd), latin1(versionFrom, versionEnd));
    if (kinds === null) return 0;
    for (const [slot, kind] of kinds.entries())
      words[address / 4 + 2 + SLOT_WORDS * slot] = KINDS.indexOf(kind);
    return 1;
  }

  function scanned(form: number, start: number): number {
    try {
      return wasm.scan(form, start);
    } catch (error) {
      // The host threw: which texts are new was not said.
      wasm.forgetTexts();
      throw error;
    }
  }

  function textAt(entry: number): string {
    // A number that is kept as text.
    if (words[entry + 1] === 1) return String(floats[(entry + 4) / 2]);
    const number = (words[entry + 4] as number) | 0;
    return number >= 0
      ? (known[number] as string)
      : latin1(words[entry + 2] as number, words[entry + 3] as number);
  }

  function label(): string {
    return textAt(at.label);
  }

  /** The numbers that were scanned, in the list of their slots. */
  function numbersInto(lists: SlotLists<number>): Named<number> {
    const count = words[at.words + NUMBERS] as number;
    if (count === 0) return NO_VALUES;
    const list = lists.find(words, at.numberSlots, 1, count);
    const { values } = list;
    const first = at.numbers;
    for (let index = 0; index < count; index += 1) values[index] = floats[first + index] as number;
    return list;
  }

  function textsInto(lists: SlotLists<string>, first: number, count: number): Named<string> {
    if (count === 0) return NO_VALUES;
    const list = lists.find(words, first, ENTRY_WORDS, count);
    const { values } = list;
    for (let index = 0; index < count; index += 1) values[index] = textAt(first + ENTRY_WORDS * index);
    return list;
  }

  return {
    timestampMs: () => floats[at.floats] as number,
    prediction: () => (words[at.words + IS_NUMBER] === 1 ? (floats[at.floats + 1] as number) : label()),
    proba: () => floats[at.floats + 2] as number,
    latencyMs: () => floats[at.floats + 3] as number,
    rowIndex: () => floats[at.floats + 4] as number,
    predictionId: () => latin1(words[at.words + ID_FROM] as number, words[at.words + ID_END] as number),
    /** Where the id stands until the next scan; null when the event has none. */
    plainId: (): PlainText | null => {
      const end = words[at.words + ID_END] as number;
      if (end === 0) return null;
      id.bytes = bytes;
      id.from = words[at.words + ID_FROM] as number;
      id.end = end;
      return id;
    },
    numbersInto,
    textsInto: (lists: SlotLists<string>) => textsInto(lists, at.texts, words[at.words + TEXTS] as number),
    tagsInto: (lists: SlotLists<string>) => textsInto(lists, at.tags, words[at.words + TAGS] as number),

    /** Replaces all forms that were laid before; gives what `scan` calls them. What was loaded is gone. */
    layForms(list: readonly EventForm[]): readonly number[] {
      forms.clear();
      wasm.forget();
      let end = heap;
      const addresses = list.map((form) => {
        const address = (end + 7) & ~7;
        const patterns = [...form.slots.map(({ before }) => before), form.after];
        let pattern = address + 4 * (1 + SLOT_WORDS * form.slots.length + 2);
        end = pattern + patterns.reduce((total, { length }) => total + length, 0);
        reserve(end);
        const head = address / 4;
        words[head] = form.slots.length;
        for (const [index, part] of patterns.entries()) {
          const slot = form.slots[index];
          const place = head + 1 + SLOT_WORDS * index;
          if (slot !== undefined) words[place] = ROLES.indexOf(slot.role);
          const where = slot === undefined ? place : place + 2;
          words[where] = pattern;
          words[where + 1] = part.length;
          bytes.set(part, pattern);
          pattern += part.length;
        }
        forms.set(address, form);
        return address;
      });
      input = (end + 7) & ~7;
      return addresses;
    },

    /** Takes a part of a text in place of the last one; `scan` counts from its beginning. */
    load(text: Buffer, from: number, to: number): void {
      const end = input + to - from;
      reserve(end + MARGIN);
      text.copy(bytes, input, from, to);
      bytes.fill(0, end, end + MARGIN);
    },

    /** The kinds of features, or the time, may be others from now on. */
    forget: wasm.forget,

    /** The position behind the event that starts at `start`; -1 when it is not of the form, or not plain. */
    scan(form: number, start: number): number {
      const end = scanned(form, input + start);
      const fresh = words[at.words + FRESH] as number;
      for (let index = 0; index < fresh; index += 1) {
        const entry = at.fresh + 3 * index;
        known[words[entry] as number] = latin1(words[entry + 1] as number, words[entry + 2] as number);
      }
      return end < 0 ? end : end - input;
    },
  };
}

export type EventScanner = ReturnType<typeof createEventScanner>;
