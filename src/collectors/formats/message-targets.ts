import type { ErasureTarget } from '../../domain/erasure.js';
import { NestedTooDeep, parseExact } from '../../domain/json.js';
import type { ModelMapping } from '../../domain/mapping.js';
import { isLogsRequest, logRecordsOf } from '../../domain/otlp.js';
import { ALIASES, type Fields, pick, Unusable, unwrapped } from '../decode-event.js';
import { callId, callTypeOf, carriedEvent, isCloudEvent } from './cloud-events.js';
import { mapFields } from './map-fields.js';
import { eventInRecord, isOtlpRecord } from './otlp-record.js';
import { firstAt, isFields } from './paths.js';
import { callFormatOf } from './read-call.js';
import { truthIn } from './seldon-feedback.js';

/** Events of a message that are looked at: more would keep the event loop from all else. */
const MAX_EVENTS = 20_000;

/**
 * Whose a kept message is: the ids and tags that its reader finds where the format and the model's mapping say that they stand. Of a message
 * that cannot be read that far, none. It is read once, for all models.
 */
export function createTargetReader(mappingOf: (model: string) => ModelMapping | null) {
  return (text: string): ((model: string) => ErasureTarget[]) | null => {
    const events: Fields[] = [];
    for (const event of whatCanBeRead(() => eventsIn(parseExact(text)))) {
      if (events.length === MAX_EVENTS) return null;
      events.push(event);
    }
    // Most models have no mapping of their own.
    const found = new Map<ModelMapping | null, ErasureTarget[]>();
    return (model) => {
      const mapping = mappingOf(model);
      const targets = found.get(mapping) ?? distinct(events, mapping);
      found.set(mapping, targets);
      return targets;
    };
  };
}

function whatCanBeRead<Item>(read: () => Iterable<Item>): Iterable<Item> {
  try {
    return read();
  } catch (error) {
    if (error instanceof Unusable || error instanceof SyntaxError || error instanceof NestedTooDeep)
      return [];
    throw error;
  }
}

/** As the reader of messages takes them apart. It does not call itself: each event would pass through all the lists around it. */
function* eventsIn(whole: unknown): Generator<Fields> {
  const lists: Iterator<unknown>[] = [[whole].values()];
  for (let list = lists.at(-1); list !== undefined; list = lists.at(-1)) {
    const { done, value } = list.next();
    if (done === true) lists.pop();
    else if (Array.isArray(value)) lists.push(value.values());
    else if (!isFields(value)) continue;
    else if (isLogsRequest(value)) lists.push(logRecordsOf(value));
    else yield* eventsOf(value);
  }
}

function eventsOf(value: Fields): Iterable<Fields> {
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

function distinct(events: readonly Fields[], mapping: ModelMapping | null): ErasureTarget[] {
  const targets = new Map<string, ErasureTarget>();
  for (const event of events)
    for (const target of targetsOf(event, mapping)) {
      const key =
        target.kind === 'prediction' ? target.predictionId : JSON.stringify([target.tag, target.value]);
      targets.set(`${target.kind} ${key}`, target);
    }
  return [...targets.values()];
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
