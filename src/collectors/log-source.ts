import type { RecordHeaders } from './kafka-cloud-event.js';

/** What the collector needs of a partitioned log with consumer groups, so that another client can take kafkajs' place. */
export interface LogPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface LogRecord {
  readonly offset: number;
  /** Null is Kafka's tombstone. */
  readonly value: Buffer | null;
  /** When it was written, ms; left out where that is not known. */
  readonly timestampMs?: number;
  /** As kafkajs gives them; left out where there are none. */
  readonly headers?: RecordHeaders | undefined;
}

/** Records in order of offset; an array is one. They may be made when they are asked for. */
export interface LogRecords {
  readonly length: number;
  at(index: number): LogRecord | undefined;
  /** Of a record's value, where that is known without making it. */
  bytesAt?(index: number): number;
}

/** Where one assigned partition stands when it is assigned. */
export interface LogPosition extends LogPartition {
  readonly clusterId: string;
  /** Changes when a topic is deleted and made anew; the topic's name where brokers have no ids (before 2.8). */
  readonly topicId: string;
  /** Null when the group has committed nothing usable for this partition. */
  readonly committed: { readonly offset: number; readonly metadata: string } | null;
  /** Oldest offset that the log still holds. */
  readonly logStart: number;
  /** Offset that the next record will get. */
  readonly logEnd: number;
}

export interface LogBatch extends LogPartition {
  /** In order of offset; gaps are normal (compaction, transactions). */
  readonly records: LogRecords;
  /** The position after the whole batch. */
  readonly nextOffset: number;
  readonly logEnd: number;
  /** Keeps the membership while the handler waits; rejects when the group rebalances, and that must be let through. */
  readonly heartbeat: () => Promise<void>;
}

export interface LogHandler {
  /**
   * A new generation: these partitions and no others are this member's. Whatever is left of earlier generations is void.
   * Answers where to read each from. Called before any batch of the generation.
   */
  readonly assigned: (generation: number, positions: readonly LogPosition[]) => readonly LogStart[];
  /**
   * Takes records in order and answers the position after the last one taken. With nothing taken, the partition pauses
   * until `resume`; what was not taken is delivered again.
   */
  readonly batch: (generation: number, batch: LogBatch) => Promise<number>;
  /** The membership is gone or in doubt: commits of the generation will be refused. */
  readonly revoked: () => void;
  /** Where the logs end now, from time to time, for the lag of partitions that deliver nothing. */
  readonly ends: (ends: readonly (LogPartition & { readonly logEnd: number })[]) => void;
}

export interface LogStart extends LogPartition {
  readonly offset: number;
}

export interface LogCommit extends LogPartition {
  readonly offset: number;
  readonly metadata: string;
}

export interface SourceHealth {
  readonly ready: boolean;
  /** What is going on, for people. */
  readonly detail: string;
}

export interface LogSource {
  /** Connects in the background and keeps at it until `stop`; failures show in `health` and the log. */
  readonly start: (handler: LogHandler) => void;
  /** Leaves the group; resolves within a deadline even when the log cannot be reached. */
  readonly stop: () => Promise<void>;
  /** `stale`: the generation is over and nothing was committed. Rejects when the outcome is unknown: try again. */
  readonly commit: (generation: number, commit: LogCommit) => Promise<'committed' | 'stale'>;
  readonly resume: (partition: LogPartition) => void;
  readonly health: () => SourceHealth;
}
