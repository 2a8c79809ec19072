import { randomUUID } from 'node:crypto';
import type { LogAuditStore, Logger, RowBatch } from '../domain/ports.js';
import type { GrowingPredictions } from '../domain/row-list.js';
import type { Metrics } from '../metrics.js';
import { explainFailures } from './delivery-steps.js';
import { type CollectorLimits, createPartitionConsumer, type PartitionConsumer } from './kafka-partition.js';
import type { LogPartition, LogSource, SourceHealth } from './log-source.js';
import { planStart } from './partition-progress.js';
import type { RecordDecoders, RowKind } from './range-buffer.js';

export const DEFAULT_LIMITS: CollectorLimits = {
  insertRows: 32_000,
  insertBytes: 12 * 1024 * 1024,
  lingerMs: 500,
  maxRows: 50_000,
  maxBytes: 20 * 1024 * 1024,
  maxTotalBytes: 96 * 1024 * 1024,
  minBackoffMs: 200,
  maxBackoffMs: 10_000,
};

export interface KafkaCollectorOptions {
  readonly source: LogSource;
  readonly predictionTopics: readonly string[];
  readonly labelTopics: readonly string[];
  readonly decoders: RecordDecoders;
  /** Durable when it resolves; safe to repeat with the same batch and token. */
  readonly write: (batch: RowBatch) => Promise<unknown>;
  /** An empty list, as the store takes rows. */
  readonly newPredictions: () => GrowingPredictions;
  readonly audit: LogAuditStore;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** A text that was never used before; part of tokens. Random when left out. */
  readonly newEpoch?: () => string;
  readonly limits?: Partial<CollectorLimits>;
}

export interface KafkaCollector {
  readonly start: () => void;
  /** Waits for the insert under way; what is only buffered is read again by the next member. */
  readonly stop: () => Promise<void>;
  readonly health: () => SourceHealth;
}

const STOP_DEADLINE_MS = 10_000;

const keyOf = ({ topic, partition }: LogPartition) => `${partition}/${topic}`;

/**
 * Kafka → rows, effectively once. For each partition one range of offsets at a time: announce it in the metadata of a
 * commit, insert it under a token made of it, commit the offset behind it. Whoever gets the partition after a crash finds the
 * announcement and repeats exactly that range (docs/kafka.md). A store that fails stops the partition, never skips.
 */
export function createKafkaCollector(options: KafkaCollectorOptions): KafkaCollector {
  const { source, metrics, logger, newEpoch = () => randomUUID().slice(0, 8) } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const kinds = new Map<string, RowKind>([
    ...options.predictionTopics.map((topic) => [topic, 'prediction'] as const),
    ...options.labelTopics.map((topic) => [topic, 'label'] as const),
  ]);
  let partitions = new Map<string, PartitionConsumer>();
  let generation = 0;
  /** Deliveries of any generation that have not ended. */
  const underWay = new Set<Promise<void>>();

  const totalBytes = () => {
    let bytes = 0;
    for (const partition of partitions.values()) bytes += partition.heldBytes();
    return bytes;
  };
  const showPending = () => {
    let rows = 0;
    for (const partition of partitions.values()) rows += partition.heldRecords();
    metrics.kafkaPending.set(rows);
  };

  function revoke(): void {
    for (const partition of partitions.values()) partition.revoke();
    partitions = new Map();
    // The lag of a partition is shown by its owner alone.
    metrics.kafkaLag.reset();
    showPending();
  }

  return {
    start: () =>
      source.start({
        revoked: revoke,
        assigned: (own, positions) => {
          revoke();
          generation = own;
          return positions.map((position) => {
            const { topic, partition } = position;
            const kind = kinds.get(topic);
            if (kind === undefined) throw new TypeError(`assigned a topic that is not read: ${topic}`);
            const plan = planStart(position, newEpoch);
            logger.info({ topic, partition, ...plan }, 'kafka: partition assigned');
            if (plan.lost > 0) {
              metrics.kafkaRecordsLost.inc({ topic }, plan.lost);
              logger.error(
                { topic, partition, lost: plan.lost },
                'kafka: the log dropped records before they were read: raise its retention, or look why reading stood still',
              );
            }
            partitions.set(
              keyOf(position),
              createPartitionConsumer({
                position,
                plan,
                kind,
                limits,
                decoders: options.decoders,
                write: options.write,
                newPredictions: options.newPredictions,
                audit: options.audit,
                commit: (commit) => source.commit(own, commit),
                resume: () => source.resume(position),
                crowded: () => totalBytes() >= limits.maxTotalBytes,
                track: (delivery) => {
                  underWay.add(delivery);
                  delivery
                    .catch((err: unknown) =>
                      logger.error({ err, topic, partition }, 'kafka: delivery failed'),
                    )
                    .finally(() => underWay.delete(delivery));
                },
                changed: showPending,
                metrics,
                logger,
              }),
            );
            return { topic, partition, offset: plan.offset };
          });
        },
        batch: async (own, batch) => {
          const partition = own === generation ? partitions.get(keyOf(batch)) : undefined;
          // Not ours any more: nothing is taken.
          return partition === undefined ? -1 : partition.take(batch);
        },
        ends: (ends) => {
          for (const end of ends) partitions.get(keyOf(end))?.logEnd(end.logEnd);
        },
      }),
    stop: async () => {
      for (const partition of partitions.values()) partition.drain();
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, STOP_DEADLINE_MS);
      });
      await Promise.race([Promise.allSettled(underWay), deadline]);
      clearTimeout(timer);
      revoke();
      await source.stop();
    },
    health: () => {
      const failures = [...partitions.values()].flatMap((partition) => partition.failure() ?? []);
      if (failures.length === 0) return source.health();
      return { ready: false, detail: `kafka: ${explainFailures(failures)}` };
    },
  };
}
