import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { type GuardedProcess, startGuarded } from './guarded-process.js';

const LIBS = resolve('build/kafka-libs');
const READY_TIMEOUT_MS = 90_000;
const START_ATTEMPTS = 5;
const TOPIC_TIMEOUT_MS = 15_000;

export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** User and password that the SASL listener accepts. */
export const SASL_USER = { username: 'drift', password: 'test-only' };

export interface KafkaBroker {
  /** `host:port` of the plain listener. */
  readonly address: string;
  /** `host:port` of the SASL_PLAINTEXT listener. */
  readonly saslAddress: string;
  /** Port of the listener whose clients are sent to the proxy's port. */
  readonly proxiedPort: number;
  readonly createTopic: (topic: string, partitions: number, config?: Record<string, string>) => Promise<void>;
  readonly deleteTopic: (topic: string) => Promise<void>;
  /** Produces one message per line with librdkafka's kcat; partition by kcat's own choice when left out. */
  readonly produce: (
    topic: string,
    lines: readonly string[],
    options?: { codec?: Codec; partition?: number },
  ) => Promise<void>;
  readonly withProducer: (use: (producer: Producer) => Promise<void>) => Promise<void>;
  readonly endOffsets: (topic: string) => Promise<number[]>;
  /** Committed offset and metadata of a group, by partition. */
  readonly committed: (group: string, topic: string) => Promise<{ offset: number; metadata: string }[]>;
  /** Raises the log start, as retention does. */
  readonly deleteRecordsBefore: (topic: string, partition: number, offset: number) => Promise<void>;
  /** kill -9; data and ports stay for `restart`. */
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
  /** Ends the broker and deletes its data. */
  readonly stop: () => Promise<void>;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('no port was assigned');
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

interface BrokerPorts {
  readonly plain: number;
  readonly sasl: number;
  readonly controller: number;
  readonly proxied: number;
  /** What clients of the proxied listener are told to connect to. */
  readonly proxy: number;
}

function properties(directory: string, { plain, sasl, controller, proxied, proxy }: BrokerPorts): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controller}
listeners=PLAINTEXT://127.0.0.1:${plain},SASL_PLAINTEXT://127.0.0.1:${sasl},PROXIED://127.0.0.1:${proxied},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${plain},SASL_PLAINTEXT://127.0.0.1:${sasl},PROXIED://127.0.0.1:${proxy}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_${SASL_USER.username}="${SASL_USER.password}";
log.dirs=${directory}/data
num.partitions=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
`;
}

const LOG4J = `Configuration:
  Appenders: { Console: { name: STDOUT, PatternLayout: { pattern: "%d %p %m%n" } } }
  Loggers: { Root: { level: warn, AppenderRef: [{ ref: STDOUT }] } }
`;

const JVM = ['-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${LIBS}/*`];

/**
 * Starts a real single-node KRaft broker on free loopback ports. Its jars come from scripts/install-test-deps.sh.
 * It cannot outlive the test process. `proxyPort`: a proxy that clients of the proxied listener are to go through.
 */
export async function startKafkaBroker({ proxyPort }: { proxyPort?: number } = {}): Promise<KafkaBroker> {
  if (!existsSync(LIBS)) throw new Error(`no Kafka jars in ${LIBS}: run scripts/install-test-deps.sh`);
  const root = mkdtempSync(join(tmpdir(), 'plumbline-kafka-'));
  let lastError: unknown;
  for (let attempt = 1; attempt <= START_ATTEMPTS; attempt += 1) {
    const directory = join(root, String(attempt));
    mkdirSync(directory);
    try {
      const [plain = 0, sasl = 0, controller = 0, proxied = 0] = await freePorts(4);
      const ports = { plain, sasl, controller, proxied, proxy: proxyPort ?? proxied };
      writeFileSync(join(directory, 'server.properties'), properties(directory, ports));
      writeFileSync(join(directory, 'log4j2.yaml'), LOG4J);
      await formatStorage(directory);
      const running = await launch(directory, `127.0.0.1:${plain}`);
      return describeBroker(root, directory, ports, running);
    } catch (error) {
      // Another process may have taken one of the ports in between: try others.
      lastError = error;
    }
  }
  rmSync(root, { recursive: true, force: true });
  throw new Error(`the Kafka broker did not start in ${START_ATTEMPTS} attempts`, { cause: lastError });
}

async function formatStorage(directory: string): Promise<void> {
  await promisify(execFile)('java', [
    ...JVM,
    `-Dlog4j2.configurationFile=${directory}/log4j2.yaml`,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    Buffer.from(directory).subarray(-16).toString('base64url'),
    '-c',
    `${directory}/server.properties`,
  ]);
}

function client(address: string): Kafka {
  return new Kafka({ brokers: [address], clientId: 'test', logLevel: logLevel.NOTHING });
}

async function launch(directory: string, address: string): Promise<GuardedProcess> {
  const running = startGuarded({
    command: 'java',
    args: [
      ...JVM,
      `-Dlog4j2.configurationFile=${directory}/log4j2.yaml`,
      'kafka.Kafka',
      `${directory}/server.properties`,
    ],
    logFile: join(directory, 'broker.log'),
  });
  const deadline = performance.now() + READY_TIMEOUT_MS;
  const admin = new Kafka({
    brokers: [address],
    clientId: 'probe',
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  }).admin();
  try {
    for (;;) {
      try {
        await admin.connect();
        // Ready means that groups have their coordinator, which the first question for one brings up.
        await admin.describeGroups(['probe']);
        return running;
      } catch (cause) {
        if (running.exitCode() !== null || performance.now() > deadline) {
          await running.kill();
          throw new Error(`the Kafka broker is not ready:\n${running.tail()}`, { cause });
        }
        await new Promise((wake) => setTimeout(wake, 100));
      }
    }
  } finally {
    await admin.disconnect();
  }
}

function describeBroker(
  root: string,
  directory: string,
  ports: BrokerPorts,
  first: GuardedProcess,
): KafkaBroker {
  const address = `127.0.0.1:${ports.plain}`;
  let running = first;
  const withAdmin = async <T>(use: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> => {
    const admin = client(address).admin();
    await admin.connect();
    try {
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  };
  return {
    address,
    saslAddress: `127.0.0.1:${ports.sasl}`,
    proxiedPort: ports.proxied,
    createTopic: (topic, partitions, config = {}) =>
      withAdmin(async (admin) => {
        const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
        await admin.createTopics({
          // kafkajs gives up when the broker has not heard of its own topic yet, as happens with many at once.
          waitForLeaders: false,
          topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }],
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
          ...['-P', '-b', address, '-t', topic, '-z', options.codec ?? 'none', '-X', 'linger.ms=20'],
          ...(options.partition === undefined ? [] : ['-p', String(options.partition)]),
        ],
        lines,
      ),
    withProducer: async (use) => {
      const producer = client(address).producer({ allowAutoTopicCreation: false });
      await producer.connect();
      try {
        await use(producer);
      } finally {
        await producer.disconnect();
      }
    },
    endOffsets: (topic) =>
      withAdmin(async (admin) => {
        const offsets = await admin.fetchTopicOffsets(topic);
        return offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
      }),
    committed: (group, topic) =>
      withAdmin(async (admin) => {
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
    kill: () => running.kill(),
    restart: async () => {
      await running.kill();
      running = await launch(directory, address);
    },
    stop: async () => {
      await running.kill();
      rmSync(root, { recursive: true, force: true });
    },
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
