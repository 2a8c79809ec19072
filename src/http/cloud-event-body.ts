import type { Request } from 'express';
import { structured } from '../domain/cloud-event.js';
import { type BodyEvent, MAX_EVENT_BYTES } from './events-body.js';

const PREFIX = 'ce-';

/** Whether the event is in binary mode: its attributes stand in headers, and the body is its data (CloudEvents HTTP binding 1.0). */
export function isBinaryMode(request: Request): boolean {
  return request.headers['ce-specversion'] !== undefined;
}

/** The event of a request in binary mode, in structured form. */
export function binaryEvent(request: Request, body: Buffer): BodyEvent {
  const attributes = Object.entries(request.headers)
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, value]) => [name.slice(PREFIX.length), percentDecoded(String(value))]);
  const cut = body.length > MAX_EVENT_BYTES ? body.subarray(0, KEPT_BYTES) : body;
  const value = structured(Object.fromEntries(attributes), request.headers['content-type'] ?? '', cut);
  const text = JSON.stringify(value);
  if (cut === body) return { ok: true, value, text };
  const detail = `the event has ${body.length} bytes, at most ${MAX_EVENT_BYTES} are taken`;
  return { ok: false, reason: 'too_large', text, detail };
}

/** What is kept of an event beyond the bound, to recognise it by. */
const KEPT_BYTES = 64 * 1024;

/** Header values have what is not ASCII as percent-encoded UTF-8. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that means itself
  }
}
