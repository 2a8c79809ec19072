import type { ErasureTarget } from '../../domain/erasure.js';
import { NestedTooDeep, parseJson } from '../../domain/json.js';
import type { ModelMapping } from '../../domain/mapping.js';
import { isLogsRequest, logRecordsOf } from '../../domain/otlp.js';
import { ALIASES, type Fields, pick, Unusable, unwrapped } from '../decode-event.js';
import { callId, callTypeOf, carriedEvent, isCloudEvent } from './cloud-events.js';
import { mapFields } from './map-fields.js';
import { eventInRecord, isOtlpRecord } from './otlp-record.js';
import { firstAt, isFields } from './paths.js';
import { callFormatOf } from './read-call.js';
import { truthIn } from './seldon-feedback.js';

/**
 * Whose a kept message is: the ids and tags that its reader finds where the format and the model's mapping say that they stand. Of a message
 * that cannot be read that far, none.
 */
export function createTargetReader(mappingOf: (model: string) => ModelMapping | null) {
  return (model: string, text: string): ErasureTarget[] => {
    const mapping = mappingOf(model);
    return whatCanBeRead(() => eventsIn(parseJson(text))).flatMap((event) => targetsOf(event, mapping));
  };
}

function whatCanBeRead<Item>(read: () => readonly Item[]): readonly Item[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof Unusable || error instanceof SyntaxError || error instanceof NestedTooDeep)
      return [];
    throw error;
  }
}

/** As the reader of messages takes them apart. */
function eventsIn(value: unknown): readonly Fields[] {
  if (Array.isArray(value)) return value.flatMap(eventsIn);
  if (!isFields(value)) return [];
  if (isLogsRequest(value)) return [...logRecordsOf(value)].flatMap(eventsIn);
  if (isOtlpRecord(value)) return whatCanBeRead(() => [eventInRecord(value)]);
  const fields = unwrapped(value);
  if (!isCloudEvent(fields)) return [fields];
  const type = callTypeOf(fields);
  return whatCanBeRead(() => {
    if (type === undefined) return [carriedEvent(fields)];
    const id = callId(fields, type);
    // All labels of a feedback are of one prediction.
    return type.role === 'feedback' ? truthIn(fields, id).slice(0, 1) : [{ prediction_id: id }];
  });
}

function targetsOf(event: Fields, mapping: ModelMapping | null): ErasureTarget[] {
  const mapped = mapping === null ? event : mapFields(event, mapping);
  const format = callFormatOf(event);
  const ids = [
    pick(mapped, ALIASES.predictionId),
    format === undefined ? undefined : firstAt(event, format.predictionId),
  ];
  const tags = isFields(mapped.tags) ? Object.entries(mapped.tags) : [];
  return [
    ...ids.filter(isValue).map((id) => ({ kind: 'prediction', predictionId: String(id) }) as const),
    ...tags
      .filter(([, value]) => isValue(value))
      .map(([tag, value]) => ({ kind: 'subject', tag, value: String(value) }) as const),
  ];
}

const isValue = (value: unknown) => value !== undefined && value !== null && typeof value !== 'object';
