import type { LogHandler, LogRecord, LogSource, SourceHealth } from '../../src/collectors/log-source.js';

interface PartitionLog {
  readonly topic: string;
  readonly partition: number;
  start: number;
  readonly values: (string | null)[];
  committed: { offset: number; metadata: string } | null;
}

export interface MemoryLog {
  readonly append: (topic: string, partition: number, values: readonly (string | null)[]) => void;
  readonly committed: (topic: string, partition: number) => { offset: number; metadata: string } | null;
  /** Commits from outside the group, as an operator's reset does. */
  readonly reset: (topic: string, partition: number, offset: number) => void;
  /** Retention: records before the offset are gone. */
  readonly dropBefore: (topic: string, partition: number, offset: number) => void;
  /** A member of the group; the partitions are given to all members that are alive, in turns. */
  readonly member: (options: MemberOptions) => LogSource & { readonly crash: () => void };
}

export interface MemberOptions {
  /** Records per fetch. */
  readonly batchSize: number;
  /** Runs before a commit takes effect (`false`) and after it (`true`); throwing makes its outcome unknown to the client. */
  readonly onCommit?: (done: boolean, topic: string) => Promise<void>;
}

interface Member {
  readonly options: MemberOptions;
  readonly handler: LogHandler;
  generation: number;
  paused: Set<PartitionLog>;
  /** Since a batch was handed over. */
  resumed: Set<PartitionLog>;
  positions: Map<PartitionLog, number>;
}

const pause = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A partitioned log with one consumer group, with Kafka's rules: commits of an old generation are refused. */
export function createMemoryLog(): MemoryLog {
  const logs: PartitionLog[] = [];
  const members: Member[] = [];
  let generation = 0;

  const find = (topic: string, partition: number): PartitionLog => {
    let log = logs.find((known) => known.topic === topic && known.partition === partition);
    if (log === undefined) {
      log = { topic, partition, start: 0, values: [], committed: null };
      logs.push(log);
    }
    return log;
  };

  function rebalance(): void {
    generation += 1;
    const own = generation;
    for (const [index, member] of members.entries()) {
      member.handler.revoked();
      member.generation = own;
      member.paused = new Set();
      member.resumed = new Set();
      const assigned = logs.filter((_, at) => at % members.length === index);
      const starts = member.handler.assigned(
        own,
        assigned.map(({ topic, partition, start, values, committed }) => ({
          topic,
          partition,
          clusterId: 'cluster',
          topicId: `id-of-${topic}`,
          committed,
          logStart: start,
          logEnd: values.length,
        })),
      );
      member.positions = new Map(
        starts.map(({ topic, partition, offset }) => [find(topic, partition), offset]),
      );
      void fetchFor(member, own);
    }
  }

  async function fetchFor(member: Member, own: number): Promise<void> {
    while (members.includes(member) && member.generation === own) {
      for (const [log, position] of member.positions) {
        if (member.paused.has(log) || position >= log.values.length) continue;
        const end = Math.min(log.values.length, position + member.options.batchSize);
        const records: LogRecord[] = log.values.slice(position, end).map((value, i) => ({
          offset: position + i,
          value: value === null ? null : Buffer.from(value),
        }));
        member.resumed.delete(log);
        const next = await member.handler.batch(own, {
          topic: log.topic,
          partition: log.partition,
          records,
          nextOffset: end,
          logEnd: log.values.length,
          heartbeat: async () => undefined,
        });
        if (!members.includes(member) || member.generation !== own) return;
        if (next > position) member.positions.set(log, next);
        else if (!member.resumed.has(log)) member.paused.add(log);
      }
      await pause();
    }
  }

  return {
    append: (topic, partition, values) => {
      find(topic, partition).values.push(...values);
    },
    committed: (topic, partition) => find(topic, partition).committed,
    reset: (topic, partition, offset) => {
      find(topic, partition).committed = { offset, metadata: '' };
    },
    dropBefore: (topic, partition, offset) => {
      find(topic, partition).start = offset;
    },
    member: (options) => {
      let self: Member | null = null;
      const leave = () => {
        const at = self === null ? -1 : members.indexOf(self);
        if (at < 0) return;
        members.splice(at, 1);
        // What it has under way goes on, as a write in the kernel's buffers would; it begins nothing new.
        self?.handler.revoked();
        rebalance();
      };
      const health: SourceHealth = { ready: true, detail: 'memory' };
      return {
        start: (handler) => {
          self = {
            options,
            handler,
            generation: 0,
            paused: new Set(),
            resumed: new Set(),
            positions: new Map(),
          };
          members.push(self);
          rebalance();
        },
        stop: async () => leave(),
        crash: leave,
        commit: async (own, { topic, partition, offset, metadata }) => {
          await options.onCommit?.(false, topic);
          if (self === null || !members.includes(self) || own !== generation) return 'stale';
          find(topic, partition).committed = { offset, metadata };
          await options.onCommit?.(true, topic);
          return 'committed';
        },
        resume: ({ topic, partition }) => {
          const log = find(topic, partition);
          self?.paused.delete(log);
          self?.resumed.add(log);
        },
        health: () => health,
      };
    },
  };
}
