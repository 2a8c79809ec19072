import { parseJson } from '../domain/json.js';
import type { LabelRow, PredictionRow, RejectReason, RowSource } from '../domain/prediction.js';

export type DecodeResult<Row> =
  | { readonly ok: true; readonly row: Row }
  | { readonly ok: false; readonly reason: RejectReason; readonly detail: string; readonly model: string };

export type DecodedPrediction = DecodeResult<PredictionRow>;
export type DecodedLabel = DecodeResult<LabelRow>;

/** What decoding needs to know beyond the event itself. */
export interface DecodeContext {
  /** Kind of each declared feature of a registered version; undefined when it is not registered. */
  readonly featureKinds: (
    model: string,
    modelVersion: string,
  ) => ReadonlyMap<string, 'numeric' | 'categorical'> | undefined;
  /** The wall clock, ms: events from the future are refused by it. */
  readonly nowMs: number;
  /** Events of a model before this are ancient, ms. */
  readonly earliestMs: (model: string) => number;
  readonly source: RowSource;
  /** Identity of an event without one, where its place gives one (topic/partition/offset); else null. */
  readonly defaultId: string | null;
}

export const MAX_EVENT_BYTES = 1024 * 1024;
export const FUTURE_TOLERANCE_MS = 3_600_000;
export const MAX_ID_LENGTH = 512;
/** Of a model or version. */
export const MAX_KEY_LENGTH = 120;
export const MAX_FEATURES = 2_000;
export const MAX_TAGS = 100;
/** Of a feature, class or tag. */
export const MAX_NAME_LENGTH = 256;
export const MAX_TEXT_LENGTH = 8_192;

/** Other systems' names for the same fields, tried in this order; ours first. */
export const ALIASES = {
  predictionId: ['prediction_id', 'id', 'inference_id', 'inferenceId', 'event_id', 'eventId'],
  model: ['model', 'model_name', 'model_id'],
  modelVersion: ['model_version', 'version'],
  timestamp: ['timestamp', 'datetime', 'event_ts', 'ts', '@timestamp', 'inferenceTime'],
  prediction: ['prediction', 'y_pred'],
  proba: ['prediction_proba', 'prediction_probas', 'y_pred_proba', 'score'],
  label: ['label', 'target', 'actual', 'ground_truth', 'y_true'],
} as const;

export type Fields = Readonly<Record<string, unknown>>;

/** Thrown inside a decoder and caught at its door: a field that cannot be used. Never leaves this folder. */
export class Unusable extends Error {
  readonly reason: RejectReason;

  constructor(reason: RejectReason, detail: string) {
    super(detail);
    this.name = new.target.name;
    this.reason = reason;
  }
}

export function unusable(reason: RejectReason, detail: string): never {
  throw new Unusable(reason, detail);
}

export function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    unusable('not_an_object', 'an event must be a JSON object');
  return value as Fields;
}

/** The value under the first alias that is present, own properties only. */
export function pick(fields: Fields, names: readonly string[]): unknown {
  for (const name of names) if (Object.hasOwn(fields, name)) return fields[name];
  return undefined;
}

/** Where log forwarders put what the application wrote, as an object or as text. */
const ENVELOPES = ['log', 'message', 'body', 'short_message', 'MESSAGE'] as const;
/** Where they put the time at which it was written. */
const ENVELOPE_TIMES = ['@timestamp', 'timestamp', 'time', 'date'] as const;

/** The event inside a log forwarder's record, with the record's time when it has none; the record itself when it is the event. */
export function unwrapped(fields: Fields): Fields {
  if (pick(fields, ALIASES.model) !== undefined) return fields;
  for (const name of ENVELOPES) {
    const inner = parsedIfText(fields[name]);
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) continue;
    const event = inner as Fields;
    const written = pick(fields, ENVELOPE_TIMES);
    return written === undefined || pick(event, ALIASES.timestamp) !== undefined
      ? event
      : { ...event, timestamp: written };
  }
  return fields;
}

function parsedIfText(value: unknown): unknown {
  if (typeof value !== 'string' || !value.trimStart().startsWith('{')) return value;
  try {
    return parseJson(value);
  } catch {
    // Just a line of a log that begins with a brace: what is missing is said of the record around it.
    return null;
  }
}

