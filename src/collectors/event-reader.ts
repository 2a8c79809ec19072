import { NO_VALUES, type PredictionRow, type RowSource } from '../domain/prediction.js';
import {
  FUTURE_TOLERANCE_MS,
  MAX_EVENT_BYTES,
  MAX_ID_LENGTH,
  MAX_KEY_LENGTH,
  MAX_TEXT_LENGTH,
  parseTime,
} from './decode-event.js';
import { type EventForm, learnForm, type Slot } from './event-form.js';
import { createGatherer } from './event-gatherer.js';
import { type Pattern, patternOf } from './event-pattern.js';
import { createValueReader } from './event-values.js';

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
  read(bytes: Buffer, start: number, source: RowSource): PredictionRow | null;
  /** After a row: the position behind its event. */
  end(): number;
  /** Remembers how an event is written that `read` could not read and that became a row. */
  learn(bytes: Buffer, start: number, end: number): void;
}

interface KnownForm extends EventForm {
  /** Before the values, and after the last one. */
  readonly patterns: readonly Pattern[];
  /** For which `kindOfSlot` was made. */
  kinds: Kinds | undefined;
  kindOfSlot: readonly ('numeric' | 'categorical' | undefined)[];
}

const FORMS = 8;
/** Events learnt without one being read; beyond it a sender's events have no form worth looking for. */
const TRIES = 200;

const NULL = Buffer.from('null');
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const QUOTE = 0x22;

/**
 * Reads prediction events from their bytes straight into rows, without the objects in between: a third of the time of JSON.parse and
 * decoding, and almost no garbage. It knows the forms in which events came; whatever differs is left to the ordinary way.
 */
