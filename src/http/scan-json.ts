/** Bytes [start, end) of one top-level value. `open` means that the text ended inside it. */
export interface ValueRange {
  readonly start: number;
  readonly end: number;
  readonly open: boolean;
}

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB;
}

/** The position after the string that starts at `from`, or `end` when it does not close. */
function afterString(bytes: Buffer, from: number, end: number): number {
  for (let at = from + 1; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) return at + 1;
  }
  return end;
}

/** The position after the object or array that starts at `from`; its nesting is counted, not recursed into. */
function afterNested(bytes: Buffer, from: number, end: number): { at: number; open: boolean } {
  let depth = 0;
  for (let at = from; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = afterString(bytes, at, end) - 1;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth === 0) return { at: at + 1, open: false };
    }
  }
  return { at: end, open: true };
}

function afterScalar(bytes: Buffer, from: number, end: number): number {
  if (bytes[from] === QUOTE) return afterString(bytes, from, end);
  let at = from + 1;
  while (at < end && bytes[at] !== COMMA && bytes[at] !== CLOSE_BRACKET && !isSpace(bytes[at])) at += 1;
  return at;
}

/**
 * Finds the events of JSON text without parsing it: the elements of top-level arrays, and values that follow one another
 * with or without commas or white space. Each can then be parsed by itself: a bad one costs only itself, its text stays at
 * hand, and no long parse holds the event loop. Only brackets and strings are looked at; whether a range is JSON is for
 * `JSON.parse` to say. An array that does not end yields an empty open range last.
 */
export function* scanValues(bytes: Buffer, start = 0, end = bytes.length): Generator<ValueRange> {
  let inArray = false;
  for (let at = start; at < end; ) {
    const byte = bytes[at];
    if (byte === COMMA || isSpace(byte)) at += 1;
    else if (byte === OPEN_BRACKET && !inArray) {
      inArray = true;
      at += 1;
    } else if (byte === CLOSE_BRACKET) {
      // One that closes nothing is a value of its own, and not JSON.
      if (!inArray) yield { start: at, end: at + 1, open: false };
      inArray = false;
      at += 1;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      const next = afterNested(bytes, at, end);
      yield { start: at, end: next.at, open: next.open };
      at = next.at;
    } else {
      const next = afterScalar(bytes, at, end);
      yield { start: at, end: next, open: false };
      at = next;
    }
  }
  if (inArray) yield { start: end, end, open: true };
}
