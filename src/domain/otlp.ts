/** One log record of OpenTelemetry with the resource and scope that it came from; as OTLP's JSON has them. */
export interface OtlpRecord {
  readonly resource?: unknown;
  readonly scope?: unknown;
  readonly logRecord: unknown;
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;

/** Whether it is an `ExportLogsServiceRequest`. */
export function isLogsRequest(value: unknown): boolean {
  return Array.isArray(field(value, 'resourceLogs'));
}

/**
 * The log records of an `ExportLogsServiceRequest` (opentelemetry-proto, logs/v1) in its JSON form, in order. What stands in the place of a
 * group of records and is none comes as a record, so that it is rejected and not lost.
 */
export function* logRecordsOf(request: unknown): Generator<OtlpRecord> {
  for (const ofResource of list(field(request, 'resourceLogs'))) {
    if (!isObject(ofResource)) yield { logRecord: ofResource };
    for (const ofScope of list(field(ofResource, 'scopeLogs'))) {
      const from = { resource: field(ofResource, 'resource'), scope: field(ofScope, 'scope') };
      if (!isObject(ofScope)) yield { ...from, logRecord: ofScope };
      for (const logRecord of list(field(ofScope, 'logRecords'))) yield { ...from, logRecord };
    }
  }
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
