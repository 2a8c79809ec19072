/** Levels of a message of a stranger: what goes through values, and JSON.stringify, calls itself for each of them. */
export const MAX_NESTING = 256;

/** A message is nested deeper than `MAX_NESTING` levels. */
export class NestedTooDeep extends Error {
  constructor() {
    super(`the message is nested deeper than ${MAX_NESTING} levels`);
    this.name = 'NestedTooDeep';
  }
}

const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Whether a number may be another one than was sent: beyond 2^53 whole numbers that differ are one. */
export const isRounded = (value: unknown) =>
  typeof value === 'number' && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER);

/**
 * JSON of a stranger. RFC 8259 lets a parser bound the nesting; JSON.parse does not, and what it made of a deep text ends every function
 * that calls itself. Throws SyntaxError (which quotes the text), NestedTooDeep.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (mayBeDeep(text) && depthOf(text) > MAX_NESTING) throw new NestedTooDeep();
  return value;
}

/** A whole number that may be beyond 2^53, or digits like one in a text. */
const MAY_BE_LONG = /(?:^|[^.\d])\d{16}/;
const LONG_NUMBER = /^-?\d{16,}$/;

/** As `parseJson`, with whole numbers beyond 2^53 as texts of their digits: as numbers they would be others. */
export function parseExact(text: string): unknown {
  const value = parseJson(text);
  return MAY_BE_LONG.test(text) ? JSON.parse(withLongNumbersQuoted(text)) : value;
}

/** Of text that is JSON. */
function withLongNumbersQuoted(text: string): string {
  const parts: string[] = [];
  let done = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text.charCodeAt(at) === QUOTE) {
      for (at += 1; text.charCodeAt(at) !== QUOTE; at += 1) if (text.charCodeAt(at) === BACKSLASH) at += 1;
      continue;
    }
    let end = at;
    while (isOfNumber(text.charCodeAt(end))) end += 1;
    const number = text.slice(at, end);
    if (LONG_NUMBER.test(number) && isRounded(Number(number))) {
      parts.push(text.slice(done, at), `"${number}"`);
      done = end;
    }
    at = Math.max(at, end - 1);
  }
  parts.push(text.slice(done));
  return parts.join('');
}

/** Digits, `+`, `-`, `.`, `E` and `e`. */
const isOfNumber = (code: number) =>
  (code >= 0x30 && code <= 0x39) ||
  code === 0x2b ||
  code === 0x2d ||
  code === 0x2e ||
  code === 0x45 ||
  code === 0x65;

/** How a whole number beyond 2^53 is written where it was read as a number and rounded; null for any other text. */
export function roundedText(text: string): string | null {
  if (!LONG_NUMBER.test(text)) return null;
  const number = Number(text);
  return Number.isFinite(number) && isRounded(number) && String(number) !== text ? String(number) : null;
}

/** Whether a text may be a whole number beyond 2^53 that was rounded. */
export function mayBeRounded(text: string): boolean {
  if (text.length > 25) return false;
  const number = Number(text);
  return Number.isFinite(number) && isRounded(number) && String(number) === text;
}

/** Whether it has as many brackets: few texts do, and a search for them is quick. */
function mayBeDeep(text: string): boolean {
  let left = MAX_NESTING;
  for (const bracket of ['{', '['])
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      left -= 1;
      if (left < 0) return true;
    }
  return false;
}

/** Of text that is JSON: its brackets close. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) quoted = !quoted;
    else if (quoted) at += code === BACKSLASH ? 1 : 0;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1;
  }
  return deepest;
}
