import { spawn } from 'node:child_process';
import { once } from 'node:events';
import kafkajs, { type Admin, Kafka, logLevel, type Producer } from 'kafkajs';

const TOPIC_TIMEOUT_MS = 60_000;
const ASK_TIMEOUT_MS = 60_000;

export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** What tests do with a broker or a cluster. */
export interface KafkaLog {
  /** `host:port` of the plain listeners. */
  readonly addresses: readonly string[];
  readonly createTopic: (topic: string, partitions: number, config?: Record<string, string>) => Promise<void>;
  readonly deleteTopic: (topic: string) => Promise<void>;
  /** Produces one message per line with librdkafka's kcat; partition by kcat's own choice when left out. */
  readonly produce: (
    topic: string,
    lines: readonly string[],
    options?: { codec?: Codec; partition?: number },
  ) => Promise<void>;
  readonly withProducer: (use: (producer: Producer) => Promise<void>) => Promise<void>;
  readonly withAdmin: <T>(use: (admin: Admin) => Promise<T>) => Promise<T>;
  readonly endOffsets: (topic: string) => Promise<number[]>;
  /** Committed offset and metadata of a group, by partition. */
  readonly committed: (group: string, topic: string) => Promise<{ offset: number; metadata: string }[]>;
  /** Raises the log start, as retention does. */
  readonly deleteRecordsBefore: (topic: string, partition: number, offset: number) => Promise<void>;
}

/** Topics are made with a copy on each of these brokers. */
export function openKafkaLog(addresses: readonly string[]): KafkaLog {
  const kafka = new Kafka({ brokers: [...addresses], clientId: 'test', logLevel: logLevel.NOTHING });
  const withAdmin: KafkaLog['withAdmin'] = async (use) => {
    const admin = kafka.admin();
    await admin.connect();
    try {
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  };
  /** Asks again while the brokers say that another one has to be asked, as happens when leaders move. */
  const ask: KafkaLog['withAdmin'] = async (use) => {
    const deadline = performance.now() + ASK_TIMEOUT_MS;
    for (;;) {
      try {
        return await withAdmin(use);
      } catch (error) {
        if (!(error instanceof kafkajs.KafkaJSError && error.retriable) || performance.now() > deadline)
          throw error;
        await new Promise((wake) => setTimeout(wake, 200));
      }
    }
  };
  return {
    addresses,
    withAdmin,
    createTopic: (topic, partitions, config = {}) =>
      withAdmin(async (admin) => {
        const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
        await admin.createTopics({
          // kafkajs gives up when the broker has not heard of its own topic yet, as happens with many at once.
          waitForLeaders: false,
          topics: [{ topic, numPartitions: partitions, replicationFactor: addresses.length, configEntries }],
        });
        const deadline = performance.now() + TOPIC_TIMEOUT_MS;
        for (;;) {
          try {
            await admin.fetchTopicMetadata({ topics: [topic] });
            return;
          } catch (error) {
            if (performance.now() > deadline) throw error;
            await new Promise((wake) => setTimeout(wake, 50));
          }
        }
      }),
    deleteTopic: (topic) => withAdmin((admin) => admin.deleteTopics({ topics: [topic] })),
    produce: (topic, lines, options = {}) =>
      feed(
        'kcat',
        [
          ...['-P', '-b', addresses.join(), '-t', topic, '-z', options.codec ?? 'none', '-X', 'linger.ms=20'],
          ...(options.partition === undefined ? [] : ['-p', String(options.partition)]),
        ],
        lines,
      ),
    withProducer: async (use) => {
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      try {
        await use(producer);
      } finally {
        await producer.disconnect();
      }
    },
    endOffsets: (topic) =>
      ask(async (admin) => {
        const offsets = await admin.fetchTopicOffsets(topic);
        return offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
      }),
    committed: (group, topic) =>
      ask(async (admin) => {
        const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
        return [...(found?.partitions ?? [])]
          .sort((a, b) => a.partition - b.partition)
          .map(({ offset, metadata }) => ({ offset: Number(offset), metadata: metadata ?? '' }));
      }),
    deleteRecordsBefore: (topic, partition, offset) =>
      withAdmin(async (admin) => {
        // Makes kafkajs look up the topic's leaders.
        await admin.fetchTopicOffsets(topic);
        await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
      }),
  };
}

/** Runs a program with these lines on its stdin; rejects with its stderr when it fails. */
async function feed(command: string, args: readonly string[], lines: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program that ends early says why on stderr.
  child.stdin.on('error', (error) => {
    stderr += `${error.message}\n`;
  });
  child.stdin.end(lines.map((line) => `${line}\n`).join(''));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} exited with ${code}: ${stderr}`);
}
