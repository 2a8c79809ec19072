import { type Named, NO_VALUES, type PredictionRow, type RowSource } from '../domain/prediction.js';
import {
  FUTURE_TOLERANCE_MS,
  MAX_EVENT_BYTES,
  MAX_ID_LENGTH,
  MAX_KEY_LENGTH,
  MAX_TEXT_LENGTH,
  parseTime,
} from './decode-event.js';
import { type EventForm, learnForm, type Slot } from './event-form.js';
import { createValueReader } from './event-values.js';
import { createSharedNames } from './shared-names.js';

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
  /**
   * The row of the event whose text starts at `start`, exactly as JSON.parse and `decodePrediction` make it; null when the event is not
   * written like one that was learnt, or has anything that is not plain and valid: then these two have the word.
   */
  read(bytes: Buffer, start: number, source: RowSource): PredictionRow | null;
  /** After a row: the position behind its event. */
  end(): number;
  /** Remembers how an event is written that `read` could not read and that became a row. */
  learn(bytes: Buffer, start: number, end: number): void;
}

interface KnownForm extends EventForm {
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
  const sharedNumeric = createSharedNames();
  const sharedTexts = createSharedNames();
  const sharedTags = createSharedNames();
  // What one row has, gathered here: lists that grow in each row anew would be most of the garbage.
  const numericNames: string[] = [];
  const numbers: number[] = [];
  const textNames: string[] = [];
  const texts: string[] = [];
  const tagNames: string[] = [];
  const tags: string[] = [];
  const forms: KnownForm[] = [];
  let triesLeft = TRIES;
  let end = 0;

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
    const kinds = featureKinds(model, modelVersion);
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
    let numberCount = 0;
    let textCount = 0;
    let tagCount = 0;
    // A form whose features stand before its model is never read: their kinds are not known yet.
    let kindsKnown = false;
    values.at = start;

    for (let index = 0; index < form.slots.length; index += 1) {
      const slot = form.slots[index] as Slot;
      if (!isNext(bytes, slot.before)) return null;
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
            numericNames[numberCount] = slot.name;
            numbers[numberCount] = Number(value);
            numberCount += 1;
          } else {
            if (typeof value === 'string' && value.length > MAX_TEXT_LENGTH) return null;
            textNames[textCount] = slot.name;
            texts[textCount] = String(value);
            textCount += 1;
          }
          break;
        }
        case 'tag':
          if (value === null) break;
          if (typeof value === 'string' && value.length > MAX_TEXT_LENGTH) return null;
          tagNames[tagCount] = slot.name;
          tags[tagCount] = String(value);
          tagCount += 1;
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
    if (!isNext(bytes, form.after) || values.at - start > MAX_EVENT_BYTES) return null;
    if (!kindsKnown && !kindsFor(form, model, modelVersion)) return null;
    if (timestampMs > wallClock() + FUTURE_TOLERANCE_MS || timestampMs < earliestMs(model)) return null;
    predictionId ??= idOf(source);
    if (predictionId === null) return null;
    end = values.at;
    return {
      model,
      modelVersion,
      predictionId,
      rowIndex,
      timestampMs,
      numeric: valuesOf(sharedNumeric, numericNames, numbers, numberCount),
      categorical: valuesOf(sharedTexts, textNames, texts, textCount),
      prediction,
      proba,
      probas: NO_VALUES,
      latencyMs,
      tags: valuesOf(sharedTags, tagNames, tags, tagCount),
      source,
    };
  }

  return {
    read(bytes, start, source) {
      for (let at = 0; at < forms.length; at += 1) {
        const form = forms[at] as KnownForm;
        const row = readForm(form, bytes, start, source);
        if (row === null) continue;
        // The one that fitted is tried first next time.
        if (at > 0) [forms[0], forms[at]] = [form, forms[0] as KnownForm];
        triesLeft = TRIES;
        return row;
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
      forms.unshift({ ...form, kinds: undefined, kindOfSlot: [] });
    },
  };
}

function valuesOf<Value>(
  shared: ReturnType<typeof createSharedNames>,
  names: readonly string[],
  values: readonly Value[],
  count: number,
): Named<Value> {
  return count === 0 ? NO_VALUES : { names: shared(names, count), values: values.slice(0, count) };
}

function sameForm(a: EventForm, b: EventForm): boolean {
  return (
    a.slots.length === b.slots.length &&
    Buffer.compare(a.after, b.after) === 0 &&
    a.slots.every((slot, index) => Buffer.compare(slot.before, b.slots[index]?.before ?? NULL) === 0)
  );
}
