import { type ModelMapping, NO_MAPPING } from '../../domain/mapping.js';
import { isLogsRequest, logRecordsOf } from '../../domain/otlp.js';
import type { Outcome, RejectReason, RowSource } from '../../domain/prediction.js';
import {
  ALIASES,
  type DecodeContext,
  type Fields,
  fieldsOf,
  MAX_KEY_LENGTH,
  pick,
  Unusable,
  unusable,
  unwrapped,
} from '../decode-event.js';
import { decodeLabel } from '../decode-label.js';
import { decodePrediction } from '../decode-prediction.js';
import type { Privacy } from '../privacy.js';
import { callId, callTypeOf, carriedEvent, halfOf, isCloudEvent, namesInEvent } from './cloud-events.js';
import { explodeCall } from './explode-call.js';
import { mapFields } from './map-fields.js';
import { eventInRecord, isOtlpRecord } from './otlp-record.js';
import { callFormatOf, callIn, namesInCall } from './read-call.js';
import { truthIn } from './seldon-feedback.js';

export type EventKind = 'prediction' | 'label';

/** One message as it came, parsed, and what is known of it from where it came. */
export interface Message {
  readonly value: unknown;
  /** The message, to be kept when nothing can be made of it. */
  readonly text: string;
  /** What the sender says it is, by where it sent it. */
  readonly kind: EventKind;
  readonly source: RowSource;
  /** Position in its body. */
  readonly index: number;
  /** Identity of an event without one, where its place gives one; else null. */
  readonly defaultId: string | null;
  /** Of events that name none. */
  readonly model?: string | undefined;
  readonly modelVersion?: string | undefined;
}

export interface MessageReaderOptions extends Pick<DecodeContext, 'featureKinds' | 'earliestMs'> {
  /** The real time, ms. */
  readonly wallClock: () => number;
  /** Null for a model that needs none, as all do by default. */
  readonly mappingOf?: (model: string) => ModelMapping | null;
  /** The model that one of these names stands for: its own, or one that serving systems have for it. The first by default. */
  readonly modelNamed?: (names: readonly string[]) => string | undefined;
  /** Left out where every model's values are kept. */
  readonly privacy?: Pick<Privacy, 'treatPrediction' | 'treatLabel' | 'keptEvent'> | undefined;
}

