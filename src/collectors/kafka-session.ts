import type { EachBatchPayload, Kafka } from 'kafkajs';
import type { Logger } from '../domain/ports.js';
import { handedRecords } from './handed-records.js';
import { fetchRecordBatches } from './kafka-fetch.js';
import { watchMembership } from './kafka-membership.js';
import { readPositions, reportEnds } from './kafka-positions.js';
import type { LogCommit, LogHandler, LogPartition, LogRecords } from './log-source.js';
import { createUnreadablePartitions } from './unreadable-partitions.js';

export interface KafkaSessionOptions {
  readonly kafka: Kafka;
  readonly group: string;
  readonly topics: readonly string[];
  readonly handler: LogHandler;
  readonly logger: Logger;
  /** Generations count on over sessions, so that a commit of an older one is always seen to be stale. */
  readonly nextGeneration: () => number;
  readonly onJoined: (partitions: number) => void;
  readonly onRebalancing: () => void;
  /** A partition's next batch is damaged, or packed in a way that is not known: the others are read on, and it is tried again. */
  readonly onUnreadable: (partition: LogPartition, error: unknown) => void;
  /** A partition of which that was told is read on. */
  readonly onReadable: (partition: LogPartition) => void;
  /** After which time it is tried again at first. */
  readonly unreadableRetryMs: number;
  /** A broker was heard, and the session gets on: from its opening on. */
  readonly onAlive: () => void;
  readonly sessionTimeoutMs: number;
  /** Longest wait of one fetch; also the delay of joins, pauses and the shutdown. */
  readonly maxWaitMs: number;
  readonly endsIntervalMs: number;
  /** Aborted when it is given up while it is being opened: it leaves its group instead of joining it. */
  readonly signal: AbortSignal;
}

export interface KafkaSession {
  /** Resolves with the reason when the session is broken and has to be replaced. */
  readonly broken: Promise<Error>;
  readonly commit: (generation: number, commit: LogCommit) => Promise<'committed' | 'stale'>;
  readonly resume: (partition: LogPartition) => void;
  readonly close: () => Promise<void>;
}

const STALE_ERRORS = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS']);
const MAX_BYTES_PER_PARTITION = 1024 * 1024;
const MAX_BYTES = 8 * 1024 * 1024;
/** A batch that does not follow the last one: once is a leftover of an earlier generation, twice is a jump. */
const MAX_MISMATCHES = 2;
const MAX_UNREADABLE_RETRY_MS = 300_000;

interface Position {
  next: number;
  mismatches: number;
  /** Since a batch was handed over: room came before the answer that there is none. */
  resumed: boolean;
}

const keyOf = ({ topic, partition }: LogPartition) => `${partition}/${topic}`;

/**
 * One life of a kafkajs client in the group: from joining to its first failure. Every assignment is paused at once, its
 * committed progress read, and only then resumed at the offsets that the handler names. Rejects when the brokers cannot be
 * reached, refuse the credentials or lack a topic.
 */
