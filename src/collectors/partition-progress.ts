import { createHash } from 'node:crypto';
import type { LogPosition } from './log-source.js';

/** Offsets [start, end], both inclusive. */
export interface OffsetRange {
  readonly start: number;
  readonly end: number;
  /** Rows of the range that were rejected when it was announced; none when left out. */
  readonly rejected?: number;
}

/** Kept in the metadata of the group's commits: what an insert in doubt would have to repeat after a crash. */
export interface Progress {
  /** Part of every token, renewed whenever offsets are read a second time on purpose. */
  readonly epoch: string;
  readonly topicId: string;
  /** The range whose insert was about to begin. */
  readonly pending: OffsetRange | null;
}

const VERSION = 1;

/** The store adds what names the table and the block. */
const MAX_TOKEN = 150;

/** Far below the broker's limit for metadata (4 KiB). */
export function encodeProgress(progress: Progress): string {
  const { epoch, topicId, pending } = progress;
  const { rejected = 0 } = pending ?? {};
  const range =
    pending === null ? {} : { s: pending.start, e: pending.end, ...(rejected > 0 ? { r: rejected } : {}) };
  return JSON.stringify({ v: VERSION, epoch, topic: topicId, ...range });
}

const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** Null for metadata that is not ours: empty, another program's, or another version's. */
export function decodeProgress(metadata: string): Progress | null {
  let value: unknown;
  try {
    value = JSON.parse(metadata);
  } catch {
    // An operator's or another tool's commit: it has no pending range.
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { v, epoch, topic, s, e, r } = value as Record<string, unknown>;
  if (v !== VERSION || typeof epoch !== 'string' || typeof topic !== 'string') return null;
  const rejected = isOffset(r) && r > 0 ? { rejected: r } : {};
  const pending = isOffset(s) && isOffset(e) && s <= e ? { start: s, end: e, ...rejected } : null;
  return { epoch, topicId: topic, pending };
}

/** How one partition is to be read after an assignment. */
export interface StartPlan {
  readonly offset: number;
  readonly epoch: string;
  /** Read exactly this first and repeat its insert. */
  readonly redo: OffsetRange | null;
  /** Records that the log dropped before they were read. */
  readonly lost: number;
  readonly reason: 'first' | 'resumed' | 'redo' | 'recreated' | 'reset';
}

/**
 * Decides where to begin, from what the group committed and what the log holds:
 * - nothing committed: from the log's start, under a new epoch;
 * - another topic id, or a commit beyond the log's end: the topic is a new one, its offsets mean other records;
 * - a commit without our metadata (an operator reset the group): from there, under a new epoch, since tokens of the old
 *   one may have been used for ranges that are now to be read again;
 * - a pending range: exactly that range again, as far as the log still holds it.
 */
export function planStart(
  position: Pick<LogPosition, 'topicId' | 'committed' | 'logStart' | 'logEnd'>,
  newEpoch: () => string,
): StartPlan {
  const { committed, topicId, logStart, logEnd } = position;
  if (committed === null)
    return { offset: logStart, epoch: newEpoch(), redo: null, lost: 0, reason: 'first' };
  const progress = decodeProgress(committed.metadata);
  if ((progress !== null && progress.topicId !== topicId) || committed.offset > logEnd) {
    return { offset: logStart, epoch: newEpoch(), redo: null, lost: 0, reason: 'recreated' };
  }
  const offset = Math.max(committed.offset, logStart);
  const lost = offset - committed.offset;
  if (progress === null) return { offset, epoch: newEpoch(), redo: null, lost, reason: 'reset' };
  const { epoch, pending } = progress;
  const end = pending === null ? -1 : Math.min(pending.end, logEnd - 1);
  if (end < offset) return { offset, epoch, redo: null, lost, reason: 'resumed' };
  return { offset, epoch, redo: { ...pending, start: offset, end }, lost, reason: 'redo' };
}

/** Names one range of one partition for ever: an insert under the same token happens once. */
export function rangeToken(
  position: Pick<LogPosition, 'clusterId' | 'topicId' | 'partition'>,
  epoch: string,
  range: OffsetRange,
): string {
  const { clusterId, topicId, partition } = position;
  const name = `${clusterId}/${topicId}/${partition}/${epoch}/${range.start}-${range.end}`;
  // A topic without an id is named by itself, which may be long.
  return name.length <= MAX_TOKEN ? name : `sha256:${createHash('sha256').update(name).digest('hex')}`;
}
