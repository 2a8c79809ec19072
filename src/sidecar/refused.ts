import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../domain/ports.js';
import type { SpooledRequest } from './records.js';

export interface RefusedRequests {
  /** Resolves once the request is in the file. */
  keep(request: SpooledRequest, reason: string): Promise<void>;
}

/** The file of requests that the service will never take: one line of JSON each, with its body in Base64, to be mended and sent by hand. */
export function createRefusedRequests(directory: string, logger: Logger): RefusedRequests {
  const path = join(directory, 'refused.ndjson');
  let last: Promise<void> = Promise.resolve();

  async function append(line: string): Promise<void> {
    const file = await open(path, 'a+', 0o600);
    try {
      const { size } = await file.stat();
      try {
        // A crash, or somebody's editor, left a line without its end.
        await file.appendFile(`${(await endsLine(file, size)) ? '' : '\n'}${line}\n`);
        await file.datasync();
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
      // One after the other: a long line is written in pieces.
      const kept = last.then(() => append(line));
      last = kept.catch(() => undefined);
      await kept;
      logger.error(
        { reason, file: path },
        'sidecar: the service refuses a request for good, it is kept in a file',
      );
    },
  };
}

async function endsLine(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}