export async function openKafkaSession(options: KafkaSessionOptions): Promise<KafkaSession> {
  const { kafka, group, topics, handler, logger } = options;
  let breakWith: (error: Error) => void = () => undefined;
  const broken = new Promise<Error>((resolve) => {
    breakWith = resolve;
  });
  /** Nothing is read until where to read from is known, however well the rest goes: no sign of life counts meanwhile. */
  let prepared = true;
  /** What the member had is revoked, and it has not joined again. */
  let rejoining = false;
  const alive = () => {
    if (prepared) options.onAlive();
  };
  const unreadables = createUnreadablePartitions({
    firstMs: options.unreadableRetryMs,
    mostMs: MAX_UNREADABLE_RETRY_MS,
    tryAgain: (at) => readOn(at),
    failed: (error) => fail(error),
  });
  const unreadable = (at: LogPartition, error: unknown) => {
    // Else it would be fetched again at once, and again.
    consumer.pause([{ topic: at.topic, partitions: [at.partition] }]);
    if (closed) return;
    unreadables.add(at);
    options.onUnreadable(at, error);
  };
  // Both before anything connects.
  fetchRecordBatches(kafka, (error) => breakWith(error), unreadable);
  const membership = watchMembership(kafka, group, logger, alive);
  const admin = kafka.admin();
  const consumer = kafka.consumer({
    groupId: group,
    sessionTimeout: options.sessionTimeoutMs,
    rebalanceTimeout: 2 * options.sessionTimeoutMs,
    heartbeatInterval: Math.min(3_000, options.sessionTimeoutMs / 3),
    maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
    maxBytes: MAX_BYTES,
    maxWaitTimeInMs: options.maxWaitMs,
    allowAutoTopicCreation: false,
    // Long enough for a broker to restart; after that the supervisor alone decides.
    retry: { retries: 15, initialRetryTime: 200, maxRetryTime: 1_000, restartOnFailure: async () => false },
    // No rackId: kafkajs resets offsets when a follower is behind (its issue 1777).
  });
  let closed = false;
  let generation = 0;
  let positions = new Map<string, Position>();
  let commitOffsets: EachBatchPayload['commitOffsetsIfNecessary'] | null = null;
  const readOn = ({ topic, partition }: LogPartition) => {
    if (!closed) consumer.resume([{ topic, partitions: [partition] }]);
  };
  const fail = (error: unknown) => breakWith(error instanceof Error ? error : new Error(String(error)));

  const disconnect = async () => {
    await Promise.all([consumer.disconnect(), admin.disconnect(), membership.leave()]);
    // What the brokers answered to a join meanwhile.
    await membership.leave();
  };
  const close = async () => {
    closed = true;
    unreadables.clear();
    handler.revoked();
    await disconnect();
  };

  /** Reads the progress of a fresh assignment and lets its partitions run. */
  const prepare = async (assigned: readonly LogPartition[], own: number) => {
    const found = await readPositions(kafka, admin, group, topics, assigned);
    if (closed || own !== generation) return;
    prepared = true;
    alive();
    const starts = handler.assigned(own, found);
    for (const { topic, partition, offset } of starts) {
      positions.set(keyOf({ topic, partition }), { next: offset, mismatches: 0, resumed: false });
      consumer.seek({ topic, partition, offset: String(offset) });
      consumer.resume([{ topic, partitions: [partition] }]);
    }
    options.onJoined(assigned.length);
  };

  const eachBatch = async (payload: EachBatchPayload & { batch: { fetchedOffset?: string } }) => {
    const { batch, resolveOffset, heartbeat } = payload;
    const { topic, partition } = batch;
    commitOffsets = payload.commitOffsetsIfNecessary;
    const own = generation;
    const position = positions.get(keyOf(batch));
    if (closed || position === undefined || !payload.isRunning() || payload.isStale()) return;
    // A fetcher may hand over what it fetched before the last rebalance: taken, it would leave a gap behind it.
    if (Number(batch.fetchedOffset) !== position.next) {
      position.mismatches += 1;
      if (position.mismatches >= MAX_MISMATCHES) {
        fail(
          new Error(`${topic}/${partition} jumped from offset ${position.next} to ${batch.fetchedOffset}`),
        );
      }
      return;
    }
    position.mismatches = 0;
    position.resumed = false;
    let records: LogRecords;
    try {
      records = handedRecords(batch.messages, position.next);
    } catch (error) {
      unreadable(batch, error);
      return;
    }
    if (unreadables.remove(batch)) options.onReadable({ topic, partition });
    const lastOffset = Number(batch.lastOffset());
    const next = await handler.batch(own, {
      topic,
      partition,
      records,
      nextOffset: lastOffset + 1,
      logEnd: Number(batch.highWatermark),
      heartbeat,
    });
    if (closed || own !== generation) return;
    if (next > position.next) {
      position.next = next;
      resolveOffset(String(next - 1));
    } else if (!position.resumed) {
      consumer.pause([{ topic, partitions: [partition] }]);
    }
  };

  const { events } = consumer;
  consumer.on(events.GROUP_JOIN, ({ payload }) => {
    membership.joined();
    // kafkajs goes on for a while: by now the handler may be another session's.
    if (closed) return;
    unreadables.clear();
    options.onAlive();
    prepared = false;
    rejoining = false;
    generation = options.nextGeneration();
    positions = new Map();
    const assigned = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    handler.revoked();
    // Synchronously, before kafkajs fetches: it would start without looking at the metadata.
    consumer.pause(assigned.map(({ topic, partition }) => ({ topic, partitions: [partition] })));
    prepare(assigned, generation).catch(fail);
  });
  consumer.on(events.REBALANCING, () => {
    if (closed) return;
    unreadables.clear();
    prepared = true;
    rejoining = true;
    alive();
    options.onRebalancing();
    handler.revoked();
  });
  consumer.on(events.HEARTBEAT, () => {
    // Its join failed (while a new coordinator loads the group), the old membership still holds: kafkajs goes on with what is revoked here.
    if (rejoining) fail(new Error('the client goes on without having joined its group again'));
    alive();
  });
  // Not FETCH: expelled members whose join fails fetch on, without heartbeats, and never join again.
  consumer.on(events.COMMIT_OFFSETS, alive);
  // What kafkajs leaves out of an older format (compacted records) moves the position without being handed over.
  consumer.on(events.START_BATCH_PROCESS, ({ payload }) => {
    const position = positions.get(keyOf(payload));
    if (payload.batchSize === 0 && position?.next !== undefined)
      position.next = Number(payload.lastOffset) + 1;
  });
  consumer.on(events.CRASH, ({ payload }) => fail(payload.error));

  const abandon = () => {
    closed = true;
    void membership.leave();
  };
  options.signal.addEventListener('abort', abandon);
  try {
    await admin.connect();
    const existing = new Set(await admin.listTopics());
    alive();
    const missing = topics.filter((topic) => !existing.has(topic));
    if (missing.length > 0) {
      throw new Error(
        `topic(s) ${missing.join(', ')} do not exist: create them, or mend kafka.predictions and kafka.labels`,
      );
    }
    await consumer.connect();
    alive();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 4,
      eachBatch,
    });
  } catch (error) {
    closed = true;
    await disconnect().catch((failure: unknown) =>
      logger.debug({ err: failure }, 'kafka: closing a connection that never opened failed'),
    );
    throw error;
  } finally {
    options.signal.removeEventListener('abort', abandon);
  }
  const endsTimer = setInterval(() => {
    reportEnds(admin, topics, handler).catch((err: unknown) =>
      logger.warn({ err }, 'kafka: cannot read where the logs end, the lag is out of date'),
    );
  }, options.endsIntervalMs);

  return {
    broken,
    commit: async (own, { topic, partition, offset, metadata }) => {
      if (closed || own !== generation || commitOffsets === null) return 'stale';
      try {
        const entry = { partition, offset: String(offset), metadata };
        // This function sends once; consumer.commitOffsets would retry after a rejoin, as a later generation.
        await commitOffsets({ topics: [{ topic, partitions: [entry] }] });
        return 'committed';
      } catch (error) {
        if (own !== generation || STALE_ERRORS.has(errorType(error))) return 'stale';
        throw error;
      }
    },
    resume: ({ topic, partition }) => {
      const position = positions.get(keyOf({ topic, partition }));
      if (position !== undefined) position.resumed = true;
      readOn({ topic, partition });
    },
    close: () => {
      clearInterval(endsTimer);
      return close();
    },
  };
}

function errorType(error: unknown): string {
  return error instanceof Error && 'type' in error ? String(error.type) : '';
}
