import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Hands bytes to a reader in this process that takes files only. The file has no name as soon as it is open, so a crash
 * leaves nothing behind, and `use` gets a path that holds no character of the directory's. Bytes that are read back at once
 * stay in the page cache. The file stays open until `use` has ended: its number could else mean another file by then. An
 * aborted signal ends the waiting, not the use. Throws what `use` and the file system throw, and the signal's reason.
 */
export async function withScratchFile<T>(
  directory: string,
  bytes: Buffer,
  signal: AbortSignal | undefined,
  use: (path: string) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const file = await openNameless(directory);
  const work = (async () => {
    try {
      await writeAll(file, bytes);
      return await use(`/dev/fd/${file.fd}`);
    } finally {
      await file.close();
    }
  })();
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
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

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, at);
    at += bytesWritten;
  }
}
