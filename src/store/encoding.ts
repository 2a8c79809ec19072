import { setImmediate as nextTurn } from 'node:timers/promises';

/** Rows turned into JSON, or out of it, before the event loop gets a turn. */
const ENCODE_SLICE = 500;

/** A JSON.stringify replacer for what JSON has no word for; the engine reads these from strings. JSON alone would write null. */
export function engineNumber(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** A Float64 of a result row: a JSON number, or the string that stands for nan or ±inf. */
export function float64(value: number | string): number {
  if (typeof value === 'number') return value;
  if (value === 'inf' || value === '+inf') return Number.POSITIVE_INFINITY;
  if (value === '-inf') return Number.NEGATIVE_INFINITY;
  return Number(value);
}

/** A text as a literal of a statement. */
export const quotedText = (text: string) => `'${text.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\0')}'`;

/** ms since the epoch → the text of a DateTime64(3, 'UTC') column or parameter, e.g. `2013-03-01 00:00:00.123`. */
export function dateTime64(ms: number): string {
  if (!Number.isInteger(ms)) throw new RangeError(`a time in whole milliseconds is needed, got ${ms}`);
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}`;
}

/** Key of the object that stands for a number without a JSON form inside a stored document. */
const NUMBER_KEY = '$number';

/** A document as JSON text that `fromBody` reads back equal, ±Infinity and NaN included. */
export function toBody(document: object): string {
  // A replacer is called for every value and takes several times as long as all the rest; few documents need it.
  if (!holdsOddNumber(document)) return JSON.stringify(document);
  return JSON.stringify(document, (_key, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? { [NUMBER_KEY]: String(value) } : value,
  );
}

function holdsOddNumber(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(holdsOddNumber);
  for (const key in value) if (holdsOddNumber((value as Record<string, unknown>)[key])) return true;
  return false;
}

/** The text must come from `toBody` of a T. */
export function fromBody<T>(body: string): T {
  if (!body.includes(`"${NUMBER_KEY}"`)) return JSON.parse(body) as T;
  return JSON.parse(body, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && NUMBER_KEY in value ? Number(value[NUMBER_KEY]) : value,
  ) as T;
}

/** `items` through `map`, with a turn of the event loop after each five hundred. */
export async function mapInTurns<T, R>(items: readonly T[], map: (item: T) => R): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += ENCODE_SLICE) {
    if (start > 0) await nextTurn();
    for (const item of items.slice(start, start + ENCODE_SLICE)) results.push(map(item));
  }
  return results;
}

/** The rows as lines of JSON, in parts. */
export async function encodeRows(rows: readonly object[]): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  for (let start = 0; start < rows.length; start += ENCODE_SLICE) {
    if (start > 0) await nextTurn();
    let text = '';
    for (const row of rows.slice(start, start + ENCODE_SLICE))
      text += `${JSON.stringify(row, engineNumber)}\n`;
    parts.push(Buffer.from(text));
  }
  return parts;
}
