import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Logger } from '../domain/ports.js';
import { AppError, messageOf } from '../errors.js';
import { assertRoom } from './room.js';
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
  /** Called when some could not be written: a file that was begun for them is of no use. */
  readonly failed: () => Promise<void>;
}

export interface SegmentWriter {
  /** Resolves once the record is on disk. Throws overloaded when the disk takes no more. */
  write(parts: readonly Buffer[], bytes: number): Promise<void>;
  /** Bytes that are on their way to the disk. */
  readonly reserved: number;
  /** Why the disk took nothing last; null when all is well. It is asked again until it would take what it did not. */
  readonly failure: string | null;
  /** Whether records are being written to it, which do not count yet. */
  isBusy(segment: Segment): boolean;
  /** Writes no more to it: it is about to be removed. */
  retire(segment: Segment): Promise<void>;
  /** Waits for what is on its way. */
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

const PROBE_MS = 1_000;

/** Writes records to the end of the spool: those that arrive together are written and synced together. */
export function createSegmentWriter(options: WriterOptions): SegmentWriter {
  const { directory, segments, segmentBytes, logger, written, failed } = options;
  let { newest } = options;
  let active: Active | null = null;
  let busy: Segment | null = null;
  let pending: Pending[] = [];
  let flushing: Promise<void> = Promise.resolve();
  let reserved = 0;
  let failure: { readonly reason: string; readonly bytes: number } | null = null;
  let probe: NodeJS.Timeout | undefined;
  let closed = false;

  /** The file to write to, marked as busy before anyone can find it without records and remove it. */
  async function current(): Promise<Active> {
    if (active !== null && active.segment.end < segmentBytes) {
      busy = active.segment;
      return active;
    }
    await leave();
    active = await begin();
    return active;
  }

  async function begin(): Promise<Active> {
    // Counted before anything can go wrong: a file that could not be taken back never stands in the way of the next.
    newest += 1;
    const path = segmentPath(directory, newest);
    const file = await open(path, 'wx', 0o600);
    try {
      await syncDirectory(directory);
    } catch (error) {
      await closeFile(file, path, logger);
      // Without records the next start removes it, too.
      await rm(path).catch(() => undefined);
      throw error;
    }
    const segment: Segment = { number: newest, path, end: 0, records: 0, gaps: [] };
    busy = segment;
    segments.push(segment);
    return { segment, file };
  }

  async function leave(): Promise<void> {
    const left = active;
    active = null;
    if (left !== null) await closeFile(left.file, left.segment.path, logger);
  }

  async function store(group: readonly Pending[], bytes: number): Promise<void> {
    const { segment, file } = await current();
    try {
      const parts = group.flatMap((one) => one.parts);
      const { bytesWritten } = await file.writev(parts, segment.end);
      if (bytesWritten !== bytes) throw new Error(`the disk took ${bytesWritten} of ${bytes} bytes`);
      await file.datasync();
    } catch (error) {
      // What is half there must not stand before what comes next: a file that cannot be cut gets no more.
      await file.truncate(segment.end).catch(leave);
      throw error;
    }
    segment.end += bytes;
    segment.records += group.length;
    busy = null;
  }

  async function flush(): Promise<void> {
    const group = pending;
    pending = [];
    const bytes = group.reduce((sum, one) => sum + one.bytes, 0);
    try {
      await store(group, bytes);
      recovered();
      for (const { resolve } of group) resolve();
      written();
    } catch (error) {
      busy = null;
      const reason = `the spool cannot be written: ${messageOf(error)}`;
      if (failure === null) logger.error({ reason }, 'spool: the disk takes no more');
      failure = { reason, bytes };
      probeLater();
      const told = new AppError('overloaded', reason, { cause: error, retryable: true });
      for (const { reject } of group) reject(told);
      // Whatever goes wrong here, too, those that come later are written.
      await failed().catch((problem) =>
        logger.warn({ reason: messageOf(problem) }, 'spool: what was delivered cannot be removed'),
      );
    } finally {
      reserved -= bytes;
    }
  }

  function recovered(): void {
    clearTimeout(probe);
    if (failure !== null) logger.info({}, 'spool: the disk takes requests again');
    failure = null;
  }

  /** Whoever is not ready may be sent nothing, by which it would see that there is room again. */
  function probeLater(): void {
    clearTimeout(probe);
    if (closed) return;
    probe = setTimeout(() => {
      flushing = flushing.then(async () => {
        if (failure === null) return;
        await assertRoom(directory, failure.bytes).then(recovered, probeLater);
      });
    }, PROBE_MS).unref();
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
    get failure() {
      return failure?.reason ?? null;
    },
    isBusy: (segment) => segment === busy,
    async retire(segment) {
      if (active?.segment === segment) await leave();
    },
    async close() {
      closed = true;
      clearTimeout(probe);
      await flushing;
      await leave();
    },
  };
}

/** For one of which nothing is wanted any more: what was to be kept of it is synced. */
export async function closeFile(file: FileHandle, path: string, logger: Logger): Promise<void> {
  await file
    .close()
    .catch((error) =>
      logger.warn({ file: path, reason: messageOf(error) }, 'spool: a file cannot be closed'),
    );
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
