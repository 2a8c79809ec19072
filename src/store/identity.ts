import { createHash } from 'node:crypto';
import type { PlainText } from '../domain/row-list.js';

/** What names a scored row. */
export interface RowKey {
  readonly model: string;
  readonly modelVersion: string;
  readonly predictionId: string;
  readonly rowIndex: number;
}

/**
 * Identity of a scored row, as the unsigned decimal text of a UInt64: `hash64` of model, version, id and row index,
 * joined by NUL. It finds candidates and joins labels to predictions; where equality matters the names themselves decide.
 */
export function rowIdentity(row: RowKey): string {
  return hash64(rowKey(row));
}

/** The names as one text: equal for equal rows only, since NUL is not a name's character in three of the four. */
export function rowKey(row: RowKey): string {
  return `${row.model}\0${row.modelVersion}\0${row.rowIndex}\0${row.predictionId}`;
}

/**
 * 64-bit hash of a text's UTF-16 units, as unsigned decimal text: two 32-bit lanes in the manner of MurmurHash3's
 * rounds and finaliser. Not for secrets. Three times as fast as SHA-1, which alone would take 4 µs a row.
 * Stored in tables: it must never change.
 */
export function hash64(text: string): string {
  hash64Into(text, scratch, 0);
  return hash64Text(scratch[0] as number, scratch[1] as number);
}

/** 64 bits in two halves as decimal text: long division by 10^6, each step below 2^53. A BigInt takes twice as long. */
export function hash64Text(high: number, low: number): string {
  const rest = (high % MILLION) * WORD + low;
  const millions = Math.floor(high / MILLION) * WORD + Math.floor(rest / MILLION);
  const last = String(rest % MILLION);
  return millions === 0 ? last : millions + '000000'.slice(last.length) + last;
}

const MILLION = 1_000_000;
const WORD = 2 ** 32;

const scratch = new Uint32Array(2);

/** The same hash as two halves at `at`, the high one first: a BigInt for each row would cost more than the hash. */
export function hash64Into(text: string, halves: Uint32Array, at: number): void {
  lanes.high = HIGH_SEED ^ text.length;
  lanes.low = LOW_SEED ^ text.length;
  mixIn(text);
  finish(halves, at);
}

/** Lengths of keys whose beginning is remembered. */
const REMEMBERED_LENGTHS = 256;

/**
 * `hash64Into` of `rowKey`, for rows that mostly have model, version and index in common: what these make of the lanes is remembered for
 * each length of a key, and no key is put together.
 */
export function createKeyHasher(): (
  row: RowKey,
  plainId: PlainText | null,
  halves: Uint32Array,
  at: number,
) => void {
  let model = '';
  let modelVersion = '';
  let rowIndex = -1;
  let beginning = '';
  const highs = new Int32Array(REMEMBERED_LENGTHS);
  const lows = new Int32Array(REMEMBERED_LENGTHS);
  const known = new Uint8Array(REMEMBERED_LENGTHS);
  return (row, plainId, halves, at) => {
    if (row.rowIndex !== rowIndex || row.modelVersion !== modelVersion || row.model !== model) {
      ({ model, modelVersion, rowIndex } = row);
      beginning = rowKey({ ...row, predictionId: '' });
      known.fill(0);
    }
    const idLength = plainId === null ? row.predictionId.length : plainId.end - plainId.from;
    const length = beginning.length + idLength;
    if (known[length] === 1) {
      lanes.high = highs[length] as number;
      lanes.low = lows[length] as number;
    } else {
      lanes.high = HIGH_SEED ^ length;
      lanes.low = LOW_SEED ^ length;
      mixIn(beginning);
      // Beyond the last length nothing is remembered.
      known[length] = 1;
      highs[length] = lanes.high;
      lows[length] = lanes.low;
    }
    if (plainId === null) mixIn(row.predictionId);
    else mixInPlain(plainId);
    finish(halves, at);
  };
}

const HIGH_SEED = 0x9747b28c;
const LOW_SEED = 0x3c6ef372;
const lanes = { high: 0, low: 0 };

function mixIn(text: string): void {
  let high = lanes.high | 0;
  let low = lanes.low | 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = nextHigh(high, low, unit);
    low = nextLow(high, low, unit);
  }
  lanes.high = high;
  lanes.low = low;
}

/** The same of a text whose units are bytes. */
function mixInPlain({ bytes, from, end }: PlainText): void {
  let high = lanes.high | 0;
  let low = lanes.low | 0;
  for (let index = from; index < end; index += 1) {
    const unit = bytes[index] as number;
    high = nextHigh(high, low, unit);
    low = nextLow(high, low, unit);
  }
  lanes.high = high;
  lanes.low = low;
}

function nextHigh(high: number, low: number, unit: number): number {
  const a = Math.imul(unit ^ 0x5bd1e995, 0xcc9e2d51);
  return (Math.imul(rotate(high ^ a, 13), 5) + 0x6b64e654 + (low >>> 16)) | 0;
}

/** `high` is the new one. */
function nextLow(high: number, low: number, unit: number): number {
  const b = Math.imul(unit ^ 0x2545f491, 0x1b873593);
  return (Math.imul(rotate(low ^ b, 15), 9) + 0x38b34ae5 + (high >>> 16)) | 0;
}

function finish(halves: Uint32Array, at: number): void {
  const high = finalise(lanes.high ^ lanes.low);
  halves[at] = high;
  halves[at + 1] = finalise((Math.imul(lanes.low, 0x85ebca6b) + high) | 0);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** MurmurHash3's fmix32. */
function finalise(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const PLAIN_TOKEN = /^[\w./:=@+-]{1,200}$/;

/** Insert tokens hold topic and file names: one with other characters, or too long for a URL, is replaced by its hash. */
export function safeToken(token: string): string {
  if (token === '') throw new RangeError('an insert token must not be empty');
  return PLAIN_TOKEN.test(token) ? token : `sha256:${createHash('sha256').update(token).digest('hex')}`;
}
