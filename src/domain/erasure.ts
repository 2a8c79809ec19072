import { MAX_NESTING, parseExact, roundedText } from './json.js';
import type { CallHalf, LabelRow, PredictionRow, RejectedRow } from './prediction.js';
import type { VersionTally } from './row-list.js';

/** Whose rows are erased: one prediction's, or all that carry a tag's value. */
export type ErasureTarget =
  | { readonly kind: 'prediction'; readonly predictionId: string }
  | { readonly kind: 'subject'; readonly tag: string; readonly value: string };

/**
 * Whose a message is, where its reader finds that: by formats, and by the mapping of each model. Null where it has more events than are
 * looked at.
 */
export type TargetsIn = (message: string) => ((model: string) => Iterable<ErasureTarget>) | null;

/** What was erased, for those who have to show it. Holds nothing of the target. */
export interface Erasure {
  readonly id: string;
  readonly model: string;
  readonly kind: ErasureTarget['kind'];
  /** Real time, ms. */
  readonly atMs: number;
  /** Id of the API key that asked for it; `local` where the service has no keys. */
  readonly by: string;
  /** In the words of who did it; may be empty. */
  readonly reason: string;
  /** Rows that were removed, by table; those that had none are left out. */
  readonly erased: Readonly<Record<string, number>>;
  /** Prediction ids that are refused from now on. */
  readonly predictionIds: number;
}

/** Says of rows whether they were erased and must not come back. */
export interface ErasedRows {
  /** Whether anything of these versions' models was. */
  concerns(versions: Iterable<Pick<VersionTally, 'model'>>): boolean;
  prediction(row: PredictionRow): boolean;
  label(row: LabelRow): boolean;
  /** Whether its message holds what was erased; 'unknown' where it has more than is looked at. */
  rejected(row: RejectedRow): Promise<boolean | 'unknown'>;
  /** One that has more than is looked at is no half of those: it is looked at again when it has become rows, or a rejected one. */
  half(half: CallHalf): Promise<boolean>;
  /** Of a refused prediction: whether its subject alone is known to be erased, so that its labels are not refused yet. */
  bySubjectAlone(row: PredictionKey): boolean;
  /** Refuses these predictions by their ids too, with their labels: at once here, and in other processes when they read it. Durable when it resolves. */
  refuse(rows: readonly PredictionKey[]): Promise<void>;
}

type PredictionKey = Pick<PredictionRow, 'model' | 'predictionId'>;

export interface ErasureStore {
  /** What was erased so far; null where nothing was. Reads again only when something was added. */
  erasedRows(targetsIn?: TargetsIn): Promise<ErasedRows | null>;
  /**
   * Notes that a target's rows are refused from now on, then removes them from every table, and counts that they are gone. `values` are
   * the forms in which its id or value may be stored. Repeatable. Throws store_unavailable (retryable) when rows are left.
   */
  eraseRows(input: {
    readonly model: string;
    readonly target: ErasureTarget;
    readonly values: readonly string[];
    /** The forms in which the id of a stored prediction may stand elsewhere; left out where that is its own alone. */
    readonly formsOfId?: (predictionId: string) => readonly string[];
    /** Left out where messages carry ids and tags by their usual names alone. */
    readonly targetsIn?: TargetsIn;
    readonly atMs: number;
    /** Resolves when rows that were taken before the note are stored. */
    readonly settled: () => Promise<void>;
  }): Promise<{ erased: Record<string, number>; predictionIds: readonly string[] }>;
  /**
   * Removes labels that were stored before this process refused their predictions, some time after it did. Returns how many. Throws
   * store_unavailable: those left are removed by the next call.
   */
  removeRefusedLabels(): Promise<number>;
  saveErasure(erasure: Erasure): Promise<void>;
  /** Newest first. */
  listErasures(model: string): Promise<Erasure[]>;
}

/** Names under which messages carry the id of a prediction or call. */
const ID_NAMES: ReadonlySet<string> = new Set([
  'prediction_id',
  'predictionId',
  'id',
  'inference_id',
  'inferenceId',
  'event_id',
  'eventId',
  'requestid',
  'requestId',
  'request_id',
]);
/** A longer text is the same text by no accident, whatever it is called. */
const TELLING_LENGTH = 8;
/** Of the values, and of JSON in texts among them. */
const MAX_DEPTH = 2 * MAX_NESTING;
/** Values of a message that are looked at with their names: more would keep the event loop from all else. */
const MAX_VALUES = 200_000;
/** What an attempt to read a text as JSON counts as among them. */
const ATTEMPT_VALUES = 20;
/** Of a text in quotes: a longer one is no value. */
const MAX_QUOTED = 16_384;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** A named value in a message. */
interface Mention {
  readonly name: string;
  readonly value: string;
}

/**
 * All values in a message with their names, also in JSON inside texts; of what is no JSON, or has more values than are looked at, all that
 * stands in quotes, without names.
 */
export function* mentionsIn(text: string): Generator<Mention> {
  const whole = parsed(text);
  if (whole === undefined || !(yield* valuesOf(whole))) yield* quotedIn(text);
}

/** Between two texts of JSON, with numbers and words of its own: no id and no value. */
const SEPARATOR = /^\s*[,:{}[\]](?:[\s,:{}[\]\d.eE+-]|true|false|null|NaN|Infinity)*$/;

/**
 * What stands between two quotes, as it is written and without its escapes, whichever of the two opens: a quote too many, as of inches, would
 * turn all behind it inside out. Goes through a text once, whatever is in it.
 */
