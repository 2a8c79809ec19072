import type { RowBatch } from '../../src/domain/ports.js';
import type { RowSource } from '../../src/domain/prediction.js';
import type { LogAuditStore } from '../../src/domain/row-ports.js';

export interface MemoryRowSink extends LogAuditStore {
  readonly write: (batch: RowBatch) => Promise<void>;
  /** Offsets in the order they were stored, over predictions, labels and rejected rows alike. */
  readonly offsets: (topic: string, partition: number) => number[];
  readonly reasons: () => string[];
  readonly batches: readonly { readonly token: string; readonly rows: number }[];
  /** Runs before (`false`) and after (`true`) each insert; throwing is the store's failure, as seen by the client. */
  fault: ((batch: RowBatch, stored: boolean) => Promise<void>) | null;
  /** Notes a token without keeping rows, as an engine that is killed between the two. */
  readonly spend: (token: string) => void;
}

/**
 * What the collector may rely on in a store: durable when `write` resolves, nothing stored twice under one token, rows of
 * a known identity (here: topic, partition, offset) not stored again, and the rejected rows of a token not either.
 */
export function createMemoryRowSink(): MemoryRowSink {
  const rows: { source: RowSource; reason: string }[] = [];
  const tokens = new Set<string>();
  const known = new Set<string>();
  const batches: { token: string; rows: number }[] = [];
  const sink: MemoryRowSink = {
    fault: null,
    batches,
    spend: (token) => {
      tokens.add(token);
    },
    write: async (batch) => {
      await sink.fault?.(batch, false);
      if (!tokens.has(batch.token)) {
        tokens.add(batch.token);
        let fresh = 0;
        for (const { source } of [...batch.predictions, ...batch.labels]) {
          const id = `${source.topic}/${source.partition}/${source.offset}`;
          if (known.has(id)) continue;
          known.add(id);
          fresh += 1;
          rows.push({ source, reason: '' });
        }
        // Rejected rows have no identity: only the token protects them.
        for (const { source, reason } of batch.rejected) rows.push({ source, reason });
        batches.push({ token: batch.token, rows: fresh + batch.rejected.length });
      }
      await sink.fault?.(batch, true);
    },
    storedOffsets: async ({ topic, partition, fromOffset, toOffset }) =>
      new Map(
        rows
          .filter(({ source }) => source.topic === topic && source.partition === partition)
          .map(({ source }) => source.offset)
          .filter((offset) => offset >= fromOffset && offset <= toOffset)
          .map((offset) => [offset, new Set([0])]),
      ),
    offsets: (topic, partition) =>
      rows
        .filter(({ source }) => source.topic.startsWith(`${topic}@`) && source.partition === partition)
        .map(({ source }) => source.offset),
    reasons: () => rows.map(({ reason }) => reason).filter((reason) => reason !== ''),
  };
  return sink;
}
