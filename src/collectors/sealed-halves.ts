import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { idOfCall } from '../domain/erasure.js';
import type { CallHalf, RejectedRow } from '../domain/prediction.js';
import { ID_COLUMN } from '../domain/privacy.js';
import type { Hasher } from './treat-values.js';

export interface Sealing {
  /** A side of a call that waits for the other, unreadable without the key where its model has a policy. */
  seal(half: CallHalf): CallHalf;
  /** What it holds; what both sides share stays hashed. Throws RangeError for one that was sealed with another key. */
  open(half: CallHalf): CallHalf;
}

const SEALED = 'sealed:';
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const CALL_COLUMN = 'call';

/** What is not paired yet cannot be treated: values have their names on either side. It waits encrypted, with a key made from the other. */
export function createSealing(
  key: Buffer,
  hash: Hasher,
  isPersonal: (half: CallHalf) => boolean,
): Sealing & {
  /** A row with the message in it, where that can be opened: its side was given up, and its model turned out to have no policy. */
  readonly opened: (row: RejectedRow) => RejectedRow;
} {
  const sealingKey = createHmac('sha256', key).update('call halves').digest();

  /** Equal for both sides still, in every process with the key. The id is hashed as ids of predictions are: erasure finds the call by it. */
  function hashedCall(call: string): string {
    const id = idOfCall(call);
    return JSON.stringify([hash(CALL_COLUMN, call), ...(id === null ? [] : [hash(ID_COLUMN, id)])]);
  }

  /** Throws RangeError. */
  function textIn(payload: string): string {
    const bytes = Buffer.from(payload.slice(SEALED.length), 'base64');
    try {
      const decipher = createDecipheriv(CIPHER, sealingKey, bytes.subarray(0, IV_BYTES));
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      const text = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8');
      return text + decipher.final('utf8');
    } catch (cause) {
      throw new RangeError('sealed with another key', { cause });
    }
  }

  return {
    seal(half) {
      if (half.payload.startsWith(SEALED) || !isPersonal(half)) return half;
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, sealingKey, iv);
      const sealed = Buffer.concat([cipher.update(half.payload, 'utf8'), cipher.final()]);
      const payload = SEALED + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
      return { ...half, call: hashedCall(half.call), payload };
    },
    open: (half) => (half.payload.startsWith(SEALED) ? { ...half, payload: textIn(half.payload) } : half),
    opened(row) {
      if (!row.payload.startsWith(SEALED)) return row;
      try {
        return { ...row, payload: textIn(row.payload) };
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return row;
      }
    },
  };
}
