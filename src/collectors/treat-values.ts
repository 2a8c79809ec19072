import { createHmac } from 'node:crypto';
import {
  type AppliedRule,
  bucketOf,
  edgeOf,
  HASHED,
  HASHED_BYTES,
  HASHED_PREFIX,
  hashedText,
  OTHER,
  type PrivacyRule,
} from '../domain/privacy.js';

/** What becomes of one column's values; undefined is dropped. */
export interface Treatment {
  number(value: number): number | string | undefined;
  text(value: string): string | undefined;
}

export type Hasher = (column: string, value: string) => string;

/** Hashes that are remembered: categories come again and again. */
const REMEMBERED = 10_000;

/** HMAC-SHA-256 of column and value, shortened. A value that is hashed already stays. */
export function createHasher(key: Buffer): Hasher {
  const known = new Map<string, string>();
  return (column, value) => {
    const text = hashedText(column, value);
    const before = known.get(text);
    if (before !== undefined) return before;
    if (HASHED.test(value)) return value;
    const digest = createHmac('sha256', key).update(text, 'utf8').digest();
    const hashed = HASHED_PREFIX + digest.toString('hex', 0, HASHED_BYTES);
    if (known.size >= REMEMBERED) known.clear();
    known.set(text, hashed);
    return hashed;
  };
}

export const DROPPED: Treatment = { number: () => undefined, text: () => undefined };

/** Of features that the version does not declare, where the policy keeps none. */
export const UNDECLARED: Treatment = { number: () => undefined, text: () => undefined };

/** A bucket whose ends nobody has learned yet keeps nothing. */
export const UNKNOWN_BUCKETS: Treatment = { number: () => undefined, text: () => undefined };

function widths(width: number): Treatment {
  return { number: (value) => bucketOf(value, width), text: () => OTHER };
}

function learned(applied: AppliedRule | undefined): Treatment {
  if (applied?.rule !== 'bucket') return UNKNOWN_BUCKETS;
  if ('width' in applied) return widths(applied.width);
  if ('edges' in applied) {
    const { edges } = applied;
    return { number: (value) => edgeOf(value, edges), text: () => OTHER };
  }
  const values = new Set(applied.values);
  const text = (value: string) => (values.has(value) ? value : OTHER);
  return { number: (value) => text(String(value)), text };
}

/** Null where values are kept. `applied` is what the version was registered with. */
export function treatmentOf(
  column: string,
  rule: PrivacyRule,
  applied: AppliedRule | undefined,
  hash: Hasher,
): Treatment | null {
  if (rule === 'keep') return null;
  if (rule === 'drop') return DROPPED;
  if (rule === 'hash')
    return { number: (value) => hash(column, String(value)), text: (value) => hash(column, value) };
  if (rule !== 'bucket' && 'width' in rule) return widths(rule.width);
  return learned(applied);
}
