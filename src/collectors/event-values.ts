/** Single values of JSON text, read from its bytes. */
export interface ValueReader {
  /** Where reading goes on; after a value, the byte behind it. */
  at: number;
  /** The number at `at`, with the bits that JSON.parse gives it; NaN when there is none. */
  number(bytes: Buffer): number;
  /** The text whose quote is at `at`; null when it is not plain ASCII (or there is an escape in it). */
  text(bytes: Buffer): string | null;
  /** The same of a text that no other event has: it displaces none of those that come again. */
  newText(bytes: Buffer): string | null;
  /** ms of a text like 2026-01-01T00:00:00.123Z whose quote is at `at`; NaN when it is written otherwise, and `at` stays. */
  time(bytes: Buffer): number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;
const POINT = 0x2e;

/** Powers of ten that a double holds exactly: with a mantissa below 2^53, one division rounds once, as it should. */
const POWERS = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
const EXACT_BELOW = 2 ** 53;

/** Longest text that is looked up before it is made, and places to look in. */
const SHORT_TEXT = 32;
const KNOWN_TEXTS = 4_096;

export function createValueReader(): ValueReader {
  const known = new Array<string>(KNOWN_TEXTS).fill('');
  let knownDay = -1;
  let knownDayMs = 0;

  /** A number that is too long, or has an exponent: checked here, made by the runtime. */
  function longNumber(bytes: Buffer, from: number, mantissaEnd: number): number {
    let at = mantissaEnd;
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      at += 1;
      if (bytes[at] === 0x2b || bytes[at] === 0x2d) at += 1;
      const digits = at;
      while (isDigit(bytes[at])) at += 1;
      if (at === digits) return Number.NaN;
    }
    reader.at = at;
    return Number(bytes.toString('latin1', from, at));
  }

  function shortText(bytes: Buffer, from: number, end: number): string {
    let hash = 0;
    for (let at = from; at < end; at += 1) hash = Math.imul(hash, 31) + (bytes[at] as number);
    const place = (hash ^ (hash >>> 15)) & (KNOWN_TEXTS - 1);
    const candidate = known[place] as string;
    if (isText(bytes, from, end, candidate)) return candidate;
    const text = bytes.toString('latin1', from, end);
    known[place] = text;
    return text;
  }

  const reader: ValueReader = {
    at: 0,
    number(bytes) {
      const from = reader.at;
      let at = from;
      const negative = bytes[at] === 0x2d;
      if (negative) at += 1;
      let byte = bytes[at] as number;
      if (!(byte >= ZERO && byte <= NINE)) return Number.NaN;
      let mantissa = 0;
      if (byte === ZERO) {
        at += 1;
        byte = bytes[at] as number;
      } else {
        while (byte >= ZERO && byte <= NINE) {
          mantissa = mantissa * 10 + (byte - ZERO);
          at += 1;
          byte = bytes[at] as number;
        }
      }
      let decimals = 0;
      if (byte === POINT) {
        at += 1;
        const first = at;
        byte = bytes[at] as number;
        while (byte >= ZERO && byte <= NINE) {
          mantissa = mantissa * 10 + (byte - ZERO);
          at += 1;
          byte = bytes[at] as number;
        }
        decimals = at - first;
        if (decimals === 0) return Number.NaN;
      }
      if (byte === 0x65 || byte === 0x45 || mantissa >= EXACT_BELOW || decimals >= POWERS.length)
        return longNumber(bytes, from, at);
      reader.at = at;
      const value = decimals === 0 ? mantissa : mantissa / (POWERS[decimals] as number);
      return negative ? -value : value;
    },
    text(bytes) {
      const from = reader.at + 1;
      const end = endOfText(bytes, reader.at);
      if (end < 0) return null;
      reader.at = end + 1;
      return end - from <= SHORT_TEXT ? shortText(bytes, from, end) : bytes.toString('latin1', from, end);
    },
    newText(bytes) {
      const from = reader.at + 1;
      const end = endOfText(bytes, reader.at);
      if (end < 0) return null;
      reader.at = end + 1;
      return bytes.toString('latin1', from, end);
    },
    time(bytes) {
      const at = reader.at;
      if (bytes[at] !== QUOTE || bytes[at + 11] !== 0x54) return Number.NaN;
      const year = 100 * pair(bytes, at + 1) + pair(bytes, at + 3);
      const month = pair(bytes, at + 6);
      const day = pair(bytes, at + 9);
      const hour = pair(bytes, at + 12);
      const minute = pair(bytes, at + 15);
      const second = pair(bytes, at + 18);
      const signs =
        bytes[at + 5] === 0x2d &&
        bytes[at + 8] === 0x2d &&
        bytes[at + 14] === 0x3a &&
        bytes[at + 17] === 0x3a;
      let end = at + 20;
      let ms = 0;
      if (bytes[end] === POINT) {
        ms = 10 * pair(bytes, end + 1) + (pair(bytes, end + 2) % 10);
        end += 4;
      }
      // NaN of a pair fails every comparison.
      if (!(signs && year >= 1000 && hour < 24 && minute < 60 && second < 60 && ms < 1_000))
        return Number.NaN;
      if (bytes[end] !== 0x5a || bytes[end + 1] !== QUOTE) return Number.NaN;
      const key = 10_000 * year + 100 * month + day;
      if (key !== knownDay) {
        const dayMs = Date.UTC(year, month - 1, day);
        const date = new Date(dayMs);
        if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return Number.NaN;
        knownDay = key;
        knownDayMs = dayMs;
      }
      reader.at = end + 2;
      return knownDayMs + 3_600_000 * hour + 60_000 * minute + 1_000 * second + ms;
    },
  };
  return reader;
}

/** Of plain text whose opening quote is at `at`, where its closing one is; -1 when it is no such text. */
function endOfText(bytes: Buffer, at: number): number {
  if (bytes[at] !== QUOTE) return -1;
  for (let end = at + 1; ; end += 1) {
    const byte = bytes[end];
    if (byte === QUOTE) return end;
    if (byte === undefined || byte < 0x20 || byte > 0x7e || byte === BACKSLASH) return -1;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** Two digits as a number; NaN when they are none. */
function pair(bytes: Buffer, at: number): number {
  const tens = bytes[at] as number;
  const ones = bytes[at + 1] as number;
  return tens >= ZERO && tens <= NINE && ones >= ZERO && ones <= NINE
    ? 10 * (tens - ZERO) + (ones - ZERO)
    : Number.NaN;
}

function isText(bytes: Buffer, from: number, end: number, text: string): boolean {
  if (text.length !== end - from) return false;
  for (let index = 0; index < text.length; index += 1)
    if (bytes[from + index] !== text.charCodeAt(index)) return false;
  return true;
}