export function createEventReader(options: EventReaderOptions): EventReader {
  const { featureKinds, earliestMs, wallClock, idOf } = options;
  const values = createValueReader();
  const numbers = createGatherer<number>();
  const texts = createGatherer<string>();
  const tags = createGatherer<string>();
  // One for all events: a new one for each, with its lists, would be most of the garbage.
  const row: { -readonly [Key in keyof PredictionRow]: PredictionRow[Key] } = {
    model: '',
    modelVersion: '',
    predictionId: '',
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
  const forms: KnownForm[] = [];
  let triesLeft = TRIES;
  let end = 0;
  // Of the version whose events are read.
  let knownModel = '';
  let knownVersion = '';
  let knownKinds: Kinds | undefined;
  let oldestMs = 0;
  let newestMs = 0;
  let view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));

  function isPattern(bytes: Buffer, { length, words, rest }: Pattern): boolean {
    const { at } = values;
    if (at + length > bytes.length) return false;
    let place = bytes.byteOffset + at;
    for (let index = 0; index < words.length; index += 1) {
      if (view.getUint32(place, true) !== words[index]) return false;
      place += 4;
    }
    for (let index = 0; index < rest.length; index += 1)
      if (view.getUint8(place + index) !== rest[index]) return false;
    values.at = at + length;
    return true;
  }

  function isNext(bytes: Buffer, expected: Uint8Array): boolean {
    const { at } = values;
    for (let index = 0; index < expected.length; index += 1)
      if (bytes[at + index] !== expected[index]) return false;
    values.at = at + expected.length;
    return true;
  }

  /** Undefined when there is no value that can be read here. */
  function scalar(bytes: Buffer): number | string | boolean | null | undefined {
    const byte = bytes[values.at];
    if (byte === QUOTE) return values.text(bytes) ?? undefined;
    if (byte === 0x6e) return isNext(bytes, NULL) ? null : undefined;
    if (byte === 0x74) return isNext(bytes, TRUE) ? true : undefined;
    if (byte === 0x66) return isNext(bytes, FALSE) ? false : undefined;
    const number = values.number(bytes);
    return Number.isNaN(number) ? undefined : number;
  }

  function timestamp(bytes: Buffer): number {
    const plain = values.time(bytes);
    return Number.isNaN(plain) ? parseTime(scalar(bytes)) : plain;
  }

  function kindsFor(form: KnownForm, model: string, modelVersion: string): boolean {
    if (model !== knownModel || modelVersion !== knownVersion) {
      knownModel = model;
      knownVersion = modelVersion;
      knownKinds = featureKinds(model, modelVersion);
      oldestMs = earliestMs(model);
      newestMs = wallClock() + FUTURE_TOLERANCE_MS;
    }
    const kinds = knownKinds;
    if (kinds === undefined) return false;
    if (form.kinds !== kinds) {
      form.kinds = kinds;
      form.kindOfSlot = form.slots.map(({ name, role }) =>
        role === 'feature' ? kinds.get(name) : undefined,
      );
    }
    return true;
  }

  /** What one value of a form may be, of which `decodePrediction` would not say more. */
  function readForm(form: KnownForm, bytes: Buffer, start: number, source: RowSource): PredictionRow | null {
    let model = '';
    let modelVersion = '';
    let predictionId: string | null = null;
    let rowIndex = 0;
    let timestampMs = Number.NaN;
    let prediction: number | string | null = null;
    let proba: number | null = null;
    let latencyMs: number | null = null;
    numbers.clear();
    texts.clear();
    tags.clear();
    // A form whose features stand before its model is never read: their kinds are not known yet.
    let kindsKnown = false;
    values.at = start;
    if (view.buffer !== bytes.buffer) view = new DataView(bytes.buffer);

    for (let index = 0; index < form.slots.length; index += 1) {
      const slot = form.slots[index] as Slot;
      if (!isPattern(bytes, form.patterns[index] as Pattern)) return null;
      if (slot.role === 'timestamp') {
        timestampMs = timestamp(bytes);
        if (!Number.isFinite(timestampMs)) return null;
        continue;
      }
      const value =
        slot.role === 'predictionId' && bytes[values.at] === QUOTE
          ? (values.newText(bytes) ?? undefined)
          : scalar(bytes);
      if (value === undefined) return null;
      switch (slot.role) {
        case 'feature': {
          if (!kindsKnown) {
            if (model === '' || modelVersion === '' || !kindsFor(form, model, modelVersion)) return null;
            kindsKnown = true;
          }
          if (value === null) break;
          const kind = form.kindOfSlot[index];
          if (
            typeof value === 'number'
              ? kind !== 'categorical'
              : value === true || value === false
                ? kind === 'numeric'
                : false
          ) {
            numbers.add(slot.name, Number(value));
          } else {
            if (typeof value === 'string' && value.length > MAX_TEXT_LENGTH) return null;
            texts.add(slot.name, String(value));
          }
          break;
        }
        case 'tag':
          if (value === null) break;
          if (typeof value === 'string' && value.length > MAX_TEXT_LENGTH) return null;
          tags.add(slot.name, String(value));
          break;
        case 'model':
          if (typeof value !== 'string' || value === '' || value.length > MAX_KEY_LENGTH) return null;
          model = value;
          break;
        case 'modelVersion':
          if (typeof value !== 'string' || value === '' || value.length > MAX_KEY_LENGTH) return null;
          modelVersion = value;
          break;
        case 'predictionId':
          if (typeof value !== 'string' || value === '' || value.length > MAX_ID_LENGTH) return null;
          predictionId = value;
          break;
        case 'rowIndex':
          if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0xffffffff)
            return null;
          rowIndex = value;
          break;
        case 'prediction':
          if (typeof value === 'boolean') prediction = Number(value);
          else if (
            typeof value === 'number'
              ? Number.isFinite(value)
              : value !== null && value.length <= MAX_TEXT_LENGTH
          )
            prediction = value;
          else return null;
          break;
        case 'proba':
          if (value !== null && !(typeof value === 'number' && value >= 0 && value <= 1)) return null;
          proba = value;
          break;
        case 'latencyMs':
          if (value !== null && !(typeof value === 'number' && value >= 0 && Number.isFinite(value)))
            return null;
          latencyMs = value;
          break;
        default:
          break;
      }
    }
    const last = form.patterns[form.slots.length] as Pattern;
    if (!isPattern(bytes, last) || values.at - start > MAX_EVENT_BYTES) return null;
    if (!kindsKnown && !kindsFor(form, model, modelVersion)) return null;
    if (timestampMs > newestMs || timestampMs < oldestMs) return null;
    predictionId ??= idOf(source);
    if (predictionId === null) return null;
    end = values.at;
    row.model = model;
    row.modelVersion = modelVersion;
    row.predictionId = predictionId;
    row.rowIndex = rowIndex;
    row.timestampMs = timestampMs;
    row.numeric = numbers.list();
    row.categorical = texts.list();
    row.prediction = prediction;
    row.proba = proba;
    row.latencyMs = latencyMs;
    row.tags = tags.list();
    row.source = source;
    return row;
  }

  return {
    begin() {
      knownModel = '';
    },
    read(bytes, start, source) {
      for (let at = 0; at < forms.length; at += 1) {
        const form = forms[at] as KnownForm;
        const found = readForm(form, bytes, start, source);
        if (found === null) continue;
        // The one that fitted is tried first next time.
        if (at > 0) [forms[0], forms[at]] = [form, forms[0] as KnownForm];
        triesLeft = TRIES;
        return found;
      }
      return null;
    },
    end: () => end,
    learn(bytes, start, stop) {
      if (triesLeft === 0) return;
      triesLeft -= 1;
      const form = learnForm(bytes, start, stop);
      if (form === null || forms.some((known) => sameForm(known, form))) return;
      if (forms.length === FORMS) forms.pop();
      const patterns = [...form.slots.map(({ before }) => before), form.after].map(patternOf);
      forms.unshift({ ...form, patterns, kinds: undefined, kindOfSlot: [] });
    },
  };
}

function sameForm(a: EventForm, b: EventForm): boolean {
  return (
    a.slots.length === b.slots.length &&
    Buffer.compare(a.after, b.after) === 0 &&
    a.slots.every((slot, index) => Buffer.compare(slot.before, b.slots[index]?.before ?? NULL) === 0)
  );
}