/** Reads a message of any known format into rows: the one door for all that is not read from its bytes. Never throws for data. */
export function createMessageReader(options: MessageReaderOptions) {
  const { featureKinds, earliestMs, wallClock, privacy } = options;
  const { mappingOf = () => null, modelNamed = ([name]) => name } = options;

  function rejected(
    message: Message,
    reason: RejectReason,
    detail: string,
    over: { kind?: EventKind; payload?: string; model?: string; rowIndex?: number } = {},
  ): Outcome {
    const { kind = message.kind, payload = message.text, model = '', rowIndex = message.index } = over;
    const row = { kind, reason, detail, payload, model, rowIndex, source: message.source };
    return { kind: 'rejected', row };
  }

  function decode(
    message: Message,
    fields: Fields,
    over: { payload?: string; rowIndex?: number } = {},
  ): Outcome {
    const { kind, source, defaultId } = message;
    const context = { featureKinds, earliestMs, nowMs: wallClock(), source, defaultId };
    const result =
      kind === 'prediction'
        ? { kind, decoded: decodePrediction(fields, context) }
        : { kind, decoded: decodeLabel(fields, { ...context, defaultId: null }) };
    if (result.kind === 'prediction' && result.decoded.ok) {
      const { row } = result.decoded;
      return { kind: 'prediction', row: privacy === undefined ? row : privacy.treatPrediction(row) };
    }
    if (result.kind === 'label' && result.decoded.ok) {
      const { row } = result.decoded;
      return { kind: 'label', row: privacy === undefined ? row : privacy.treatLabel(row) };
    }
    const { reason, detail, model } = result.decoded as Exclude<typeof result.decoded, { ok: true }>;
    const kept = privacy?.keptEvent(kind, fields) ?? null;
    return rejected(message, reason, detail, { ...over, ...(kept === null ? {} : { payload: kept }), model });
  }

  /** The event under our names, with the model's own name and what was said beside the message. */
  function event(message: Message, fields: Fields): Fields {
    const named = pick(fields, ALIASES.model) ?? message.model;
    if (typeof named !== 'string') return fields;
    const model = modelNamed([named]) ?? named;
    const mapping = mappingOf(model);
    const mapped = mapping === null ? fields : mapFields(fields, mapping);
    const version = pick(mapped, ALIASES.modelVersion) ?? message.modelVersion ?? mapping?.version;
    return model === pick(fields, ['model']) && version === pick(fields, ALIASES.modelVersion)
      ? mapped
      : { ...mapped, model, ...(version === undefined ? {} : { model_version: version }) };
  }

  function call(
    message: Message,
    fields: Fields,
    format: NonNullable<ReturnType<typeof callFormatOf>>,
  ): Outcome[] {
    const names = [...namesInCall(fields, format), ...(message.model === undefined ? [] : [message.model])];
    const model = modelNamed(names) ?? names[0];
    if (model === undefined)
      return [
        rejected(message, 'missing_field', 'the call names no model: say it beside the message (?model=…)'),
      ];
    const mapping = mappingOf(model) ?? NO_MAPPING;
    try {
      const modelVersion = message.modelVersion ?? mapping.version;
      const found = callIn(fields, format, { model, modelVersion });
      const rows = explodeCall(found, mapping);
      return rows.map(({ event: rowEvent, kept }, place) => {
        const rowIndex = (found.rowIndex ?? 0) + place;
        try {
          const outcome = decode(message, rowEvent(), { rowIndex });
          // Of a batch only the row itself is kept, not the whole message for each of its rows.
          return outcome.kind === 'rejected' && rows.length > 1 && outcome.row.payload === message.text
            ? { kind: 'rejected', row: { ...outcome.row, payload: kept() } }
            : outcome;
        } catch (error) {
          const { reason, message: detail } = known(error);
          const payload = rows.length > 1 ? kept() : message.text;
          return rejected(message, reason, detail, { model, rowIndex, payload });
        }
      });
    } catch (error) {
      const { reason, message: detail } = known(error);
      return [rejected(message, reason, detail, { model: model.slice(0, MAX_KEY_LENGTH) })];
    }
  }

  function logRecord(message: Message): Outcome[] {
    const fields = eventInRecord(fieldsOf(message.value));
    return events({ ...message, kind: kindOf(fields, message.kind) }, fields);
  }

  function cloudEvent(message: Message, fields: Fields): Outcome[] {
    const type = callTypeOf(fields);
    if (type === undefined) {
      const carried = carriedEvent(fields);
      return events({ ...message, kind: kindOf(carried, message.kind) }, carried);
    }
    const names = [...namesInEvent(fields, type), ...(message.model === undefined ? [] : [message.model])];
    const model = modelNamed(names) ?? names[0];
    if (model === undefined) unusable('missing_field', `the event names no model (${type.names.join(', ')})`);
    if (type.role === 'feedback')
      return truthIn(fields, callId(fields, type)).map((label) =>
        decode({ ...message, kind: 'label' }, event(message, { ...label, model })),
      );
    const { text, source } = message;
    const half = halfOf(fields, type, { side: type.role, model, text, source, nowMs: wallClock() });
    return [{ kind: 'half', half }];
  }

  function expand(message: Message): Outcome[] {
    const whole = fieldsOf(message.value);
    if (isLogsRequest(whole))
      return [...logRecordsOf(whole)].flatMap((value, index) => read(ofSeveral(message, value, index)));
    if (isOtlpRecord(whole)) return logRecord(message);
    const fields = unwrapped(whole);
    return isCloudEvent(fields) ? cloudEvent(message, fields) : events(message, fields);
  }

  function events(message: Message, fields: Fields): Outcome[] {
    const format = message.kind === 'prediction' ? callFormatOf(fields) : undefined;
    return format === undefined ? [decode(message, event(message, fields))] : call(message, fields, format);
  }

  /** The rows of a message and what could not become one; at least one outcome. */
  function read(message: Message): Outcome[] {
    try {
      const outcomes = expand(message);
      return outcomes.length > 0
        ? outcomes
        : [rejected(message, 'unsupported_payload', 'the message holds no rows')];
    } catch (error) {
      const { reason, message: detail } = known(error);
      return [rejected(message, reason, detail)];
    }
  }

  return read;
}

export type MessageReader = ReturnType<typeof createMessageReader>;

/** One of several events in a message. */
function ofSeveral(message: Message, value: object, index: number): Message {
  const defaultId = message.defaultId === null ? null : `${message.defaultId}#${index}`;
  return { ...message, value, text: JSON.stringify(value), index, defaultId };
}

/** What an event is that came to a place for both. */
function kindOf(fields: Fields, otherwise: EventKind): EventKind {
  const isPrediction = 'features' in fields || 'request' in fields;
  return !isPrediction && pick(fields, ALIASES.label) !== undefined ? 'label' : otherwise;
}

function known(error: unknown): Unusable {
  if (error instanceof Unusable) return error;
  throw error;
}
