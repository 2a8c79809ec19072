import { MAX_NESTING, parseJson } from './json.js';
import type { CallHalf, LabelRow, PredictionRow, RejectedRow } from './prediction.js';
import type { VersionTally } from './row-list.js';

/** Whose rows are erased: one prediction's, or all that carry a tag's value. */
export type ErasureTarget =
  | { readonly kind: 'prediction'; readonly predictionId: string }
  | { readonly kind: 'subject'; readonly tag: string; readonly value: string };

/** Whose a message is, where its reader finds that: by formats, and by the model's mapping. */
export type TargetsIn = (model: string, message: string) => Iterable<ErasureTarget>;

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
  rejected(row: RejectedRow): boolean;
  half(half: CallHalf): boolean;
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

/** A named value in a message. */
interface Mention {
  readonly name: string;
  readonly value: string;
}

/** All values in a message with their names, also in JSON inside texts; of what is no JSON, all that stands in quotes, without names. */
export function* mentionsIn(text: string): Generator<Mention> {
  const whole = parsed(text);
  if (whole === undefined) {
    for (const [quoted, written = ''] of text.matchAll(/"((?:[^"\\]|\\.){1,8192})"/g)) {
      yield { name: '', value: written };
      const value = written.includes('\\') ? parsed(quoted) : undefined;
      if (typeof value === 'string') yield { name: '', value };
    }
    return;
  }
  yield* valuesOf('', whole, 0);
}

function* valuesOf(name: string, value: unknown, depth: number): Generator<Mention> {
  if (value === null || value === undefined || depth > MAX_DEPTH) return;
  if (Array.isArray(value)) {
    for (const item of value) yield* valuesOf(name, item, depth + 1);
    return;
  }
  if (typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) yield* valuesOf(key, item, depth + 1);
    return;
  }
  const text = String(value);
  yield { name, value: text };
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return;
  const inner = parsed(value);
  if (inner !== undefined) yield* valuesOf(name, inner, depth + 1);
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
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

/** Whether a message is of a target whose id or value has one of these forms. */
export function isMentioned(text: string, target: ErasureTarget, values: ReadonlySet<string>): boolean {
  for (const mention of mentionsIn(text)) {
    if (!values.has(mention.value)) continue;
    if (target.kind === 'prediction' ? mayBeId(mention) : mention.name === target.tag || mention.name === '')
      return true;
  }
  return false;
}

/** The id of a call in the text that both of its sides share. */
export function idOfCall(call: string): string | null {
  const parts = parsed(call);
  return Array.isArray(parts) && typeof parts[1] === 'string' ? parts[1] : null;
}