/** Runs a decoder and turns an unusable field into a rejection that names the model, if the event did. */
export function decoding<Row>(value: unknown, decode: (fields: Fields) => Row): DecodeResult<Row> {
  try {
    return { ok: true, row: decode(unwrapped(fieldsOf(value))) };
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    const named =
      typeof value === 'object' && value !== null
        ? pick(unwrapped(value as Fields), ALIASES.model)
        : undefined;
    const model = typeof named === 'string' ? named.slice(0, MAX_KEY_LENGTH) : '';
    return { ok: false, reason: error.reason, detail: error.message, model };
  }
}

/** Text, or a whole number that JSON carries exactly. */
function textOf(value: unknown, name: string, maxLength: number): string {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || text === '')
    unusable('invalid_field', `${name} must be text that is not empty, or a whole number below 2^53`);
  if (text.length > maxLength) unusable('invalid_field', `${name} is longer than ${maxLength} characters`);
  return text;
}

export interface EventKey {
  readonly model: string;
  readonly modelVersion: string;
  readonly predictionId: string;
  readonly rowIndex: number;
  readonly kinds: ReadonlyMap<string, 'numeric' | 'categorical'>;
}

/** The fields that every event shares. */
export function eventKey(fields: Fields, context: DecodeContext): EventKey {
  const named = pick(fields, ALIASES.model);
  if (named === undefined || named === null) unusable('missing_field', 'model is missing');
  const model = textOf(named, 'model', MAX_KEY_LENGTH);
  const versionField = pick(fields, ALIASES.modelVersion);
  if (versionField === undefined || versionField === null)
    unusable('missing_field', 'model_version is missing');
  const modelVersion = textOf(versionField, 'model_version', MAX_KEY_LENGTH);
  const kinds = context.featureKinds(model, modelVersion);
  if (kinds === undefined)
    unusable('unknown_model', 'this model version is not registered: register it with its reference first');
  const idField = pick(fields, ALIASES.predictionId) ?? context.defaultId;
  if (idField === undefined || idField === null || idField === '')
    unusable(
      'missing_id',
      'prediction_id is missing: without it a repeated event could not be told from a new one',
    );
  const rowIndexField = fields.row_index ?? 0;
  if (
    !Number.isInteger(rowIndexField) ||
    (rowIndexField as number) < 0 ||
    (rowIndexField as number) > 0xffffffff
  )
    unusable('invalid_field', 'row_index must be a whole number from 0 to 4294967295');
  return {
    model,
    modelVersion,
    predictionId: textOf(idField, 'prediction_id', MAX_ID_LENGTH),
    rowIndex: rowIndexField as number,
    kinds,
  };
}

const ISO_TIME = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)?(Z|z|[+-]\d{2}:?\d{2})?$/;
/** Numbers below this are seconds (up to the year 5138), else milliseconds (from 1973). */
const SECONDS_BELOW = 1e11;

/** ISO 8601 (UTC when it names no zone), or seconds or milliseconds since the epoch. */
export function parseTime(value: unknown): number {
  if (typeof value === 'number') return Math.round(Math.abs(value) < SECONDS_BELOW ? value * 1000 : value);
  if (typeof value !== 'string') return Number.NaN;
  const match = ISO_TIME.exec(value);
  if (match === null) return Number.NaN;
  const dateOnly = value.length === 10;
  if (!isDayOfMonth(value)) return Number.NaN;
  const text = value.replace(' ', 'T').replace(',', '.');
  return Date.parse(match[1] === undefined && !dateOnly ? `${text}Z` : text);
}

/** `Date.parse` reads the 30th of February as the 2nd of March. */
function isDayOfMonth(iso: string): boolean {
  const day = Number(iso.slice(8, 10));
  if (day <= 28) return true;
  const lastDay = new Date(Date.UTC(Number(iso.slice(0, 4)), Number(iso.slice(5, 7)), 0)).getUTCDate();
  return day <= lastDay;
}

export function eventTime(fields: Fields, model: string, context: DecodeContext): number {
  const value = pick(fields, ALIASES.timestamp);
  if (value === undefined || value === null) unusable('missing_field', 'timestamp is missing');
  const timeMs = parseTime(value);
  if (!Number.isFinite(timeMs))
    unusable(
      'invalid_timestamp',
      'timestamp must be ISO 8601, e.g. 2026-01-01T00:00:00Z, or seconds or ms since 1970',
    );
  if (timeMs > context.nowMs + FUTURE_TOLERANCE_MS)
    unusable(
      'future_timestamp',
      'timestamp is more than an hour ahead of this service: check the clocks and the zone',
    );
  if (timeMs < context.earliestMs(model))
    unusable(
      'ancient_timestamp',
      "timestamp is before the model's `earliest`: check its unit, or set `earliest`",
    );
  return timeMs;
}
