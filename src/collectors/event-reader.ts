import { NO_VALUES, type RowSource } from '../domain/prediction.js';
import type { BorrowedPrediction } from '../domain/row-list.js';
import { FUTURE_TOLERANCE_MS, MAX_EVENT_BYTES, parseTime } from './decode-event.js';
import { type EventForm, learnForm } from './event-form.js';
import { createEventScanner, type Kind } from './scan/event-scanner.js';
import { SlotLists } from './scan/slot-lists.js';

type Kinds = ReadonlyMap<string, 'numeric' | 'categorical'>;

export interface EventReaderOptions {
  readonly featureKinds: (model: string, modelVersion: string) => Kinds | undefined;
  readonly earliestMs: (model: string) => number;
  /** The real time, ms. */
  readonly wallClock: () => number;
  /** Identity of an event without one, or null. */
  readonly idOf: (source: RowSource) => string | null;
}

export interface EventReader {
  /** To be called before events are read: what is registered, and what the time is, is asked once for all that follow. */
  begin(): void;
  /**
   * The row of the event whose text starts at `start`, exactly as JSON.parse and `decodePrediction` make it; null when the event is not
   * written like one that was learnt, or has anything that is not plain and valid: then these two have the word. The next row overwrites it.
   */
  read(bytes: Buffer, start: number, source: RowSource): BorrowedPrediction | null;
  /** After a row: the position behind its event, and behind the white space up to the end of the line. */
  end(): number;
  /** Remembers how an event is written that could not be read. */
  learn(bytes: Buffer, start: number, end: number): void;
}

interface KnownForm extends EventForm {
  readonly numbers: SlotLists<number>;
  readonly texts: SlotLists<string>;
  readonly tags: SlotLists<string>;
  /** Where the scanner has it. */
  address: number;
}

const FORMS = 16;
/**
 * Learning costs as much as parsing. It is paid with credit, which events that are read earn, and a little the time: senders whose events are
 * all different, or none of ours, cost little for long, and those that come after them are learnt all the same.
 */
const MOST_CREDIT = 256;
const CREDIT_OF_A_BEGIN = 8;
/** What pushes a form out has all others laid anew, and may be the next to go. */
const COST_OF_A_CHANGE = 64;
/** Taken to the scanner at once: a slice of a body, and an event at its end. */
const LOAD_BYTES = 144 * 1_024;
/** Longest event that is read for certain; a longer one may be left to the ordinary way. */
const LONG_BYTES = LOAD_BYTES / 2;

const TAB = 0x09;
const RETURN = 0x0d;
const SPACE = 0x20;

const NOTHING = Buffer.alloc(0);
const NOTHING_LOADED = { text: NOTHING, from: 0, to: 0 };

/**
 * Reads prediction events from their bytes straight into rows, without the objects in between: a fraction of the time of JSON.parse and
 * decoding, and almost no garbage. It knows the forms in which events came; whatever differs is left to the ordinary way.
 */
