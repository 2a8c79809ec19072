import { RESERVED_FEATURES } from '../domain/model.js';
import { ALIASES, MAX_FEATURES, MAX_NAME_LENGTH, MAX_TAGS } from './decode-event.js';

export type Role = keyof typeof ROLES | 'feature' | 'tag' | 'ignored';

/** One value of an event: what it is, and the bytes between the value before it and this one. */
export interface Slot {
  readonly role: Role;
  /** Of a feature or tag, else empty. */
  readonly name: string;
  readonly before: Uint8Array;
}

/** How one sender writes its events: the same keys in the same order with the same white space; values differ. */
export interface EventForm {
  readonly slots: readonly Slot[];
  /** The bytes after the last value. */
  readonly after: Uint8Array;
}

const ROLES = {
  predictionId: ALIASES.predictionId,
  model: ALIASES.model,
  modelVersion: ALIASES.modelVersion,
  timestamp: ALIASES.timestamp,
  prediction: ALIASES.prediction,
  proba: ALIASES.proba,
  latencyMs: ['latency_ms'],
  rowIndex: ['row_index'],
} as const;
const ROLE_OF = new Map<string, Role>();
for (const [role, names] of Object.entries(ROLES))
  for (const name of names) ROLE_OF.set(name, role as keyof typeof ROLES);
const REQUIRED: readonly Role[] = ['model', 'modelVersion', 'timestamp', 'prediction'];

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** Longest of any key, and most values: no event of a sender that means it has more. */
const MAX_KEY_LENGTH = 512;
const MAX_SLOTS = MAX_FEATURES + MAX_TAGS + 64;
/** Makes an event another one's envelope (a CloudEvent): it is read as what it carries. */
const ENVELOPE_KEY = 'specversion';
/** A name that is a whole number comes first in an object, wherever it stood in the text. */
const WHOLE_NUMBER = /^\d+$/;

/** Not `slice`, which of a Buffer is a view: the bytes around it are others soon. */
const copied = (bytes: Uint8Array, from: number, end: number) => Uint8Array.from(bytes.subarray(from, end));

/**
 * The form in which an event is written, or null for one that has none: keys that are long, escaped, not ASCII, or there twice, two names of
 * the same field, nesting elsewhere than in features and tags, a line break between values, the envelope of another event. Keeps no bytes
 * of the event.
 */
export function learnForm(bytes: Uint8Array, start: number, end: number): EventForm | null {
  const slots: Slot[] = [];
  const roles = new Set<Role>();
  let at = start;
  let valueEnd = start;

  const skipSpace = () => {
    while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
  };
  const take = (byte: number): boolean => {
    skipSpace();
    if (at >= end || bytes[at] !== byte) return false;
    at += 1;
    return true;
  };

  function key(): string | null {
    if (!take(QUOTE)) return null;
    const from = at;
    while (at < end && bytes[at] !== QUOTE) {
      const byte = bytes[at] as number;
      if (byte < SPACE || byte > 0x7e || byte === BACKSLASH) return null;
      at += 1;
    }
    if (at - from > MAX_KEY_LENGTH) return null;
    const name = String.fromCharCode(...bytes.subarray(from, at));
    return take(QUOTE) && take(COLON) && !WHOLE_NUMBER.test(name) ? name : null;
  }

  /** A text, number, true, false or null; whether it is one is for the reader to see. */
  function scalar(role: Role, name: string): boolean {
    skipSpace();
    if (slots.length === MAX_SLOTS) return false;
    slots.push({ role, name, before: copied(bytes, valueEnd, at) });
    if (bytes[at] === QUOTE) {
      at += 1;
      while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
      at += 1;
    } else {
      const from = at;
      while (at < end && isScalarByte(bytes[at] as number)) at += 1;
      if (at === from) return false;
    }
    valueEnd = at;
    return at <= end;
  }

  /** The members of an object whose brace is read. */
  function members(member: (name: string) => boolean): boolean {
    const seen = new Set<string>();
    if (take(CLOSE_BRACE)) return true;
    do {
      const name = key();
      if (name === null || seen.has(name) || !member(name)) return false;
      seen.add(name);
    } while (take(COMMA));
    return take(CLOSE_BRACE);
  }

  function group(role: 'feature' | 'tag', most: number): boolean {
    let count = 0;
    return (
      take(OPEN_BRACE) &&
      members((name) => {
        count += 1;
        const usable = name !== '' && name.length <= MAX_NAME_LENGTH && count <= most;
        return usable && !(role === 'feature' && RESERVED_FEATURES.has(name)) && scalar(role, name);
      })
    );
  }

  function field(name: string): boolean {
    const isGroup = name === 'features' || name === 'tags';
    const role = name === 'features' ? 'feature' : name === 'tags' ? 'tag' : (ROLE_OF.get(name) ?? 'ignored');
    if (name === ENVELOPE_KEY || (role !== 'ignored' && roles.has(role))) return false;
    roles.add(role);
    return isGroup
      ? group(role as 'feature' | 'tag', name === 'features' ? MAX_FEATURES : MAX_TAGS)
      : scalar(role, '');
  }

  skipSpace();
  if (!take(OPEN_BRACE) || !members(field)) return null;
  const complete = roles.has('feature') && REQUIRED.every((role) => roles.has(role));
  return complete ? { slots, after: copied(bytes, valueEnd, at) } : null;
}

/** Letters, digits, and the signs of numbers. */
function isScalarByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x45 ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e
  );
}
