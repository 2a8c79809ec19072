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
