import { randomUUID } from 'node:crypto';
import type { Logger, RowBatch } from '../domain/ports.js';
import type { RowSource } from '../domain/prediction.js';
import type { GrowingPredictions } from '../domain/row-list.js';
import type { LogAuditStore } from '../domain/row-ports.js';
import type { Metrics } from '../metrics.js';
import { createDeliverySteps, type StepFailure } from './delivery-steps.js';
import type { LogBatch, LogCommit, LogPosition, LogRecord } from './log-source.js';
import { encodeProgress, type OffsetRange, rangeToken, type StartPlan } from './partition-progress.js';
import {
  appendRecord,
  createRangeBuffer,
  type RangeBuffer,
  type RecordDecoders,
  type RowKind,
  takeRecords,
  withoutStored,
} from './range-buffer.js';
import { createRangeDecoding } from './range-decoding.js';
import { countOf, digestOf, type RangeRows, rowsOf, withoutLists } from './range-rows.js';
import { createWaiters } from './waiters.js';

export interface CollectorLimits {
  /** A partition's rows are inserted when one of these is reached, and none of its inserts is under way. */
  readonly insertRows: number;
  readonly insertBytes: number;
  readonly lingerMs: number;
  /** A partition that holds so much takes no more. */
  readonly maxRows: number;
  readonly maxBytes: number;
  /** Bytes of events held for all partitions together; beyond it reading waits. */
  readonly maxTotalBytes: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
}

