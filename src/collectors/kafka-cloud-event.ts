import { type CloudEvent, structured } from '../domain/cloud-event.js';
import type { LogRecord } from './log-source.js';

/** Headers of a record as kafkajs gives them. */
export type RecordHeaders = Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;

const PREFIX = 'ce_';
const SELDON_TYPE = /^io\.seldon\./;
/** Of a Date. A record's time may be anything, say one in nanoseconds. */
const MAX_TIME_MS = 8.64e15;

function text(headers: RecordHeaders, name: string): string {
  const value = headers[name];
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined ? '' : first.toString();
}

/**
 * The event of a record in CloudEvents' binary mode, whose attributes are headers (Kafka protocol binding 1.0), or of one that Seldon Core
 * v1 wrote, whose headers have no prefix, no source and no time (the record's). Undefined for any other record.
 */
export function cloudEventOf(record: LogRecord): CloudEvent | undefined {
  const { headers, value, timestampMs } = record;
  if (headers === undefined || value === null) return undefined;
  if (headers.ce_specversion !== undefined) {
    const names = Object.keys(headers).filter((name) => name.startsWith(PREFIX));
    const attributes = names.map((name) => [name.slice(PREFIX.length), text(headers, name)]);
    return structured(Object.fromEntries(attributes), text(headers, 'content-type'), value);
  }
  if (headers.requestid === undefined || !SELDON_TYPE.test(text(headers, 'type'))) return undefined;
  const names = Object.keys(headers).filter((name) => /^[a-z0-9]+$/.test(name));
  const attributes = Object.fromEntries(names.map((name) => [name, text(headers, name)]));
  const source = `seldon/${attributes.namespace ?? ''}/${attributes.inferenceservicename ?? ''}`;
  const time =
    timestampMs !== undefined && timestampMs > 0 && timestampMs <= MAX_TIME_MS
      ? { time: new Date(timestampMs).toISOString() }
      : {};
  return structured(
    { specversion: '1.0', source, ...time, ...attributes },
    text(headers, 'content-type'),
    value,
  );
}
