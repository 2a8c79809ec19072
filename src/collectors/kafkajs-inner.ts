import type { Kafka } from 'kafkajs';

/** The parts of kafkajs' inner cluster that are used here (2.2.4, pinned): src/cluster, src/broker, src/network. */
export interface InnerCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  metadata(query: { topics: readonly string[] }): Promise<unknown>;
  findBroker(query: { nodeId: string }): Promise<InnerBroker>;
  findGroupCoordinator(query: { groupId: string }): Promise<InnerBroker>;
  brokerPool: {
    withBroker<T>(use: (found: { broker: InnerBroker }) => Promise<T>): Promise<T>;
  };
}

export interface InnerBroker {
  versions: Record<number, { maxVersion: number } | undefined>;
  connectionPool: { send<T>(message: InnerMessage<T>): Promise<T> };
  leaveGroup(member: { groupId: string; memberId: string }): Promise<unknown>;
}

export interface InnerMessage<T> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly encode: () => Promise<{ buf: Buffer; buffer: Buffer }>;
  };
  readonly response: {
    readonly decode: (payload: Buffer) => Promise<T>;
    readonly parse: (decoded: T) => Promise<T>;
  };
}

type CreateCluster = (options: Readonly<Record<string, unknown>>) => InnerCluster;

function clusterMaker(kafka: Kafka): { symbol: symbol; create: CreateCluster } {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const create: unknown = symbol === undefined ? undefined : Reflect.get(kafka, symbol);
  if (symbol === undefined || typeof create !== 'function')
    throw new TypeError('this kafkajs is built differently from 2.2.4');
  return { symbol, create: create as CreateCluster };
}

/** A connection to the cluster besides those of the client's consumers; throws a TypeError for another kafkajs. */
export function createInnerCluster(kafka: Kafka): InnerCluster {
  return clusterMaker(kafka).create({ metadataMaxAge: 300_000, allowAutoTopicCreation: false });
}

/** Passes every message of the client's clusters through `change` before it is sent. */
export function changeMessages(kafka: Kafka, change: <T>(message: InnerMessage<T>) => InnerMessage<T>): void {
  const { symbol, create } = clusterMaker(kafka);
  const changed = new WeakSet<InnerBroker['connectionPool']>();
  Reflect.set(kafka, symbol, (options: Readonly<Record<string, unknown>>) => {
    const cluster = create(options);
    const findBroker = cluster.findBroker.bind(cluster);
    cluster.findBroker = async (query) => {
      const broker = await findBroker(query);
      const { connectionPool } = broker;
      if (!changed.has(connectionPool)) {
        changed.add(connectionPool);
        const send = connectionPool.send.bind(connectionPool);
        connectionPool.send = (message) => send(change(message));
      }
      return broker;
    };
    return cluster;
  });
}
