import { describe, expect, it } from '@jest/globals';
import { Kafka } from 'kafkajs';
import {
  changeMessages,
  createInnerCluster,
  type InnerMessage,
} from '../../../src/collectors/kafkajs-inner.js';

const fetchOf = (apiName: string): InnerMessage<unknown> => ({
  request: { apiKey: 1, apiVersion: 11, apiName, encode: async () => Promise.reject(new Error('not sent')) },
  response: { decode: async () => null, parse: async (decoded) => decoded },
});

/** kafkajs' own cluster with brokers that are given instead of connected to. */
function clusterOf() {
  const kafka = new Kafka({ brokers: ['127.0.0.1:1'] });
  changeMessages(kafka, (message) => ({
    ...message,
    request: { ...message.request, apiName: `${message.request.apiName}!` },
  }));
  const sent: string[] = [];
  const pool = (name: string) => ({
    send: async (message: InnerMessage<unknown>) => {
      sent.push(`${name} ${message.request.apiName}`);
    },
    isConnected: () => true,
  });
  const broker = (name: string) => ({ connectionPool: pool(name), isConnected: () => true });
  const cluster = createInnerCluster(kafka);
  const brokers: Record<string, ReturnType<typeof broker>> = { 1: broker('a'), 2: broker('b') };
  Reflect.set(cluster.brokerPool, 'brokers', brokers);
  const send = async (nodeId: string) => {
    const found = await cluster.findBroker({ nodeId });
    await found.connectionPool.send(fetchOf('Fetch') as InnerMessage<void>);
  };
  return { brokers, broker, pool, send, sent };
}

describe("the messages of kafkajs' clusters", () => {
  it('are changed once on every broker, on one that took its place, and on connections made anew', async () => {
    const { brokers, broker, pool, send, sent } = clusterOf();
    await send('1');
    await send('2');
    await send('1');
    brokers[2] = broker('replaced');
    await send('2');
    // What kafkajs does where SASL went wrong.
    Reflect.set(brokers[1] as object, 'connectionPool', pool('rebuilt'));
    await send('1');
    await send('1');
    expect(sent).toEqual([
      'a Fetch!',
      'b Fetch!',
      'a Fetch!',
      'replaced Fetch!',
      'rebuilt Fetch!',
      'rebuilt Fetch!',
    ]);
  });
});
