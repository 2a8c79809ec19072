import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FeatureSchema } from '../../src/domain/model.js';
import type { StoreLocation } from '../../src/store/client.js';
import { createStore } from '../../src/store/store.js';
import { startBridgeProcess } from '../support/clickhouse-bridge-process.js';
import { type KafkaBroker, startKafkaBroker } from '../support/kafka-broker.js';
import { until } from '../support/kafka-collect.js';
import {
  buildCollectorProgram,
  type CollectorProcess,
  type CollectorProgram,
} from '../support/kafka-collector-process.js';
import { storedOffsets, violationsOf, violationText } from '../support/offset-oracle.js';
import { createSilentLogger } from '../support/silent-logger.js';

const lines = (path: string) => gunzipSync(readFileSync(path)).toString('utf8').trimEnd().split('\n');
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const feature = (kind: FeatureSchema['kind']) => (name: string) => ({ name, kind });

const FLIGHT_FEATURES: FeatureSchema[] = [
  ...['distance', 'hour', 'temp', 'dewp', 'humid', 'wind_dir', 'wind_speed', 'wind_gust'].map(
    feature('numeric'),
  ),
  ...['precip', 'pressure', 'visib'].map(feature('numeric')),
  ...['carrier', 'origin', 'dest', 'weekday'].map(feature('categorical')),
];

async function registerFlights(location: StoreLocation): Promise<void> {
  const store = await createStore({ ...location, logger: createSilentLogger() });
  await store.migrate();
  await store.saveModel({
    model: 'flight-delay',
    modelVersion: '1',
    schema: { task: 'binary', features: FLIGHT_FEATURES },
    registeredAtMs: 0,
  });
  await store.close();
}

/** Flight events and their labels, in the order of arrival, spread over partitions by kcat. */
async function produceFlights(
  broker: KafkaBroker,
  topics: { predictions: string; labels: string },
  count: number,
) {
  const events = lines('examples/flights/predictions.ndjson.gz').slice(0, count);
  const ids = new Set(events.map((event) => JSON.parse(event).prediction_id));
  const labels = lines('examples/flights/labels.ndjson.gz').filter((label) =>
    ids.has(JSON.parse(label).prediction_id),
  );
  await broker.createTopic(topics.predictions, 4);
  await broker.createTopic(topics.labels, 2);
  const share = Math.ceil(events.length / 4);
  for (let partition = 0; partition < 4; partition += 1) {
    const part = events.slice(partition * share, (partition + 1) * share);
    // One record in a thousand is poison: it has to be accounted for as well.
    const poisoned = part.flatMap((event, i) => (i % 1_000 === 500 ? ['{"model":', event] : [event]));
    await broker.produce(topics.predictions, poisoned, { partition, codec: 'lz4' });
  }
  for (let partition = 0; partition < 2; partition += 1) {
    await broker.produce(
      topics.labels,
      labels.filter((_, i) => i % 2 === partition),
      { partition, codec: 'zstd' },
    );
  }
  return { events: events.length, labels: labels.length };
}

describe('kafka into the real store', () => {
  let broker: KafkaBroker;
  let program: CollectorProgram;
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-kafka-store-'));
  beforeAll(async () => {
    [broker, program] = await Promise.all([startKafkaBroker(), buildCollectorProgram()]);
  });
  afterAll(async () => {
    program.remove();
    rmSync(directory, { recursive: true, force: true });
    await broker.stop();
  });

  const committedRows = async (group: string, topics: readonly string[]) =>
    sum(
      await Promise.all(
        topics.map(async (topic) =>
          sum((await broker.committed(group, topic)).map(({ offset }) => Math.max(0, offset))),
        ),
      ),
    );

  /** Every offset of every partition is stored exactly once, whatever became of it. */
  async function expectAllOnce(location: StoreLocation, topics: readonly string[]): Promise<void> {
    const ends = new Map<string, number[]>();
    for (const topic of topics) ends.set(topic, await broker.endOffsets(topic));
    expect(violationsOf(ends, await storedOffsets(location, topics)).map(violationText)).toEqual([]);
  }

  async function untilCommitted(rows: number, group: string, topics: string[], running: CollectorProcess[]) {
    await until(
      `${rows} rows committed`,
      async () => {
        for (const process of running) {
          if (process.exitCode() !== null) throw new Error(`the collector ended:\n${process.log()}`);
        }
        return (await committedRows(group, topics)) >= rows;
      },
      120_000,
    );
  }

  it('survives kill -9 of the only process, twice: every offset once', async () => {
    const topics = { predictions: 'embedded-predictions', labels: 'embedded-labels' };
    const names = Object.values(topics);
    const { events, labels } = await produceFlights(broker, topics, 20_000);
    const total = sum((await Promise.all(names.map(broker.endOffsets))).flat());
    expect(total).toBe(events + 20 + labels);

    const location: StoreLocation = { kind: 'embedded', dataDir: join(directory, 'embedded') };
    await registerFlights(location);
    const options = {
      location,
      brokers: [broker.address],
      group: 'embedded',
      predictions: [topics.predictions],
      labels: [topics.labels],
      // Many small inserts: the kill hits in the middle of one.
      limits: { maxRows: 400, lingerMs: 50 },
    };
    for (const rows of [total * 0.2, total * 0.6, total]) {
      const process = program.start(options);
      try {
        await untilCommitted(rows, 'embedded', names, [process]);
      } finally {
        await process.kill();
      }
    }
    await expectAllOnce(location, names);
    const store = await createStore({ ...location, logger: createSilentLogger() });
    expect(await store.totals()).toEqual({
      predictions: events,
      labels,
      labelsMatched: labels,
      rejected: 20,
    });
    await store.close();
  });

  it('two processes share 50,000 events over HTTP; one is killed: every offset once', async () => {
    const topics = { predictions: 'shared-predictions', labels: 'shared-labels' };
    const names = Object.values(topics);
    const { events, labels } = await produceFlights(broker, topics, 50_000);
    const total = sum((await Promise.all(names.map(broker.endOffsets))).flat());
    const bridge = await startBridgeProcess({ dataDir: join(directory, 'shared'), password: 's3' });
    const location: StoreLocation = {
      kind: 'http',
      url: bridge.url,
      database: 'plumbline',
      username: 'default',
      password: 's3',
    };
    const running: CollectorProcess[] = [];
    try {
      await registerFlights(location);
      const options = {
        location,
        brokers: [broker.address],
        group: 'shared',
        predictions: [topics.predictions],
        labels: [topics.labels],
        limits: { maxRows: 500, lingerMs: 50 },
      };
      running.push(program.start(options), program.start(options));
      await until('both have partitions', () => running.every((process) => process.ready()));
      await untilCommitted(total * 0.3, 'shared', names, running);
      await running.pop()?.kill();
      await untilCommitted(total, 'shared', names, running);
      await expectAllOnce(location, names);
      const store = await createStore({ ...location, logger: createSilentLogger() });
      expect(await store.totals()).toEqual({
        predictions: events,
        labels,
        labelsMatched: labels,
        rejected: 48,
      });
      await store.close();
    } finally {
      await Promise.all(running.map((process) => process.kill()));
      await bridge.kill();
    }
  });
});
