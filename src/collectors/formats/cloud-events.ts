import { NestedTooDeep, parseJson } from '../../domain/json.js';
import type { CallHalf } from '../../domain/prediction.js';
import { ALIASES, type Fields, parseTime, pick, unusable } from '../decode-event.js';
import { firstAt, isFields } from './paths.js';

/** A type of event that has one side of an inference call, or what was learnt of one. */
interface CallType {
  readonly role: CallHalf['side'] | 'feedback';
  /** The attribute that is equal on both sides. */
  readonly id: string;
  /** Where names of the model stand, the best first. */
  readonly names: readonly string[];
}

const KSERVE = { id: 'id', names: ['inferenceservicename', 'data.model_name'] };
/** The node of the graph is the model; `id` differs from side to side. */
const SELDON = { id: 'requestid', names: ['modelid', 'inferenceservicename', 'data.model_name'] };

/** Types of the KServe agent's logger, and of Seldon Core v1's. */
const CALL_TYPES: Readonly<Record<string, CallType>> = {
  'org.kubeflow.serving.inference.request': { role: 'request', ...KSERVE },
  'org.kubeflow.serving.inference.response': { role: 'response', ...KSERVE },
  'io.seldon.serving.inference.request': { role: 'request', ...SELDON },
  'io.seldon.serving.inference.response': { role: 'response', ...SELDON },
  'io.seldon.serving.feedback': { role: 'feedback', ...SELDON },
};

const MAX_ID_LENGTH = 512;

export function isCloudEvent(fields: Fields): boolean {
  return typeof fields.specversion === 'string' && typeof fields.type === 'string';
}

/** What the event has to do with a call; undefined when it carries an event of ours. */
export function callTypeOf(fields: Fields): CallType | undefined {
  const { type } = fields;
  return typeof type === 'string' && Object.hasOwn(CALL_TYPES, type) ? CALL_TYPES[type] : undefined;
}

/** Names that the event has for its model, the best first. */
export function namesInEvent(fields: Fields, { names }: CallType): string[] {
  return names
    .map((path) => firstAt(fields, [path]))
    .filter((name): name is string => typeof name === 'string' && name !== '');
}

export function callId(fields: Fields, { id }: CallType): string {
  const value = fields[id];
  if (typeof value !== 'string' || value === '' || value.length > MAX_ID_LENGTH)
    unusable(
      'missing_id',
      `the event has no ${id} of 1 to ${MAX_ID_LENGTH} characters: its other side cannot be found`,
    );
  return value;
}

/** One side of a call. The time of an event without one is now. */
export function halfOf(
  fields: Fields,
  type: CallType,
  known: {
    readonly side: CallHalf['side'];
    readonly model: string;
    readonly text: string;
    readonly source: CallHalf['source'];
    readonly nowMs: number;
  },
): CallHalf {
  const loggedMs = parseTime(fields.time);
  return {
    call: JSON.stringify([fields.source ?? '', callId(fields, type)]),
    side: known.side,
    timestampMs:
      Number.isFinite(loggedMs) && Math.abs(loggedMs - known.nowMs) < MAX_AGE_MS ? loggedMs : known.nowMs,
    model: known.model,
    payload: known.text,
    source: known.source,
  };
}

/** Beyond it a time cannot be told from nonsense; what the row says is checked when it is made. */
const MAX_AGE_MS = 50 * 365 * 86_400_000;

/** The data of an event, from base64 where it has that. */
export function dataOf(fields: Fields): unknown {
  const { data, data_base64: base64 } = fields;
  if (data !== undefined || typeof base64 !== 'string') return data;
  const text = Buffer.from(base64, 'base64').toString('utf8');
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof NestedTooDeep) unusable('too_deep', error.message);
    return unusable(
      'unsupported_payload',
      'the data of the event is not JSON: raw bytes of a protocol are not read',
    );
  }
}

/** The event that a CloudEvent carries, which has the envelope's id and time where it has none of its own. */
export function carriedEvent(fields: Fields): Fields {
  const data = dataOf(fields);
  if (!isFields(data)) unusable('not_an_object', 'the data of the event must be a JSON object');
  const lacks = (names: readonly string[]) => pick(data, names) === undefined;
  return {
    ...data,
    ...(fields.id !== undefined && lacks(ALIASES.predictionId) ? { prediction_id: fields.id } : {}),
    ...(fields.time !== undefined && lacks(ALIASES.timestamp) ? { timestamp: fields.time } : {}),
  };
}
