import type { ProtobufMessage } from './protobuf.js';

// opentelemetry-proto 1.x: common/v1, resource/v1, logs/v1, collector/logs/v1. What is not read is left out.
const ANY_VALUE: ProtobufMessage = {
  1: ['stringValue', 'string'],
  2: ['boolValue', 'bool'],
  3: ['intValue', 'int64'],
  4: ['doubleValue', 'double'],
  5: ['arrayValue', () => ({ 1: ['values', () => ANY_VALUE, 'repeated'] })],
  6: ['kvlistValue', () => ({ 1: ['values', () => KEY_VALUE, 'repeated'] })],
  7: ['bytesValue', 'bytes'],
};
const KEY_VALUE: ProtobufMessage = { 1: ['key', 'string'], 2: ['value', () => ANY_VALUE] };
const RESOURCE: ProtobufMessage = { 1: ['attributes', () => KEY_VALUE, 'repeated'] };
const SCOPE: ProtobufMessage = {
  1: ['name', 'string'],
  2: ['version', 'string'],
  3: ['attributes', () => KEY_VALUE, 'repeated'],
};
const LOG_RECORD: ProtobufMessage = {
  1: ['timeUnixNano', 'fixed64'],
  5: ['body', () => ANY_VALUE],
  6: ['attributes', () => KEY_VALUE, 'repeated'],
  9: ['traceId', 'bytes'],
  10: ['spanId', 'bytes'],
  11: ['observedTimeUnixNano', 'fixed64'],
  12: ['eventName', 'string'],
};
const SCOPE_LOGS: ProtobufMessage = {
  1: ['scope', () => SCOPE],
  2: ['logRecords', () => LOG_RECORD, 'repeated'],
};
const RESOURCE_LOGS: ProtobufMessage = {
  1: ['resource', () => RESOURCE],
  2: ['scopeLogs', () => SCOPE_LOGS, 'repeated'],
};
export const LOGS_REQUEST: ProtobufMessage = { 1: ['resourceLogs', () => RESOURCE_LOGS, 'repeated'] };

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

/** An `ExportLogsServiceResponse`: empty, or with what was rejected and why. */
export function logsResponse(rejected: number, errorMessage: string): Buffer {
  if (rejected === 0) return Buffer.alloc(0);
  const message = Buffer.from(errorMessage);
  const partial = Buffer.concat([
    Buffer.from([0x08, ...varint(rejected), 0x12, ...varint(message.length)]),
    message,
  ]);
  return Buffer.concat([Buffer.from([0x0a, ...varint(partial.length)]), partial]);
}