export function createEventReader(options: EventReaderOptions): EventReader {
  const { featureKinds, earliestMs, wallClock, idOf } = options;
  const scanner = createEventScanner({ number: Number, time: parseTime, kinds: kindsOf });
  // One for all events: a new one for each, with its lists, would be most of the garbage.
  const row: { -readonly [Key in keyof BorrowedPrediction]: BorrowedPrediction[Key] } = {
    model: '',
    modelVersion: '',
    /** Only made when somebody asks for it. */
    get predictionId() {
      idText ??= scanner.predictionId();
      return idText;
    },
    plainId: null,
    rowIndex: 0,
    timestampMs: 0,
    numeric: NO_VALUES,
    categorical: NO_VALUES,
    prediction: 0,
    proba: null,
    probas: NO_VALUES,
    latencyMs: null,
    tags: NO_VALUES,
    source: { kind: '', topic: '', partition: -1, offset: -1 },
  };
  let idText: string | null = null;
  const forms: KnownForm[] = [];
  let credit = MOST_CREDIT;
  let end = 0;
  /** What the scanner has: bytes `from` to `to` of `text`. */
  let loaded: { readonly text: Buffer; readonly from: number; readonly to: number } = NOTHING_LOADED;
  // Of the version whose events are read.
  let knownModel = '';
  let knownVersion = '';
  let oldestMs = 0;
  let newestMs = 0;

  function kindsOf(form: EventForm, model: string, modelVersion: string): readonly Kind[] | null {
    const kinds = featureKinds(model, modelVersion);
    if (kinds === undefined) return null;
    knownModel = model;
    knownVersion = modelVersion;
    oldestMs = earliestMs(model);
    newestMs = wallClock() + FUTURE_TOLERANCE_MS;
    return form.slots.map(({ name, role }) => (role === 'feature' ? kinds.get(name) : undefined));
  }

  const earn = (more: number) => {
    credit = Math.min(MOST_CREDIT, credit + more);
  };

  function load(text: Buffer, from: number): void {
    const to = Math.min(text.length, from + LOAD_BYTES);
    scanner.load(text, from, to);
    loaded = { text, from, to };
  }

  /** Where the event ends; -1 when it is not of the form. */
  function scan(form: KnownForm, text: Buffer, start: number): number {
    const found = scanner.scan(form.address, start - loaded.from);
    if (found >= 0) return found + loaded.from;
    // Perhaps it is cut where what was loaded ends. Not each of many events that cannot be read may have all loaded anew.
    if (loaded.to === text.length || loaded.to - start >= LONG_BYTES) return -1;
    load(text, start);
    const again = scanner.scan(form.address, 0);
    return again < 0 ? -1 : again + start;
  }

  function rowOf(form: KnownForm, source: RowSource): BorrowedPrediction | null {
    const timestampMs = scanner.timestampMs();
    if (timestampMs > newestMs || timestampMs < oldestMs) return null;
    const plainId = scanner.plainId();
    idText = plainId === null ? idOf(source) : null;
    if (plainId === null && idText === null) return null;
    const proba = scanner.proba();
    const latencyMs = scanner.latencyMs();
    row.model = knownModel;
    row.modelVersion = knownVersion;
    row.plainId = plainId;
    row.rowIndex = scanner.rowIndex();
    row.timestampMs = timestampMs;
    row.numeric = scanner.numbersInto(form.numbers);
    row.categorical = scanner.textsInto(form.texts);
    row.prediction = scanner.prediction();
    row.proba = Number.isNaN(proba) ? null : proba;
    row.latencyMs = Number.isNaN(latencyMs) ? null : latencyMs;
    row.tags = scanner.tagsInto(form.tags);
    row.source = source;
    return row;
  }

  function keep(form: EventForm): void {
    if (forms.length === FORMS) forms.pop();
    const names = form.slots.map(({ name }) => name);
    forms.unshift({
      ...form,
      numbers: new SlotLists(names),
      texts: new SlotLists(names),
      tags: new SlotLists(names),
      address: 0,
    });
    for (const [index, address] of scanner.layForms(forms).entries())
      (forms[index] as KnownForm).address = address;
    loaded = NOTHING_LOADED;
  }

  return {
    begin() {
      scanner.forget();
      loaded = NOTHING_LOADED;
      earn(CREDIT_OF_A_BEGIN);
    },
    read(text, start, source) {
      if (forms.length === 0) return null;
      if (text !== loaded.text || start < loaded.from || start >= loaded.to) load(text, start);
      for (let at = 0; at < forms.length; at += 1) {
        const form = forms[at] as KnownForm;
        const stop = scan(form, text, start);
        if (stop < 0 || stop - start > MAX_EVENT_BYTES) continue;
        const found = rowOf(form, source);
        if (found === null) continue;
        end = afterBlanks(text, stop);
        // The one that fitted is tried first next time, and the one that did so longest ago goes first.
        if (at > 0) forms.unshift(...forms.splice(at, 1));
        earn(1);
        return found;
      }
      return null;
    },
    end: () => end,
    learn(bytes, start, stop) {
      const cost = forms.length === FORMS ? COST_OF_A_CHANGE : 1;
      if (stop - start > LONG_BYTES || credit < cost) return;
      credit -= 1;
      const form = learnForm(bytes, start, stop);
      if (form === null || forms.some((known) => sameForm(known, form))) return;
      credit -= cost - 1;
      keep(form);
    },
  };
}

/** Lines that end in CRLF, or in a blank. */
function afterBlanks(text: Buffer, from: number): number {
  let at = from;
  while (text[at] === SPACE || text[at] === TAB || text[at] === RETURN) at += 1;
  return at;
}

function sameForm(a: EventForm, b: EventForm): boolean {
  return (
    a.slots.length === b.slots.length &&
    Buffer.compare(a.after, b.after) === 0 &&
    a.slots.every((slot, index) => Buffer.compare(slot.before, b.slots[index]?.before ?? NOTHING) === 0)
  );
}
