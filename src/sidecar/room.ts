import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

const PROBE_BYTES = 64 * 1024;

/** Throws unless the directory's disk would take so many bytes. Writes little itself: others need what is left of the disk. */
export async function assertRoom(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < bytes) throw new Error(`ENOSPC: ${bavail * bsize} of ${bytes} bytes are free`);
  const path = join(directory, 'probe');
  try {
    const file = await open(path, 'w', 0o600);
    try {
      await file.writeFile(Buffer.alloc(Math.min(bytes, PROBE_BYTES)));
      await file.datasync();
    } finally {
      await file.close();
    }
  } finally {
    await rm(path, { force: true });
  }
}
