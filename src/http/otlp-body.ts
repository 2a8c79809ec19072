import type { Request } from 'express';
import { isLogsRequest, logRecordsOf } from '../domain/otlp.js';
import { AppError } from '../errors.js';
import { type BodyEvent, MAX_EVENT_BYTES, type Slice } from './events-body.js';
import { LOGS_REQUEST, logsResponse } from './otlp-messages.js';
import { decodeProtobuf } from './protobuf.js';

export const PROTOBUF = 'application/x-protobuf';
/** Records taken before the event loop gets a turn. */
const SLICE_RECORDS = 500;

export function isProtobuf(request: Request): boolean {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === PROTOBUF || type === 'application/protobuf') return true;
  if (type === 'application/json') return false;
  throw new AppError(
    'unsupported_media_type',
    `content-type ${type.slice(0, 60)} is not OTLP: send ${PROTOBUF} or application/json`,
  );
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new AppError('invalid_request', 'the body is not JSON'); // why would quote the data
  }
}

const TOO_DEEP = 'the log record is nested too deep to be written down';

/** Null for a record of many thousand levels: what writes JSON calls itself for each of them. The others of its request are fine. */
function textOf(record: unknown): string | null {
  try {
    return JSON.stringify(record);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The log records of an export request, in slices. Throws invalid_request, payload_too_large. */
export function* otlpSlices(body: Buffer, protobuf: boolean): Generator<Slice> {
  const request = protobuf ? decodeProtobuf(body, LOGS_REQUEST) : parsed(body);
  if (!protobuf && !isLogsRequest(request))
    throw new AppError('invalid_request', 'the body is no ExportLogsServiceRequest: it has no resourceLogs');
  let events: BodyEvent[] = [];
  let bytes = 0;
  for (const value of logRecordsOf(request)) {
    const text = textOf(value);
    bytes += text?.length ?? 0;
    if (text === null) events.push({ ok: false, reason: 'too_deep', text: '', detail: TOO_DEEP });
    else if (text.length <= MAX_EVENT_BYTES) events.push({ ok: true, value, text });
    else {
      const detail = `the log record has more than ${MAX_EVENT_BYTES} bytes`;
      events.push({ ok: false, reason: 'too_large', text: text.slice(0, KEPT_LENGTH), detail });
    }
    if (events.length < SLICE_RECORDS) continue;
    yield { events, bytes };
    events = [];
    bytes = 0;
  }
  if (events.length > 0) yield { events, bytes };
}

/** What is kept of a record beyond the bound, to recognise it by. */
const KEPT_LENGTH = 64 * 1024;

/** What OTLP answers: nothing when all is taken, else how many were not, and why the first was not. */
export function otlpAnswer(
  {
    rejected,
    errors,
  }: { readonly rejected: number; readonly errors: readonly { readonly message: string }[] },
  protobuf: boolean,
): Buffer | object {
  const errorMessage = errors[0]?.message ?? '';
  if (protobuf) return logsResponse(rejected, errorMessage);
  return rejected === 0 ? {} : { partialSuccess: { rejectedLogRecords: String(rejected), errorMessage } };
}
