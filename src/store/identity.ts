import { createHash } from 'node:crypto';

/**
 * Identity of a scored row, as the unsigned decimal text of a UInt64: the first eight bytes of
 * SHA-1(model \0 version \0 id \0 row index). A fast filter only: equal hashes are followed by a look at the names themselves.
 */
export function rowIdentity(row: {
  readonly model: string;
  readonly modelVersion: string;
  readonly predictionId: string;
  readonly rowIndex: number;
}): string {
  return hash64(`${row.model}\0${row.modelVersion}\0${row.predictionId}\0${row.rowIndex}`);
}

/** First eight bytes of SHA-1 as unsigned decimal text. */
export function hash64(text: string): string {
  return createHash('sha1').update(text).digest().readBigUInt64BE(0).toString();
}

const PLAIN_TOKEN = /^[\w./:=@+-]{1,200}$/;

/** Insert tokens hold topic and file names: one with other characters, or too long for a URL, is replaced by its hash. */
export function safeToken(token: string): string {
  if (token === '') throw new RangeError('an insert token must not be empty');
  return PLAIN_TOKEN.test(token) ? token : `sha256:${createHash('sha256').update(token).digest('hex')}`;
}
