import { parseJson } from '../../domain/json.js';
import { ALIASES, type Fields, pick, unusable } from '../decode-event.js';
import { at, isFields } from './paths.js';

/** Attributes that stand for fields of events. There is no convention of OpenTelemetry's for predictions on tables. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  'ml.model.name': 'model',
  'ml.model.version': 'model_version',
  'ml.prediction.id': 'prediction_id',
  'ml.prediction.value': 'prediction',
  'ml.prediction.probability': 'prediction_proba',
  'ml.prediction.latency_ms': 'latency_ms',
  'ml.label': 'label',
};
/** And groups of them, by what their names begin with. */
const GROUPS = [
  ['ml.feature.', 'features'],
  ['ml.tag.', 'tags'],
] as const;

const MAX_DEPTH = 32;
const NANOS_PER_MS = 1_000_000n;

export function isOtlpRecord(fields: Fields): boolean {
  return isFields(fields.logRecord);
}

/** An `AnyValue` as the value that it stands for. */
function plain(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) unusable('too_deep', `a value is nested deeper than ${MAX_DEPTH} levels`);
  if (!isFields(value)) return null;
  if ('stringValue' in value) return value.stringValue;
  if ('boolValue' in value) return value.boolValue;
  if ('intValue' in value) {
    const { intValue } = value;
    // OTLP writes 64 bits as text, which says all of them. One that came as a number was rounded: it must not pass for a text.
    const number = Number(intValue);
    return Number.isSafeInteger(number) || typeof intValue === 'number' ? number : String(intValue);
  }
  // JSON has no word for NaN and infinity: OTLP writes them as text.
  if ('doubleValue' in value)
    return typeof value.doubleValue === 'string' ? Number(value.doubleValue) : value.doubleValue;
  if ('arrayValue' in value) {
    const values = at(value, 'arrayValue.values');
    return Array.isArray(values) ? values.map((one) => plain(one, depth + 1)) : [];
  }
  if ('kvlistValue' in value) return keyValues(at(value, 'kvlistValue.values'), depth + 1);
  return 'bytesValue' in value ? value.bytesValue : null;
}

function keyValues(list: unknown, depth = 0): Fields {
  if (!Array.isArray(list)) return {};
  return Object.fromEntries(
    list.flatMap((pair: unknown) =>
      isFields(pair) && typeof pair.key === 'string' ? [[pair.key, plain(pair.value, depth)]] : [],
    ),
  );
}

function fromAttributes(attributes: Fields): Fields {
  const groups = GROUPS.map(([prefix, name]) => {
    const members = Object.entries(attributes).filter(([key]) => key.startsWith(prefix));
    return [
      name,
      Object.fromEntries(members.map(([key, value]) => [key.slice(prefix.length), value])),
    ] as const;
  });
  const fields = Object.entries(ATTRIBUTES).filter(([key]) => Object.hasOwn(attributes, key));
  return {
    ...Object.fromEntries(groups.filter(([, members]) => Object.keys(members).length > 0)),
    ...Object.fromEntries(fields.map(([key, name]) => [name, attributes[key]])),
  };
}

/** ms of `fixed64` nanoseconds, which JSON has as text; null when there are none. */
function timeOf(record: Fields): number | null {
  for (const nanos of [record.timeUnixNano, record.observedTimeUnixNano]) {
    const text = String(nanos ?? '');
    if (/^[1-9]\d{0,19}$/.test(text)) return Number(BigInt(text) / NANOS_PER_MS);
  }
  return null;
}

/** A body of text is an event when it is JSON. */
function bodyFields(body: unknown): Fields {
  const value = plain(body);
  if (isFields(value)) return value;
  if (typeof value !== 'string' || !value.trimStart().startsWith('{')) return {};
  try {
    const parsed: unknown = parseJson(value);
    return isFields(parsed) ? parsed : {};
  } catch {
    return {}; // a line of a log that begins with a brace
  }
}

/**
 * The event in a log record: the fields of its body, then its attributes under the names of ours, then all attributes as they are called,
 * those of the record before those of scope and resource. Its time is the record's when it has none.
 */
export function eventInRecord(fields: Fields): Fields {
  const record = fields.logRecord as Fields;
  const attributes = {
    ...keyValues(at(fields, 'resource.attributes')),
    ...keyValues(at(fields, 'scope.attributes')),
    ...keyValues(record.attributes),
  };
  const event = { ...attributes, ...fromAttributes(attributes), ...bodyFields(record.body) };
  const timestamp = pick(event, ALIASES.timestamp) === undefined ? timeOf(record) : null;
  return timestamp === null ? event : { ...event, timestamp };
}
