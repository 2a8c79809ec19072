import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../domain/ports.js';
import { AppError, messageOf } from '../errors.js';
import { removeCut, reportDamage } from './damage.js';
import { lockDirectory } from './lock.js';
import { createPositionKeeper, type Position, readPosition } from './position.js';
import { encodeRecord, type SpooledRequest } from './records.js';
import type { RefusedRequests } from './refused.js';
import { readSalt } from './salt.js';
import {
  readRecord,
  type Segment,
  scanSegment,
  segmentNumber,
  segmentPath,
  survey,
  without,
} from './segment.js';
import { closeFile, createSegmentWriter } from './writer.js';

export interface SpoolOptions {
  readonly directory: string;
  /** Of the files together; a request that does not fit is refused, nothing is dropped. */
  readonly maxBytes: number;
  /** Their file counts, too. */
  readonly refused?: Pick<RefusedRequests, 'bytes' | 'look'>;
  /** A new file is begun beyond it. */
  readonly segmentBytes?: number;
  readonly logger: Logger;
}

export interface Spool {
  /** Resolves once the request is on disk. Throws overloaded when the spool is full or the disk takes no more, payload_too_large for what it never takes. */
  append(request: SpooledRequest): Promise<void>;
  /** The oldest requests that are not delivered, up to a number and a size, at least one if there is any. */
  next(most: { records: number; bytes: number }): Promise<SpooledRequest[]>;
  /** What `next` gave last was delivered. */
  delivered(): Promise<void>;
  /** Resolves when there is something to deliver, or the signal is aborted. */
  arrival(signal: AbortSignal): Promise<void>;
  readonly records: number;
  readonly bytes: number;
  readonly full: boolean;
  /** Bytes of damaged requests that were passed over since the start; their files are kept. */
  readonly damagedBytes: number;
  /** Why the disk takes nothing; null when it does. */
  readonly failure: string | null;
  close(): Promise<void>;
}

const SEGMENT_BYTES = 16 * 1024 * 1024;

