import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

export interface ScratchFiles {
  /**
   * Hands bytes to a reader in this process that takes files only; `use` gets a path that holds no character of the directory's.
   * Bytes that are read back at once stay in the page cache. No other bytes come into the file until `use` has ended. An aborted
   * signal ends the waiting, not the use. Throws what `use` and the file system throw, and the signal's reason.
   */
  use<T>(
    parts: readonly Uint8Array[],
    signal: AbortSignal | undefined,
    use: (path: string) => Promise<T>,
  ): Promise<T>;
  /** Call when nothing is used any more. */
  close(): Promise<void>;
}

/** Kept open for the next bytes: making a file anew, and its pages, costs a fifth of an insert. */
const MAX_SPARE = 2;
/** A file that was once larger gives its room back. */
const SPARE_BYTES = 16 * 1_024 * 1_024;

/** Files in a directory that have no name as soon as they are open, so that a crash leaves nothing behind. */
export function createScratchFiles(directory: string): ScratchFiles {
  const spare: { readonly file: FileHandle; readonly size: number }[] = [];
  let closed = false;

  async function giveBack(file: FileHandle, size: number): Promise<void> {
    if (closed || spare.length >= MAX_SPARE || size > SPARE_BYTES) await file.close();
    else spare.push({ file, size });
  }

  async function work<T>(
    parts: readonly Uint8Array[],
    signal: AbortSignal | undefined,
    use: (path: string) => Promise<T>,
  ): Promise<T> {
    const { file, size: before } = spare.pop() ?? { file: await openNameless(directory), size: 0 };
    // What is half written may be on a full disk: its room is worth more than the file.
    let size = Number.POSITIVE_INFINITY;
    try {
      size = await writeAll(file, before, parts);
      // Who waited may have used the parts' memory for something else since.
      signal?.throwIfAborted();
      return await use(`/dev/fd/${file.fd}`);
    } finally {
      await giveBack(file, size);
    }
  }

  return {
    async use(parts, signal, use) {
      signal?.throwIfAborted();
      const working = work(parts, signal, use);
      if (signal === undefined) return working;
      return new Promise((resolve, reject) => {
        const onAbort = () => reject(signal.reason as Error);
        signal.addEventListener('abort', onAbort, { once: true });
        working.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
      });
    },
    async close() {
      closed = true;
      for (const { file } of spare.splice(0)) await file.close();
    },
  };
}

async function openNameless(directory: string): Promise<FileHandle> {
  const path = join(directory, `.scratch-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}

/** The file, which held `before` bytes, holds these and no others; gives their number. */
async function writeAll(file: FileHandle, before: number, parts: readonly Uint8Array[]): Promise<number> {
  const size = parts.reduce((bytes, part) => bytes + part.byteLength, 0);
  let { bytesWritten } = await file.writev(parts, 0);
  // Some of it only, on a disk that is nearly full or for more than 2 GB: the rest one by one, which says what is wrong.
  let start = 0;
  for (const part of parts) {
    while (bytesWritten < start + part.byteLength)
      bytesWritten += (
        await file.write(part, bytesWritten - start, part.byteLength - (bytesWritten - start), bytesWritten)
      ).bytesWritten;
    start += part.byteLength;
  }
  if (size < before) await file.truncate(size);
  return size;
}
