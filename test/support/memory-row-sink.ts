import type { RowBatch } from '../../src/domain/ports.js';
import type { RowSource } from '../../src/domain/prediction.js';
import type { LogAuditStore, RowListName } from '../../src/domain/row-ports.js';

export interface MemoryRowSink extends LogAuditStore {
  readonly write: (batch: RowBatch) => Promise<void>;
  /** Offsets in the order they were stored, over predictions, labels and rejected rows alike. */
  readonly offsets: (topic: string, partition: number) => number[];
  readonly reasons: () => string[];
  readonly batches: readonly { readonly token: string; readonly rows: number }[];
  /** Runs before (`false`) and after (`true`) each insert; throwing is the store's failure, as seen by the client. */
  fault: ((batch: RowBatch, stored: boolean) => Promise<void>) | null;
  /** Runs after the rows of a list were found to be new and before they are stored. */
  delay: ((list: RowListName, batch: RowBatch) => Promise<void>) | null;
  /** Notes a token without keeping rows, as an engine that is killed between the two. */
  readonly spend: (token: string) => void;
}

const placeOf = ({ topic, partition, offset }: RowSource) => `${topic}/${partition}/${offset}`;

/**
 * What the collector may rely on in a store: durable when `write` resolves, nothing stored twice under one token, rows of
 * a known identity (here: topic, partition, offset) not stored again, and the rejected rows of a token not either. Each list has its token.
 */
export function createMemoryRowSink(): MemoryRowSink {
  const rows: { source: RowSource; reason: string; list: RowListName }[] = [];
  const tokens = new Set<string>();
  const known = new Set<string>();
  const batches: { token: string; rows: number }[] = [];
  const sink: MemoryRowSink = {
    fault: null,
    batches,
    delay: null,
    spend: (token) => {
      for (const list of ['rejected', 'labels', 'predictions']) tokens.add(`${token}/${list}`);
    },
    write: async (batch) => {
      await sink.fault?.(batch, false);
      let stored = 0;
      for (const list of ['rejected', 'labels', 'predictions'] as const) {
        const fresh = [...batch[list]].filter((row) => {
          // Rejected rows have no identity: only the token protects them.
          return list === 'rejected' || !known.has(placeOf(row.source));
        });
        await sink.delay?.(list, batch);
        if (fresh.length === 0 || tokens.has(`${batch.token}/${list}`)) continue;
        tokens.add(`${batch.token}/${list}`);
        for (const row of fresh) {
          if (list !== 'rejected') known.add(placeOf(row.source));
          rows.push({ source: row.source, reason: 'reason' in row ? row.reason : '', list });
        }
        stored += fresh.length;
      }
      if (stored > 0) batches.push({ token: batch.token, rows: stored });
      await sink.fault?.(batch, true);
    },
    insertUnderWay: async () => false,
    voidRejected: async (token) => {
      tokens.add(`${token}/rejected`);
    },
    storedRange: async ({ topic, partition, fromOffset, toOffset }) => {
      const found = rows.filter(
        ({ source }) =>
          source.topic === topic &&
          source.partition === partition &&
          source.offset >= fromOffset &&
          source.offset <= toOffset,
      );
      return {
        offsets: new Map(found.map(({ source }) => [source.offset, new Set([0])])),
        lists: new Set(found.map(({ list }) => list)),
      };
    },
    offsets: (topic, partition) =>
      rows
        .filter(({ source }) => source.topic.startsWith(`${topic}@`) && source.partition === partition)
        .map(({ source }) => source.offset),
    reasons: () => rows.map(({ reason }) => reason).filter((reason) => reason !== ''),
  };
  return sink;
}