export interface PartitionConsumerOptions {
  readonly position: LogPosition;
  readonly plan: StartPlan;
  readonly kind: RowKind;
  readonly limits: CollectorLimits;
  readonly decoders: RecordDecoders;
  readonly newPredictions: () => GrowingPredictions;
  readonly write: (batch: RowBatch) => Promise<unknown>;
  readonly audit: LogAuditStore;
  readonly commit: (commit: LogCommit) => Promise<'committed' | 'stale'>;
  readonly resume: () => void;
  /** All partitions together hold as much as they may. */
  readonly crowded: () => boolean;
  readonly track: (delivery: Promise<void>) => void;
  readonly changed: () => void;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

export interface PartitionConsumer {
  /** Takes what there is room for; answers the position after it. */
  readonly take: (batch: LogBatch) => Promise<number>;
  readonly logEnd: (offset: number) => void;
  /** Ends it: the buffer is dropped, the delivery under way stops at its next step. */
  readonly revoke: () => void;
  /** Before a shutdown: nothing new is taken or begun, the delivery under way is finished unless the store fails. */
  readonly drain: () => void;
  readonly heldBytes: () => number;
  readonly heldRecords: () => number;
  /** What the store or the brokers answered to the step that is being repeated; null when all is well. */
  readonly failure: () => StepFailure | null;
}

/** How long a full partition keeps its fetcher waiting before it is paused. */
const ROOM_WAIT_MS = 1_000;
const ROOM_SLICE_MS = 100;
/** Fetches that may wait to be decoded: the next one arrives meanwhile, more would only hold memory. */
const FETCHES_AHEAD = 2;

/** Rounds of a repair: the token again, rejected rows first; where some rows are there a token of their own; at last one never used. */
const REPAIRS = 4;

/** One partition of one assignment: buffers records, and delivers one range at a time. */
export function createPartitionConsumer(options: PartitionConsumerOptions): PartitionConsumer {
  const { position, plan, kind, limits, metrics, logger } = options;
  const { topic, partition, topicId } = position;
  const { epoch } = plan;
  /** Names rows in the store; with the id, since a recreated topic counts its offsets from 0 again. */
  const sourceTopic = `${topic}@${topicId}`;
  let redo = plan.redo;
  let buffer = createRangeBuffer(plan.offset, options.newPredictions());
  let inFlight: RangeBuffer | null = null;
  let stored = plan.offset;
  let logEnd = position.logEnd;
  let revoked = false;
  let draining = false;
  let paused = false;
  let linger: NodeJS.Timeout | null = null;
  const forRoom = createWaiters();
  const { untilDone, ...steps } = createDeliverySteps({
    of: { topic, partition },
    limits,
    ended: () => revoked,
    draining: () => draining,
    logger,
  });

  const showLag = () => {
    if (!revoked) metrics.kafkaLag.set({ topic, partition: String(partition) }, Math.max(0, logEnd - stored));
  };
  const full = () => buffer.records >= limits.maxRows || buffer.bytes >= limits.maxBytes;
  const due = () => full() || buffer.records >= limits.insertRows || buffer.bytes >= limits.insertBytes;
  /** A range to repeat is delivered alone: nothing is buffered behind it. */
  const redoRead = () => redo !== null && buffer.next > redo.end;
  const hasRoom = () => {
    if (draining) return false;
    // Whatever the others hold: a range can only be repeated whole.
    if (redo !== null) return !redoRead();
    if (buffer.waiting.length >= FETCHES_AHEAD) return false;
    return !full() && (buffer.records === 0 || !options.crowded());
  };

  const changed = () => {
    forRoom.wake();
    options.changed();
    if (paused && !revoked && hasRoom()) {
      paused = false;
      options.resume();
    }
  };

  const decoding = createRangeDecoding({
    begin: () => options.decoders.begin?.(),
    decode: (range, records, index) => {
      const record = records.at(index) as LogRecord;
      const source: RowSource = { kind: 'kafka', topic: sourceTopic, partition, offset: record.offset };
      appendRecord(range, kind, record, source, options.decoders);
    },
    ended: () => revoked,
    decoded: () => changed(),
  });

  const commit = (offset: number, pending: OffsetRange | null) =>
    untilDone('committing', async () => {
      const metadata = encodeProgress({ epoch, topicId, pending });
      return (await options.commit({ topic, partition, offset, metadata })) === 'committed';
    });

  const storedOf = (range: RangeBuffer) =>
    options.audit.storedRange({
      topic: sourceTopic,
      partition,
      fromOffset: range.start,
      toOffset: range.next - 1,
    });

  /**
   * A range that may be in the store already, or still on its way there from a member that is gone. What the rows became then could have
   * depended on the clock and on the registered models, so the offsets that are there are left alone, and only the missing ones are inserted.
   * A list of which nothing is there goes in under the token it was first sent with: only that stops the insert of another member that
   * arrives later. Rejected rows go first, and are looked for again, since the others may be theirs, accepted by now. What is still
   * missing then goes in under a token of its own. False when the assignment ended before.
   */
  async function repair(range: RangeBuffer, token: string, rejectedBefore: number): Promise<boolean> {
    if (rejectedBefore > 0 && range.rejected.length === 0) await options.audit.voidRejected(token);
    for (let attempt = 0; attempt < REPAIRS; attempt += 1) {
      while (await options.audit.insertUnderWay(token)) {
        if (revoked) return false;
        await steps.pause();
      }
      const { offsets, lists } = await storedOf(range);
      const missing = rowsOf(withoutStored(range, offsets));
      if (countOf(missing) === 0) break;
      const whole = withoutLists(missing, lists);
      if (attempt === REPAIRS - 1) {
        // The engine noted a token and was killed before it kept the rows: only one never used gets them in.
        // (Or they are there under other offsets, and known by their identity.)
        logger.warn(
          { topic, partition, rows: countOf(missing) },
          'kafka: rows of a repeated range are inserted again',
        );
        await write({ ...missing, token: `${token}/lost-${randomUUID()}` });
      } else if (attempt === 0 && whole.rejected.length > 0)
        await write({ predictions: [], labels: [], halves: [], rejected: whole.rejected, token });
      else if (countOf(whole) > 0) await write({ ...whole, token });
      else await write({ ...missing, token: `${token}/repair-${digestOf(missing)}` });
    }
    return true;
  }

  async function write(batch: RangeRows & { readonly token: string }): Promise<void> {
    if (countOf(batch) > 0) await options.write(batch);
  }

  async function deliver(range: RangeBuffer, again: OffsetRange | null): Promise<void> {
    const decoded = await untilDone('decoding', async () => {
      while (!revoked && range.waiting.length > 0) await decoding.run(range);
      return !revoked;
    });
    if (!decoded) return;
    const offsets = { start: range.start, end: range.next - 1, rejected: range.rejected.length };
    const token = rangeToken(position, epoch, offsets);
    const announced = again !== null || (await commit(range.start, offsets));
    if (!announced) return;
    const written = await untilDone('inserting', async () => {
      if (again !== null) return repair(range, token, again.rejected ?? 0);
      await write({ ...rowsOf(range), token });
      return true;
    });
    if (!written) return;
    metrics.kafkaRecords.inc({ topic }, range.records);
    stored = range.next;
    showLag();
    await commit(range.next, null);
  }

  function flush(): void {
    if (linger !== null) clearTimeout(linger);
    linger = null;
    if (revoked || draining || inFlight !== null || buffer.next === buffer.start) return;
    if (redo !== null && !redoRead()) return;
    const range = buffer;
    const again = redo;
    redo = null;
    inFlight = range;
    buffer = createRangeBuffer(range.next, options.newPredictions());
    options.track(
      deliver(range, again).finally(() => {
        inFlight = null;
        // What came in during the insert need not linger again when it is much.
        if (due() || options.crowded()) flush();
        else armLinger();
        changed();
      }),
    );
    changed();
  }

  function armLinger(): void {
    if (linger === null && !revoked && inFlight === null && buffer.next > buffer.start) {
      linger = setTimeout(flush, limits.lingerMs);
    }
  }

  return {
    take: async (batch) => {
      logEnd = batch.logEnd;
      showLag();
      const deadlineMs = performance.now() + ROOM_WAIT_MS;
      while (!revoked && !hasRoom() && performance.now() < deadlineMs) {
        await forRoom.wait(ROOM_SLICE_MS);
        await batch.heartbeat();
      }
      if (revoked) return -1;
      if (!hasRoom()) {
        paused = true;
        return buffer.next;
      }
      const last = redo?.end ?? Number.POSITIVE_INFINITY;
      let count = batch.records.length;
      while (count > 0 && (batch.records.at(count - 1) as LogRecord).offset > last) count -= 1;
      takeRecords(buffer, batch.records, count);
      // What fails is met again, and told of, when the range is delivered.
      decoding.run(buffer).catch((err: unknown) => logger.debug({ err }, 'kafka: decoding failed'));
      buffer.next = Math.min(batch.nextOffset, last + 1);
      const taken = buffer.next;
      if (due() || redoRead() || options.crowded()) flush();
      else armLinger();
      options.changed();
      return taken;
    },
    logEnd: (offset) => {
      logEnd = Math.max(logEnd, offset);
      showLag();
    },
    revoke: () => {
      revoked = true;
      if (linger !== null) clearTimeout(linger);
      steps.wake();
      changed();
    },
    drain: () => {
      draining = true;
      steps.wake();
      changed();
    },
    heldBytes: () => buffer.bytes + (inFlight?.bytes ?? 0),
    heldRecords: () => buffer.records + (inFlight?.records ?? 0),
    failure: steps.failure,
  };
}
