import { type FileHandle, open } from 'node:fs/promises';
import type { Logger } from '../domain/ports.js';
import { AppError, messageOf } from '../errors.js';
import { type Segment, segmentPath } from './segment.js';

export interface WriterOptions {
  readonly directory: string;
  /** The spool's, the oldest first: new ones are added. */
  readonly segments: Segment[];
  /** The greatest number that was ever given to a file. */
  readonly newest: number;
  /** A new file is begun beyond it. */
  readonly segmentBytes: number;
  readonly logger: Logger;
  /** Called when records have come. */
  readonly written: () => void;
}

export interface SegmentWriter {
  /** Resolves once the record is on disk. Throws overloaded when the disk takes no more. */
  write(parts: readonly Buffer[], bytes: number): Promise<void>;
  /** Bytes that are on their way to the disk. */
  readonly reserved: number;
  /** Waits for them. */
  close(): Promise<void>;
}

interface Pending {
  readonly parts: readonly Buffer[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Active {
  readonly segment: Segment;
  readonly file: FileHandle;
}

/** Writes records to the end of the spool: those that arrive together are written and synced together. */
export function createSegmentWriter(options: WriterOptions): SegmentWriter {
  const { directory, segments, segmentBytes, logger, written } = options;
  let { newest } = options;
  let active: Active | null = null;
  let pending: Pending[] = [];
  let flushing: Promise<void> = Promise.resolve();
  let reserved = 0;

  async function current(): Promise<Active> {
    // What was delivered should not stay on disk: a file of which nothing waits gets no more.
    if (
      active !== null &&
      active.segment.end < segmentBytes &&
      (active.segment.records > 0 || active.segment.end === 0)
    )
      return active;
    await active?.file.close();
    newest += 1;
    const path = segmentPath(directory, newest);
    const file = await open(path, 'wx', 0o600);
    await syncDirectory(directory);
    const segment: Segment = { number: newest, path, end: 0, records: 0 };
    segments.push(segment);
    active = { segment, file };
    return active;
  }

  async function store(group: readonly Pending[], bytes: number): Promise<void> {
    const { segment, file } = await current();
    try {
      const parts = group.flatMap((one) => one.parts);
      const { bytesWritten } = await file.writev(parts, segment.end);
      if (bytesWritten !== bytes) throw new Error(`the disk took ${bytesWritten} of ${bytes} bytes`);
      await file.datasync();
    } catch (error) {
      // What is half there must not stand before what comes next.
      await file.truncate(segment.end);
      throw error;
    }
    segment.end += bytes;
    segment.records += group.length;
  }

  async function flush(): Promise<void> {
    const group = pending;
    pending = [];
    const bytes = group.reduce((sum, one) => sum + one.bytes, 0);
    try {
      await store(group, bytes);
      for (const { resolve } of group) resolve();
      written();
    } catch (error) {
      logger.error({ reason: messageOf(error) }, 'spool: the disk takes no more');
      const failure = new AppError('overloaded', `the spool cannot be written: ${messageOf(error)}`, {
        cause: error,
        retryable: true,
      });
      for (const { reject } of group) reject(failure);
    } finally {
      reserved -= bytes;
    }
  }

  return {
    write(parts, bytes) {
      reserved += bytes;
      return new Promise((resolve, reject) => {
        pending.push({ parts, bytes, resolve, reject });
        // Those that come during a write go with the next one.
        if (pending.length === 1) flushing = flushing.then(flush);
      });
    },
    get reserved() {
      return reserved;
    },
    async close() {
      await flushing;
      await active?.file.close();
    },
  };
}

/** A file's name, too, is on disk then. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
