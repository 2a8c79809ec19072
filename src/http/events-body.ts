import { setImmediate as nextTurn } from 'node:timers/promises';

/** One event of a body: parsed, or why it could not be. `text` is as received where it is at hand. */
export type BodyEvent =
  | { readonly ok: true; readonly value: unknown; readonly text: string | null; readonly bytes: number }
  | {
      readonly ok: false;
      readonly reason: 'malformed_json' | 'too_large';
      readonly text: string;
      readonly detail: string;
    };

/** Bound of one event (1 MiB). */
export const MAX_EVENT_BYTES = 1024 * 1024;
/** What is kept of an event beyond the bound, to recognise it by. */
const KEPT_CHARACTERS = 64 * 1024;
/** Characters parsed before the event loop gets a turn. */
const SLICE_CHARACTERS = 512 * 1024;
const NOT_JSON =
  'this is not JSON (note that NaN and Infinity are not): send one event per line, or an array of events';

function tooLarge(text: string): BodyEvent {
  return {
    ok: false,
    reason: 'too_large',
    text: text.slice(0, KEPT_CHARACTERS),
    detail: `the event has more than ${MAX_EVENT_BYTES} bytes`,
  };
}

function parseOne(text: string): BodyEvent {
  // A character has at most three bytes in UTF-8, so most events need no count.
  if (text.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(text) > MAX_EVENT_BYTES) return tooLarge(text);
  try {
    return { ok: true, value: JSON.parse(text), text, bytes: text.length };
  } catch {
    return { ok: false, reason: 'malformed_json', text, detail: NOT_JSON };
  }
}

/** An element of an array, whose own text is not at hand any more. */
function element(value: unknown): BodyEvent {
  return { ok: true, value, text: null, bytes: 0 };
}

async function parseLines(text: string): Promise<BodyEvent[]> {
  const events: BodyEvent[] = [];
  let sliceStart = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end).trim();
    if (line !== '') events.push(parseOne(line));
    start = end + 1;
    if (start - sliceStart > SLICE_CHARACTERS) {
      sliceStart = start;
      await nextTurn();
    }
  }
  return events;
}

/**
 * The events of a body, whatever the sender calls it: an array, one object, or an object per line. Only what is no JSON as a
 * whole is read line by line, so that a bad line costs itself and no other.
 */
export async function parseEvents(body: Buffer): Promise<BodyEvent[]> {
  const text = body.toString('utf8').replace(/^\uFEFF/, '');
  const first = text.trimStart().charAt(0);
  const oneLine = text.trimEnd().indexOf('\n') < 0;
  if (first === '[' || oneLine || first !== '{') {
    const whole = parseWhole(text);
    if (whole !== null) return whole;
  } else if (!looksLikeLines(text)) {
    const whole = parseWhole(text);
    if (whole !== null) return whole;
  }
  return parseLines(text);
}

/** Whether the first line is a whole object: then the body is lines, and need not be tried as one document. */
function looksLikeLines(text: string): boolean {
  const start = text.trimStart();
  return start.slice(0, start.indexOf('\n')).trimEnd().endsWith('}');
}

function parseWhole(text: string): BodyEvent[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
    if (Array.isArray(value) && text.length > MAX_EVENT_BYTES / 3) return value.map(longElement);
  } catch {
    // Not JSON as a whole, or nested deeper than the stack goes: read line by line.
    return null;
  }
  if (!Array.isArray(value))
    return [
      text.length * 3 > MAX_EVENT_BYTES
        ? parseOne(text.trim())
        : { ok: true, value, text, bytes: text.length },
    ];
  return value.map(element);
}

/** Only in a long array can an element be too large. */
function longElement(item: unknown): BodyEvent {
  const text = JSON.stringify(item);
  return Buffer.byteLength(text) > MAX_EVENT_BYTES ? tooLarge(text) : element(item);
}
