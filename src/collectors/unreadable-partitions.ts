import type { LogPartition } from './log-source.js';

export interface UnreadablePartitions {
  /** Its next batch cannot be read: it is tried again after a while, which doubles each time. */
  readonly add: (partition: LogPartition) => void;
  /** One of its batches was read: true when it was among them. */
  readonly remove: (partition: LogPartition) => boolean;
  readonly clear: () => void;
}

const keyOf = ({ topic, partition }: LogPartition) => `${partition}/${topic}`;

/**
 * Partitions that stand before a batch that cannot be read. A bit may have changed on the way, a leader with a whole copy takes over, a disk is
 * mended: none of it is told, so that they are tried again, by themselves, from time to time.
 */
export function createUnreadablePartitions(options: {
  readonly tryAgain: (partition: LogPartition) => void;
  /** Is told what `tryAgain` throws, of a client that has stopped: on a timer nobody else would hear of it. */
  readonly failed: (error: unknown) => void;
  readonly firstMs: number;
  readonly mostMs: number;
}): UnreadablePartitions {
  const { tryAgain, failed, firstMs, mostMs } = options;
  const waiting = new Map<string, { timer: NodeJS.Timeout | null; nextMs: number }>();
  return {
    add(at) {
      const key = keyOf(at);
      const found = waiting.get(key) ?? { timer: null, nextMs: firstMs };
      // It was tried for another reason meanwhile.
      if (found.timer !== null) return;
      const timer = setTimeout(() => {
        waiting.set(key, { timer: null, nextMs: Math.min(mostMs, 2 * found.nextMs) });
        try {
          tryAgain(at);
        } catch (error) {
          failed(error);
        }
      }, found.nextMs).unref();
      waiting.set(key, { ...found, timer });
    },
    remove(at) {
      const found = waiting.get(keyOf(at));
      if (found?.timer) clearTimeout(found.timer);
      return waiting.delete(keyOf(at));
    },
    clear() {
      for (const { timer } of waiting.values()) if (timer !== null) clearTimeout(timer);
      waiting.clear();
    },
  };
}