export function* quotedIn(text: string): Generator<Mention> {
  for (let open = text.indexOf('"'); open >= 0; ) {
    const end = endOfQuoted(text, open + 1);
    if (text.charCodeAt(end) !== QUOTE) {
      open = text.indexOf('"', end);
      continue;
    }
    const written = text.slice(open + 1, end);
    open = end;
    if (written === '' || written.length > MAX_QUOTED || SEPARATOR.test(written)) continue;
    yield { name: '', value: written };
    if (written.includes('\\')) yield { name: '', value: unescaped(written) };
  }
}

/** Where its quote is; or where it turns out that there is none: at the end of the text, or where a line ends in a backslash. */
function endOfQuoted(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code !== BACKSLASH) continue;
    if (text.charCodeAt(at + 1) === NEWLINE) return at;
    at += 1;
  }
  return text.length;
}

/** An escape that JSON does not know is the character itself: to fail on each would take long. */
const unescaped = (written: string) =>
  written.replace(/\\(?:u([\da-fA-F]{4})|([\s\S]))/g, (_, code: string | undefined, one: string) =>
    code === undefined ? (ESCAPES[one] ?? one) : String.fromCharCode(Number.parseInt(code, 16)),
  );

/** A list or object whose values are being looked at. */
interface Level {
  /** Its own name, which the values of a list share. */
  readonly name: string;
  readonly names: readonly string[] | null;
  readonly values: readonly unknown[];
  next: number;
}

const levelOf = (name: string, value: object): Level =>
  Array.isArray(value)
    ? { name, names: null, values: value, next: 0 }
    : { name, names: Object.keys(value), values: Object.values(value), next: 0 };

/** Returns whether these were all. It does not call itself: each value would pass through all the levels around it. */
function* valuesOf(whole: unknown): Generator<Mention, boolean> {
  const levels = [levelOf('', [whole])];
  let left = MAX_VALUES;
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    if (level.next === level.values.length) {
      levels.pop();
      continue;
    }
    if (left <= 0) return false;
    left -= 1;
    const name = level.names?.[level.next] ?? level.name;
    let value = level.values[level.next];
    level.next += 1;
    if (value === null || value === undefined) continue;
    if (typeof value !== 'object') {
      yield { name, value: String(value) };
      if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) continue;
      left -= ATTEMPT_VALUES;
      value = parsed(value);
    }
    if (typeof value === 'object' && value !== null && levels.length <= MAX_DEPTH)
      levels.push(levelOf(name, value));
  }
  return true;
}

function parsed(text: string): unknown {
  try {
    return parseExact(text);
  } catch {
    return undefined; // it is kept as it came, and that is no JSON
  }
}

/** Whether messages carry ids under this name. */
export const isIdName = (name: string) => ID_NAMES.has(name);

/** Whether a value in a message may be the id of a prediction. */
export function mayBeId({ name, value }: Mention): boolean {
  return name === '' || ID_NAMES.has(name) || value.length >= TELLING_LENGTH;
}

/** Whether one of these is the target, or one of its predictions. */
export function isAmong(
  targets: Iterable<ErasureTarget>,
  target: ErasureTarget,
  values: ReadonlySet<string>,
  ids: ReadonlySet<string>,
): boolean {
  for (const one of targets) {
    if (one.kind === 'prediction' && ids.has(one.predictionId)) return true;
    if (one.kind === 'subject' && target.kind === 'subject')
      if (one.tag === target.tag && values.has(one.value)) return true;
  }
  return false;
}

/** Ids or values as messages may have them: some were written anew by who had read a number beyond 2^53, and rounded it. */
export const formsInMessages = (values: Iterable<string>): Set<string> =>
  new Set([...values].flatMap((value) => [value, roundedText(value) ?? value]));

/** Whether a message is of a target whose id or value has one of these forms, or of one of its predictions. */
export function isMentioned(
  text: string,
  target: ErasureTarget,
  values: ReadonlySet<string>,
  ids: ReadonlySet<string> = new Set(),
): boolean {
  for (const mention of mentionsIn(text)) {
    if (ids.has(mention.value) && mayBeId(mention)) return true;
    if (!values.has(mention.value)) continue;
    if (target.kind === 'prediction' ? mayBeId(mention) : mention.name === target.tag || mention.name === '')
      return true;
  }
  return false;
}

/** Whether one of these stands in quotes in a message. */
export function isQuoted(text: string, values: readonly ReadonlySet<string>[]): boolean {
  for (const { value } of quotedIn(text)) if (values.some((some) => some.has(value))) return true;
  return false;
}

/** The id of a call in the text that both of its sides share. */
export function idOfCall(call: string): string | null {
  const parts = parsed(call);
  return Array.isArray(parts) && typeof parts[1] === 'string' ? parts[1] : null;
}

/** Rows looked at before the event loop gets a turn: each is hashed, some milliseconds of work. */
const SLICE_ROWS = 1_000;
/** Of those with messages, which are looked through; and how much of these. */
const SLICE_MESSAGES = 20;
const SLICE_LENGTH = 128 * 1024;

/** Says when the event loop has to get a turn between rows that are looked through. */
export function createTurns() {
  let work = 0;
  return {
    /** After a row with a message of this length, 0 without one. */
    isDue(length: number): boolean {
      work += length === 0 ? 1 / SLICE_ROWS : Math.max(1 / SLICE_MESSAGES, length / SLICE_LENGTH);
      // Sums of fractions are a little off.
      if (work < 1 - 1e-9) return false;
      work = 0;
      return true;
    },
  };
}
