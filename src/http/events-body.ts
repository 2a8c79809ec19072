import { setImmediate as nextTurn } from 'node:timers/promises';
import { NestedTooDeep, parseJson } from '../domain/json.js';
import { isSpace, scanValues } from './scan-json.js';

/** One event of a body, parsed or why it could not be, with its text as received (cut when it is too large). */
export type BodyEvent =
  | { readonly ok: true; readonly value: unknown; readonly text: string }
  | {
      readonly ok: false;
      readonly reason: 'malformed_json' | 'too_large' | 'too_deep';
      readonly text: string;
      readonly detail: string;
    };

/** A quick way to the row of an event whose text starts at `start`: what parsing and decoding it would give, or null. */
export interface QuickReader<Row> {
  /** Before the events of a slice. */
  begin(): void;
  read(body: Buffer, start: number): Row | null;
  /** The position behind the event of the last row, and behind blanks. */
  end(): number;
  /** Of a row that is used: what else is done to it. */
  readonly treat?: (row: Row) => Row;
  /** Shows how an event is written that could not be read. */
  learn(body: Buffer, start: number, end: number): void;
}

/** Bound of one event (1 MiB). */
export const MAX_EVENT_BYTES = 1024 * 1024;
/** What is kept of an event beyond the bound, to recognise it by. */
const KEPT_BYTES = 64 * 1024;
/** Bytes parsed before the event loop gets a turn, a few milliseconds; and events, which may be no more than a brace. */
const SLICE_BYTES = 128 * 1024;
const SLICE_EVENTS = 2_000;

const NEWLINE = 0x0a;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

const NOT_JSON =
  'this is not JSON (note that NaN and Infinity are not): send one event per line, or an array of events';
const NOT_CLOSED = 'the array of events does not end: the body was cut, or a bracket is missing';

/** Body types that promise one event per line: there a cut line is just that, elsewhere it may go on. */
const LINE_TYPES: ReadonlySet<string> = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
  'application/json-lines',
]);

/** `Row` is what a quick reader makes; without one there are only events. */
export interface Slice<Row = never> {
  /** To be gone through once: a row is valid until the next one. */
  readonly events: Iterable<BodyEvent | { readonly row: Row }>;
  /** Bytes of the body that the slice covers. */
  readonly bytes: number;
}

/**
 * The events of a body in slices, whatever the sender calls it: an array, one object, objects one after the other, an object
 * (or an array) per line. What cannot be read costs itself and no other event.
 */
export async function* parseEvents<Row = never>(
  body: Buffer,
  contentType = '',
  quick: QuickReader<Row> | null = null,
): AsyncGenerator<Slice<Row>> {
  let start = body.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
  while (start < body.length && isSpace(body[start])) start += 1;
  const slices = isLines(body, start, contentType)
    ? sliceLines(body, start, body.length, quick)
    : sliceValues(body, start);
  for (const slice of slices) {
    yield slice;
    await nextTurn();
  }
}

/** Lines, unless the body is an array, or an object over several lines. */
function isLines(body: Buffer, start: number, contentType: string): boolean {
  const first = body[start];
  if (first === OPEN_BRACKET) return false;
  if (first !== OPEN_BRACE) return true;
  const newline = body.indexOf(NEWLINE, start);
  if (newline < 0) return false;
  let last = newline - 1;
  while (isSpace(body[last])) last -= 1;
  // A pretty object begins with a line of one bracket; a line that was cut does not.
  return last > start && (body[last] === CLOSE_BRACE || LINE_TYPES.has(contentType));
}

/** Whole lines, a slice at a time. */
function* sliceLines<Row = never>(
  body: Buffer,
  from: number,
  to = body.length,
  quick: QuickReader<Row> | null = null,
  inArray = false,
): Generator<Slice<Row>> {
  for (let start = from; start < to; ) {
    const end = endOfSlice(body, start, to);
    if (end - start <= MAX_EVENT_BYTES)
      yield {
        events:
          quick === null
            ? parseLines(body.toString('utf8', start, end), inArray)
            : readLines(body, start, end, quick),
        bytes: end - start,
      };
    // A single line: perhaps an array of events, else one that is too large.
    else yield* sliceValues(body, start, end);
    start = end;
  }
}

/** Behind the last line of the slice that begins at `start`: of at least one, and never in the middle of one. */
function endOfSlice(body: Buffer, start: number, to: number): number {
  let end = start;
  for (let lines = 0; lines < SLICE_EVENTS; lines += 1) {
    const newline = body.indexOf(NEWLINE, end);
    if (newline < 0 || newline >= to) return to - start <= SLICE_BYTES || end === start ? to : end;
    if (newline - start >= SLICE_BYTES && end > start) return end;
    end = newline + 1;
  }
  return end;
}

