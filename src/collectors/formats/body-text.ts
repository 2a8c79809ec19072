import { NestedTooDeep, parseJson } from '../../domain/json.js';
import { unusable } from '../decode-event.js';

const NUMBER = /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/;

/** The cells of one line of CSV (RFC 4180, quotes and all); numbers as numbers, empty cells as null. */
function csvCells(line: string): unknown[] {
  const cells: unknown[] = [];
  for (let from = 0; from <= line.length; ) {
    let text = '';
    let end = line.indexOf(',', from);
    if (line[from] === '"') {
      let at = from + 1;
      for (;;) {
        const quote = line.indexOf('"', at);
        if (quote < 0) unusable('unsupported_payload', 'a quote of the CSV does not end');
        text += line.slice(at, quote);
        at = quote + 1;
        if (line[at] !== '"') break;
        text += '"';
        at += 1;
      }
      cells.push(text);
      end = line.indexOf(',', at);
    } else {
      text = line.slice(from, end < 0 ? undefined : end);
      cells.push(text.trim() === '' ? null : NUMBER.test(text) ? Number(text) : text);
    }
    if (end < 0) break;
    from = end + 1;
  }
  return cells;
}

function csvRows(text: string): unknown[][] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map(csvCells);
}

/** How a body stands in a message: as it is, or as text in an encoding. */
export interface BodyText {
  readonly value: unknown;
  /** `CSV`, `JSON`, `BASE64`, or unknown. */
  readonly encoding?: unknown;
  readonly contentType?: unknown;
}

/** The body itself: what JSON says, or lists of cells where it is CSV. */
export function bodyOf({ value, encoding, contentType }: BodyText): unknown {
  if (typeof value !== 'string') return value;
  const kind = String(encoding ?? '').toUpperCase();
  const type = String(contentType ?? '').toLowerCase();
  const text = kind === 'BASE64' ? Buffer.from(value, 'base64').toString('utf8') : value;
  if (kind === 'CSV' || type.startsWith('text/csv')) return csvRows(text);
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof NestedTooDeep) unusable('too_deep', error.message);
    return unusable(
      'unsupported_payload',
      'a body of the call is neither JSON nor said to be CSV: only these are read',
    );
  }
}
