import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../domain/ports.js';
import { AppError, messageOf, whereMissing } from '../errors.js';
import type { SpooledRequest } from './records.js';

export interface RefusedRequests {
  /** Resolves once the request is in the file. */
  keep(request: SpooledRequest, reason: string): Promise<void>;
  /** Looks at the file again, which people take away or mend. Throws file_unreadable. */
  look(): Promise<void>;
  /** Of the file when it was looked at or written to last. */
  readonly bytes: number;
  readonly requests: number;
}

/** The file of requests that the service will never take: one line of JSON each, with its body in Base64, to be mended and sent by hand. */
export function createRefusedRequests(directory: string, logger: Logger): RefusedRequests {
  const path = join(directory, 'refused.ndjson');
  let last: Promise<unknown> = Promise.resolve();
  let known = { bytes: 0, requests: 0 };

  /** One after the other: a long line is written in pieces, and half of it is no request. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  }

  async function look(): Promise<void> {
    try {
      await count();
    } catch (cause) {
      throw new AppError(
        'file_unreadable',
        `cannot look at the refused requests in ${path}: ${messageOf(cause)}: make it a file that the sidecar may read and write, or move it away`,
        { cause },
      );
    }
  }

  async function count(): Promise<void> {
    const bytes = (await stat(path).catch(whereMissing(null)))?.size ?? 0;
    // What was written here is counted already.
    if (bytes === known.bytes) return;
    known = { bytes, requests: bytes === 0 ? 0 : await countLines(path) };
  }

  async function append(line: string): Promise<void> {
    const file = await open(path, 'a+', 0o600);
    try {
      const { size } = await file.stat();
      try {
        // A crash, or somebody's editor, left a line without its end.
        await file.appendFile(`${(await endsLine(file, size)) ? '' : '\n'}${line}\n`);
        await file.datasync();
        const grown = (await file.stat()).size;
        known = size === known.bytes ? { bytes: grown, requests: known.requests + 1 } : known;
      } catch (error) {
        // Half a line would take the next one with it.
        await file.truncate(size);
        throw error;
      }
    } finally {
      await file.close();
    }
  }

  return {
    async keep({ body, ...rest }, reason) {
      const line = JSON.stringify({
        at: new Date().toISOString(),
        reason,
        ...rest,
        body: body.toString('base64'),
      });
      await inTurn(() => append(line));
      logger.error(
        { reason, file: path },
        'sidecar: the service refuses a request for good, it is kept in a file',
      );
    },
    look: () => inTurn(look),
    get bytes() {
      return known.bytes;
    },
    get requests() {
      return known.requests;
    },
  };
}

async function countLines(path: string): Promise<number> {
  let lines = 0;
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>)
    for (let at = piece.indexOf(0x0a); at !== -1; at = piece.indexOf(0x0a, at + 1)) lines += 1;
  return lines;
}

async function endsLine(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}