/**
 * A queue on disk for one process. Requests that arrive together are written and synced together. Delivery is remembered after the fact:
 * a crash in between delivers the last few again, which the service knows by their ids.
 * Throws data_dir_in_use, data_dir_unusable.
 */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { directory, maxBytes, refused, segmentBytes = SEGMENT_BYTES, logger } = options;
  const positionFile = join(directory, 'position.json');
  const unlock = await prepare(directory);
  const salt = await readSalt(directory, logger);
  const position = await readPosition(positionFile, logger);
  const keepPosition = createPositionKeeper(positionFile, logger);
  let damagedBytes = 0;
  const segments = await recover();
  let reader: (Pick<Segment, 'number' | 'path'> & { readonly file: FileHandle }) | null = null;
  let taken: { readonly position: Position; readonly records: number } | null = null;
  let closed = false;
  let wake: () => void = () => undefined;
  const writer = createSegmentWriter({
    directory,
    segments,
    newest: Math.max(segments.at(-1)?.number ?? 0, position.segment),
    segmentBytes,
    logger,
    written: () => wake(),
    failed: release,
  });

  const first = () => segments[0];
  const stored = () =>
    segments.reduce(
      (sum, { number, end }) => sum + end - (number === position.segment ? position.offset : 0),
      0,
    );
  const hasRoom = (bytes: number) => stored() + writer.reserved + (refused?.bytes ?? 0) + bytes <= maxBytes;
  const occupancy = () => {
    const kept = refused?.bytes ?? 0;
    const waiting = `${stored()} bytes wait for the service`;
    return `${waiting}${kept === 0 ? '' : ` and ${kept} are in refused.ndjson (mend and send them, or move them away)`}, of at most ${maxBytes}`;
  };
  const records = () => segments.reduce((sum, segment) => sum + segment.records, 0);

  async function recover(): Promise<Segment[]> {
    const found: Segment[] = [];
    const numbers = (await readdir(directory)).map(segmentNumber).filter((number) => number !== null);
    const newest = Math.max(...numbers);
    for (const number of numbers.sort((a, b) => a - b)) {
      const path = segmentPath(directory, number);
      if (number < position.segment) {
        await rm(path);
        continue;
      }
      const from = number === position.segment ? position.offset : 0;
      const { segment, cut } = await scanSegment(path, number, { from, salt, isNewest: number === newest });
      // Of a file that lost its end with the power, or what stands behind it would count less.
      if (number === position.segment) position.offset = Math.min(from, segment.end);
      damagedBytes += await reportDamage(segment, segment.gaps, logger);
      if (cut > 0) await removeCut(segment, cut, logger);
      found.push(segment);
    }
    if (found[0] !== undefined && found[0].number !== position.segment)
      Object.assign(position, { segment: found[0].number, offset: 0 });
    return found;
  }

  async function fileOf(segment: Segment): Promise<FileHandle> {
    if (reader?.number === segment.number) return reader.file;
    await leave();
    const file = await open(segment.path, 'r');
    reader = { number: segment.number, path: segment.path, file };
    return file;
  }

  /** Closes the file that was read last. */
  async function leave(): Promise<void> {
    const left = reader;
    reader = null;
    if (left !== null) await closeFile(left.file, left.path, logger);
  }

  return {
    async append(request) {
      const parts = encodeRecord(request, salt);
      const bytes = parts.reduce((sum, part) => sum + part.length, 0);
      if (bytes > maxBytes)
        throw new AppError(
          'payload_too_large',
          `the body takes ${bytes} bytes on disk, of which the sidecar may use ${maxBytes}: send it in smaller parts, or start the sidecar with a larger --max-bytes`,
        );
      // Somebody may have taken the refused ones away.
      if (!hasRoom(bytes)) await refused?.look();
      if (closed) throw turnedAway('the sidecar is stopping: send again later');
      if (!hasRoom(bytes)) throw turnedAway(`the spool is full: ${occupancy()}: send again later`);
      await writer.write(parts, bytes);
    },

    async next(most) {
      const requests: SpooledRequest[] = [];
      let bytes = 0;
      const at = { ...position };
      // Of those that are there now: one may be removed meanwhile, of which nothing waits.
      for (const segment of [...segments]) {
        if (segment.number > at.segment) Object.assign(at, { segment: segment.number, offset: 0 });
        while (
          at.offset < segment.end &&
          requests.length < most.records &&
          (bytes < most.bytes || bytes === 0)
        ) {
          const gap = segment.gaps.find(({ from, to }) => from <= at.offset && at.offset < to);
          if (gap !== undefined) {
            at.offset = gap.to;
            continue;
          }
          const found = await readRecord(await fileOf(segment), at.offset, segment.end);
          if (found === null) {
            await assess(segment);
            continue;
          }
          requests.push(found.request);
          bytes += found.next - at.offset;
          at.offset = found.next;
        }
        if (at.offset < segment.end) break;
      }
      taken = { position: at, records: requests.length };
      // Of a file in which all is damaged.
      if (requests.length === 0) await release();
      return requests;
    },

    async delivered() {
      if (taken === null) return;
      let left = taken.records;
      Object.assign(position, taken.position);
      for (const segment of segments) {
        const here = Math.min(left, segment.records);
        segment.records -= here;
        left -= here;
      }
      taken = null;
      // First of all room, on a disk that is full.
      await release();
      await keepPosition(position);
    },

    async arrival(signal) {
      if (records() > 0 || signal.aborted) return;
      await new Promise<void>((resolve) => {
        wake = () => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        signal.addEventListener('abort', wake, { once: true });
        if (records() > 0) wake();
      });
    },

    get records() {
      return records();
    },
    get bytes() {
      return stored();
    },
    get full() {
      return !hasRoom(1);
    },

    get damagedBytes() {
      return damagedBytes;
    },
    get failure() {
      return writer.failure;
    },

    async close() {
      closed = true;
      await writer.close();
      await leave();
      await release();
      await unlock();
    },
  };

  /** Finds what is left of a file that was damaged after it was written. */
  async function assess(segment: Segment): Promise<void> {
    const { end: upTo, records: before } = segment;
    const from = segment.number === position.segment ? position.offset : 0;
    const found = await survey(await fileOf(segment), salt, from, upTo);
    // All of it had been kept: here the end, too, is no crash's.
    const gaps = found.end < upTo ? [...found.gaps, { from: found.end, to: upTo }] : found.gaps;
    // A gap that was known may have grown: only what is new in it is told.
    const unknown = without(gaps, segment.gaps);
    damagedBytes += await reportDamage(segment, unknown, logger);
    segment.gaps.splice(0, segment.gaps.length, ...gaps);
    segment.records += found.records - before;
  }

  /** Gives back the room of what was delivered. */
  async function release(): Promise<void> {
    for (let oldest = first(); oldest?.records === 0 && !writer.isBusy(oldest); oldest = first()) {
      segments.shift();
      await writer.retire(oldest);
      if (reader?.number === oldest.number) await leave();
      try {
        await rm(oldest.path);
      } catch (error) {
        logger.warn(
          { file: oldest.path, reason: messageOf(error) },
          'spool: a delivered file cannot be removed, the next start does it',
        );
      }
    }
  }
}

const turnedAway = (message: string) => new AppError('overloaded', message, { retryable: true });

async function prepare(directory: string): Promise<() => Promise<void>> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new AppError(
      'data_dir_unusable',
      `cannot make the spool's directory ${directory}: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
  return lockDirectory(directory);
}