function* readLines<Row>(
  body: Buffer,
  from: number,
  to: number,
  quick: QuickReader<Row>,
): Generator<BodyEvent | { readonly row: Row }> {
  const known: { row: Row | null } = { row: null };
  quick.begin();
  for (let line = from; line < to; ) {
    let start = line;
    for (; start < to && isSpace(body[start]); start += 1) if (body[start] === NEWLINE) line = start + 1;
    if (start === to) return;
    const row = quick.read(body, start);
    if (row !== null && (quick.end() === to || body[quick.end()] === NEWLINE)) {
      line = quick.end() + 1;
      known.row = quick.treat === undefined ? row : quick.treat(row);
      yield known as { readonly row: Row };
      continue;
    }
    const newline = body.indexOf(NEWLINE, start);
    const end = newline < 0 || newline > to ? to : newline;
    quick.learn(body, start, end);
    yield* parseLines(body.toString('utf8', line, end));
    line = end + 1;
  }
}

/** One decoding of many lines is cheaper than one of each. */
function parseLines(text: string, inArray = false): BodyEvent[] {
  const events: BodyEvent[] = [];
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = inArray ? elementOf(text.slice(start, end)) : text.slice(start, end);
    start = end + 1;
    // Before it is parsed: an error takes time, and a body may hold millions of empty lines.
    if (line === '' || line.trim() === '') continue;
    const event = parseText(line);
    if (event.ok && !Array.isArray(event.value)) events.push(event);
    // One by one: a line may hold a hundred thousand, and so many are no arguments.
    else for (const one of unfold(line, event)) events.push(one);
  }
  return events;
}

/** The element of an array on a line of its own, as forwarders write them: without what stands behind it. */
function elementOf(line: string): string {
  const element = line.trim().replace(/,$/, '');
  return /^\{.*\}\]$/.test(element) || element === ']' ? element.slice(0, -1) : element;
}

/** A line with more on it than one object: an array, or objects one after the other. Else the event as it was. */
function unfold(line: string, event: BodyEvent): BodyEvent[] {
  if (!event.ok && !line.trimStart().startsWith('{')) return [event];
  const bytes = Buffer.from(line);
  const ranges = [...scanValues(bytes)];
  if (event.ok) return ranges.map((range) => parseRange(bytes, range));
  const several = ranges.length > 1 && ranges.every(({ start }) => bytes[start] === OPEN_BRACE);
  return several ? ranges.map((range) => parseRange(bytes, range)) : [event];
}

function* sliceValues(body: Buffer, from: number, to = body.length): Generator<Slice> {
  let events: BodyEvent[] = [];
  let sliceStart = from;
  for (const range of scanValues(body, from, to)) {
    // An object that never closes would swallow the rest of the body: its lines are read one by one instead.
    const newline = range.open ? body.indexOf(NEWLINE, range.start) : -1;
    if (newline >= 0 && newline < to - 1) {
      if (events.length > 0) yield { events, bytes: range.start - sliceStart };
      yield* sliceLines(body, range.start, to, null, body[from] === OPEN_BRACKET);
      return;
    }
    events.push(parseRange(body, range));
    if (range.end - sliceStart >= SLICE_BYTES || events.length === SLICE_EVENTS) {
      yield { events, bytes: range.end - sliceStart };
      events = [];
      sliceStart = range.end;
    }
  }
  if (events.length > 0) yield { events, bytes: to - sliceStart };
}

function parseRange(body: Buffer, range: { start: number; end: number; open: boolean }): BodyEvent {
  const { start, end } = range;
  if (start === end) return { ok: false, reason: 'malformed_json', text: '', detail: NOT_CLOSED };
  if (end - start > MAX_EVENT_BYTES)
    return {
      ok: false,
      reason: 'too_large',
      text: body.toString('utf8', start, start + KEPT_BYTES),
      detail: `the event has more than ${MAX_EVENT_BYTES} bytes`,
    };
  return parseText(body.toString('utf8', start, end));
}

function parseText(text: string): BodyEvent {
  try {
    return { ok: true, value: parseJson(text), text };
  } catch (error) {
    if (error instanceof NestedTooDeep) return { ok: false, reason: 'too_deep', text, detail: error.message };
    // Why, and where, would quote the data.
    return { ok: false, reason: 'malformed_json', text, detail: NOT_JSON };
  }
}
