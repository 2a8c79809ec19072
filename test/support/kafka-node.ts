import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { freePort } from './free-port.js';
import { type GuardedProcess, startGuarded } from './guarded-process.js';

const LIBS = resolve('build/kafka-libs');
const READY_TIMEOUT_MS = 90_000;
const START_ATTEMPTS = 5;

const LOG4J = `Configuration:
  Appenders: { Console: { name: STDOUT, PatternLayout: { pattern: "%d %p %m%n" } } }
  Loggers: { Root: { level: warn, AppenderRef: [{ ref: STDOUT }] } }
`;

const JVM = ['-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${LIBS}/*`];

/** What every broker of the tests is told: small, at once, and nothing by itself. Copies of the inner topics as said. */
export const commonProperties = (replicas: number): string => `num.partitions=1
offsets.topic.replication.factor=${replicas}
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
`;

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

/** Tries in a new directory each time, since another process may have taken one of the ports in between. */
export async function withAttempts<T>(begin: (directory: string, root: string) => Promise<T>): Promise<T> {
  if (!existsSync(LIBS)) throw new Error(`no Kafka jars in ${LIBS}: run scripts/install-test-deps.sh`);
  const root = mkdtempSync(join(tmpdir(), 'plumbline-kafka-'));
  let lastError: unknown;
  for (let attempt = 1; attempt <= START_ATTEMPTS; attempt += 1) {
    const directory = join(root, String(attempt));
    mkdirSync(directory);
    try {
      return await begin(directory, root);
    } catch (error) {
      lastError = error;
    }
  }
  rmSync(root, { recursive: true, force: true });
  throw new Error(`Kafka did not start in ${START_ATTEMPTS} attempts`, { cause: lastError });
}

export const newClusterId = (directory: string) => Buffer.from(directory).subarray(-16).toString('base64url');

/** Writes a node's configuration and makes its storage. `users`: of SCRAM, as the storage tool takes them. */
export async function prepareNode(
  directory: string,
  options: { properties: string; clusterId: string; users?: readonly string[] },
): Promise<void> {
  writeFileSync(join(directory, 'server.properties'), options.properties);
  writeFileSync(join(directory, 'log4j2.yaml'), LOG4J);
  await promisify(execFile)('java', [
    ...JVM,
    `-Dlog4j2.configurationFile=${directory}/log4j2.yaml`,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    options.clusterId,
    '-c',
    `${directory}/server.properties`,
    ...(options.users ?? []).flatMap((user) => ['--add-scram', user]),
  ]);
}

/** Starts a prepared node; resolves when it answers for groups, of a cluster with so many brokers. */
export async function launchNode(directory: string, address: string, brokers = 1): Promise<GuardedProcess> {
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
        const cluster = await admin.describeCluster();
        if (cluster.brokers.length < brokers) throw new Error(`${cluster.brokers.length} brokers`);
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
