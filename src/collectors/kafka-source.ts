import type { Logger } from '../domain/ports.js';
import { messageOf } from '../errors.js';
import type { Metrics } from '../metrics.js';
import {
  createKafkaClient,
  explainKafkaError,
  explainUnreadable,
  type KafkaConnection,
} from './kafka-client.js';
import { type KafkaSession, openKafkaSession } from './kafka-session.js';
import type { LogHandler, LogSource, SourceHealth } from './log-source.js';

export interface KafkaSourceOptions {
  readonly connection: KafkaConnection;
  readonly group: string;
  readonly topics: readonly string[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** After this long without a sign of life the brokers give the partitions to another member. */
  readonly sessionTimeoutMs?: number;
  readonly maxWaitMs?: number;
  /** Without heartbeat or commit for this long, the client is taken for dead and replaced. */
  readonly stallTimeoutMs?: number;
  readonly minBackoffMs?: number;
  readonly maxBackoffMs?: number;
  readonly endsIntervalMs?: number;
  /** A partition before a batch that cannot be read is tried again after this time, and then after longer and longer ones. */
  readonly unreadableRetryMs?: number;
}

const CLOSE_DEADLINE_MS = 10_000;
/** A client that works hears from a broker at least every heartbeat. */
const QUIET_MS = 10_000;

/** True when the work ended in time; it goes on otherwise. */
async function settlesWithin(work: Promise<void>, deadlineMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), deadlineMs);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The log in Kafka by kafkajs. kafkajs can stop for good while its process lives on (its issues 1443, 1721), so a
 * supervisor replaces the whole client whenever it crashes, stalls or cannot connect, with a growing delay, for ever.
 */
export function createKafkaSource(options: KafkaSourceOptions): LogSource {
  const { connection, group, topics, logger, metrics } = options;
  const {
    sessionTimeoutMs = 20_000,
    maxWaitMs = 250,
    stallTimeoutMs = 60_000,
    minBackoffMs = 500,
    maxBackoffMs = 30_000,
    endsIntervalMs = 10_000,
    unreadableRetryMs = 30_000,
  } = options;
  let generation = 0;
  let session: KafkaSession | null = null;
  /** When the client last heard from a broker, or was begun (performance.now). */
  let heardMs = 0;
  let health: SourceHealth = { ready: false, detail: 'kafka: not started' };
  /** Partitions of this assignment that are not read on, with the reason. */
  const stuck = new Map<string, string>();
  let stopping = false;
  let wake: () => void = () => undefined;
  let supervisor: Promise<void> | null = null;

  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function closeSafely(closing: Promise<void>): Promise<void> {
    try {
      // kafkajs can hang here (its issue 1639); what it may still deliver is refused by the session.
      if (!(await settlesWithin(closing, CLOSE_DEADLINE_MS))) {
        logger.warn(
          { deadlineMs: CLOSE_DEADLINE_MS },
          'kafka: the client did not close in time, left behind',
        );
      }
    } catch (err) {
      logger.warn({ err }, 'kafka: the client did not close cleanly');
    }
  }

  /** Runs one session to its end; answers why it ended, or rejects when it could not be opened. */
  async function live(handler: LogHandler, onJoined: () => void): Promise<Error> {
    const givenUp = new AbortController();
    heardMs = performance.now();
    const opening = openKafkaSession({
      kafka: createKafkaClient(connection, logger),
      group,
      topics,
      handler,
      logger,
      sessionTimeoutMs,
      maxWaitMs,
      endsIntervalMs,
      signal: givenUp.signal,
      nextGeneration: () => {
        generation += 1;
        return generation;
      },
      onJoined: (partitions) => {
        stuck.clear();
        health = {
          ready: true,
          detail: `kafka: reading ${partitions} partition(s) of ${topics.join(', ')} in group ${group}`,
        };
        logger.info({ group, partitions, generation }, 'kafka: joined the group');
        onJoined();
      },
      onRebalancing: () => metrics.kafkaRebalances.inc(),
      onUnreadable: ({ topic, partition }, error) => {
        const name = `${topic}/${partition}`;
        const detail = `${name}: ${explainUnreadable(error, connection)}`;
        if (!stuck.has(name)) logger.error({ topic, partition, reason: messageOf(error) }, detail);
        stuck.set(name, detail);
      },
      onReadable: ({ topic, partition }) => {
        stuck.delete(`${topic}/${partition}`);
        logger.info({ topic, partition }, 'kafka: the batch that could not be read was read');
      },
      unreadableRetryMs,
      onAlive: () => {
        if (!givenUp.signal.aborted) heardMs = performance.now();
      },
    });
    const broken = opening.then((opened) => {
      if (!givenUp.signal.aborted) session = opened;
      return opened.broken;
    });
    let watchdog: NodeJS.Timeout | undefined;
    // From the beginning: kafkajs can hang while it connects and joins, too.
    const stalled = new Promise<Error>((resolve) => {
      watchdog = setInterval(() => {
        const silentMs = performance.now() - heardMs;
        if (silentMs > stallTimeoutMs)
          resolve(new Error(`no sign of life for ${Math.round(silentMs / 1_000)} s`));
      }, stallTimeoutMs / 10);
    });
    const stopped = new Promise<Error>((resolve) => {
      wake = () => resolve(new Error('stopped'));
      if (stopping) wake();
    });
    try {
      return await Promise.race([broken, stalled, stopped]);
    } finally {
      clearInterval(watchdog);
      session = null;
      givenUp.abort();
      await closeSafely(
        opening.then(
          (opened) => opened.close(),
          // Why it could not be opened is told by now, or nobody waits for it any more.
          () => undefined,
        ),
      );
    }
  }

  async function supervise(handler: LogHandler): Promise<void> {
    let backoffMs = minBackoffMs;
    while (!stopping) {
      let reason: unknown;
      try {
        reason = await live(handler, () => {
          backoffMs = minBackoffMs;
        });
      } catch (error) {
        reason = error;
      }
      handler.revoked();
      if (stopping) break;
      const detail = explainKafkaError(reason, connection);
      health = { ready: false, detail };
      metrics.kafkaRestarts.inc();
      logger.error({ retryInMs: backoffMs, reason: messageOf(reason) }, detail);
      await sleep(backoffMs);
      backoffMs = Math.min(maxBackoffMs, backoffMs * 2);
    }
    health = { ready: false, detail: 'kafka: stopped' };
  }

  return {
    start: (handler) => {
      if (supervisor !== null) throw new TypeError('the kafka source was started before');
      health = { ready: false, detail: `kafka: connecting to ${connection.brokers.join(', ')}` };
      supervisor = supervise(handler);
    },
    stop: async () => {
      stopping = true;
      wake();
      // A connection attempt that is under way cannot be called off; it ends by itself, without effect.
      if (supervisor !== null) await settlesWithin(supervisor, CLOSE_DEADLINE_MS);
    },
    commit: (own, commit) => (session === null ? Promise.resolve('stale') : session.commit(own, commit)),
    resume: (partition) => session?.resume(partition),
    health: () => {
      const silentMs = session === null ? 0 : performance.now() - heardMs;
      const [unread] = stuck.values();
      if (silentMs < QUIET_MS)
        return health.ready && unread !== undefined ? { ready: false, detail: unread } : health;
      return { ready: false, detail: `kafka: no answer for ${Math.round(silentMs / 1_000)} s` };
    },
  };
}
