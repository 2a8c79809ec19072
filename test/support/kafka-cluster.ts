import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { GuardedProcess } from './guarded-process.js';
import { until } from './kafka-collect.js';
import { type KafkaLog, openKafkaLog } from './kafka-log.js';
import {
  commonProperties,
  freePorts,
  launchNode,
  newClusterId,
  prepareNode,
  withAttempts,
} from './kafka-node.js';

const BROKERS = 3;
const INNER_TOPIC = '__consumer_offsets';

/** Every topic has a copy on each broker, the group's commits as well. Brokers count from 1. */
export interface KafkaCluster extends KafkaLog {
  /** The broker that leads each partition, by partition. */
  readonly leaders: (topic: string) => Promise<number[]>;
  /** The broker that coordinates all groups. */
  readonly coordinator: () => Promise<number>;
  /** Makes a broker the preferred leader of a partition; resolves when it leads it. */
  readonly moveLeader: (topic: string, partition: number, broker: number) => Promise<void>;
  /** kill -9; data and ports stay for `restart`. */
  readonly kill: (broker: number) => Promise<void>;
  readonly restart: (broker: number) => Promise<void>;
  /** Ends the brokers and deletes their data. */
  readonly stop: () => Promise<void>;
}

interface Ports {
  readonly plain: number;
  readonly controller: number;
}

/** A broker that is gone is noticed within 8 s (of a busy machine's brokers some are silent for 3), and one that is back leads again what it is the preferred leader of. */
function properties(directory: string, id: number, { plain, controller }: Ports, voters: string): string {
  return `process.roles=broker,controller
node.id=${id}
controller.quorum.voters=${voters}
listeners=PLAINTEXT://127.0.0.1:${plain},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${plain}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=${directory}/data
broker.session.timeout.ms=8000
broker.heartbeat.interval.ms=500
leader.imbalance.check.interval.seconds=1
${commonProperties(BROKERS)}`;
}

/** Starts a real cluster of three KRaft nodes, each broker and controller. It cannot outlive the test process. */
export function startKafkaCluster(): Promise<KafkaCluster> {
  return withAttempts(async (directory, root) => {
    const free = await freePorts(2 * BROKERS);
    const nodes = Array.from({ length: BROKERS }, (_, index) => {
      const ports = { plain: free[2 * index] ?? 0, controller: free[2 * index + 1] ?? 0 };
      const id = index + 1;
      return { id, ports, directory: join(directory, String(id)), address: `127.0.0.1:${ports.plain}` };
    });
    const voters = nodes.map(({ id, ports }) => `${id}@127.0.0.1:${ports.controller}`).join();
    const clusterId = newClusterId(directory);
    await Promise.all(
      nodes.map((node) => {
        mkdirSync(node.directory);
        return prepareNode(node.directory, {
          properties: properties(node.directory, node.id, node.ports, voters),
          clusterId,
        });
      }),
    );
    const launched = await Promise.allSettled(
      nodes.map((node) => launchNode(node.directory, node.address, BROKERS)),
    );
    const running = launched.flatMap((node) => (node.status === 'fulfilled' ? [node.value] : []));
    const stop = async () => {
      await Promise.all(running.map((node) => node.kill()));
    };
    for (const node of launched) {
      if (node.status === 'fulfilled') continue;
      await stop();
      throw node.reason;
    }
    return describeCluster(nodes, running, async () => {
      await stop();
      rmSync(root, { recursive: true, force: true });
    });
  });
}

function describeCluster(
  nodes: readonly { readonly directory: string; readonly address: string }[],
  running: GuardedProcess[],
  stop: () => Promise<void>,
): KafkaCluster {
  const log = openKafkaLog(nodes.map(({ address }) => address));
  const partitionsOf = (topic: string) =>
    log.withAdmin(async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return [...(topics[0]?.partitions ?? [])].sort((a, b) => a.partitionId - b.partitionId);
    });
  const leaders = async (topic: string) => (await partitionsOf(topic)).map(({ leader }) => leader);
  const runningNode = (broker: number) => {
    const node = running[broker - 1];
    if (node === undefined) throw new TypeError(`no broker ${broker}`);
    return node;
  };
  return {
    ...log,
    leaders,
    coordinator: async () => {
      const [leader] = await leaders(INNER_TOPIC);
      if (leader === undefined) throw new Error('no broker coordinates groups');
      return leader;
    },
    moveLeader: async (topic, partition, broker) => {
      const found = (await partitionsOf(topic)).find(({ partitionId }) => partitionId === partition);
      if (found === undefined) throw new Error(`no partition ${topic}/${partition}`);
      const replicas = [broker, ...found.replicas.filter((id) => id !== broker)];
      await log.withAdmin((admin) =>
        admin.alterPartitionReassignments({
          topics: [{ topic, partitionAssignment: [{ partition, replicas }] }],
        }),
      );
      await until(
        `broker ${broker} leads ${topic}/${partition}`,
        async () => (await leaders(topic))[partition] === broker,
      );
    },
    kill: (broker) => runningNode(broker).kill(),
    restart: async (broker) => {
      const node = nodes[broker - 1];
      if (node === undefined) throw new TypeError(`no broker ${broker}`);
      await runningNode(broker).kill();
      running[broker - 1] = await launchNode(node.directory, node.address, nodes.length);
    },
    stop,
  };
}
