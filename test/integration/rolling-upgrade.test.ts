import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createStoreClient, type StoreLocation } from '../../src/store/client.js';
import { type BridgeProcess, startBridgeProcess } from '../support/clickhouse-bridge-process.js';
import { type KafkaBroker, startKafkaBroker } from '../support/kafka-broker.js';
import { until } from '../support/kafka-collect.js';
import {
  buildCollectorProgram,
  type CollectorProcess,
  type CollectorProgram,
} from '../support/kafka-collector-process.js';
import { storedOffsets, violationsOf, violationText } from '../support/offset-oracle.js';

const TOPIC = 'upgrade';
const PARTITIONS = 4;
const PART = 4_000;

/** One in a hundred is poison; of the others nine have a feature that nobody declared. */
const events = (from: number) =>
  Array.from({ length: PART }, (_, i) =>
    i % 100 === 50
      ? '{"model":'
      : JSON.stringify({
          prediction_id: `r${from + i}`,
          model: 'churn',
          model_version: '1',
          timestamp: '2026-01-01T00:00:00Z',
          features: { age: i % 90, ...(i % 10 === 0 ? { isNew: 1 } : {}) },
          prediction: i % 2,
          prediction_proba: 0.5,
        }),
  );

/** Predictions by the release that wrote them. */
async function writtenBy(location: StoreLocation) {
  const client = await createStoreClient(location);
  try {
    const [found] = await client.query<Record<'before' | 'after' | 'undeclared' | 'together', number>>(
      `SELECT toUInt32(countIf(next_release = 0)) AS before, toUInt32(countIf(next_release = 1)) AS after,
         toUInt32(countIf(mapContains(num, 'isNew'))) AS undeclared,
         before > 0 AND after > 0 AND minIf(ingested_at, next_release = 1) < maxIf(ingested_at, next_release = 0) AS together
       FROM predictions`,
    );
    if (found === undefined) throw new Error('no answer');
    return found;
  } finally {
    await client.close();
  }
}
const wroteTogether = async (location: StoreLocation) => (await writtenBy(location)).together === 1;

describe('an upgrade while rows come in', () => {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-upgrade-'));
  let broker: KafkaBroker;
  let bridge: BridgeProcess;
  let programs: CollectorProgram[] = [];
  const running: CollectorProcess[] = [];
  beforeAll(async () => {
    broker = await startKafkaBroker();
    await broker.createTopic(TOPIC, PARTITIONS);
    bridge = await startBridgeProcess({ dataDir: join(directory, 'data') });
    programs = [await buildCollectorProgram(), await buildCollectorProgram('next')];
  });
  afterAll(async () => {
    for (const process of running) await process.kill();
    for (const program of programs) program.remove();
    await bridge?.kill();
    await broker?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('tables change under a release that writes, two releases write at once, and every offset is stored once', async () => {
    const location: StoreLocation = {
      kind: 'http',
      url: bridge.url,
      database: 'plumbline',
      username: 'default',
      password: '',
    };
    const [current, next] = programs;
    const start = (program: CollectorProgram | undefined) => {
      if (program === undefined) throw new TypeError('it was not built');
      const process = program.start({
        location,
        brokers: [broker.address],
        group: 'upgrade',
        predictions: [TOPIC],
        labels: [],
        limits: { maxRows: 200, lingerMs: 50 },
        register: [
          {
            model: 'churn',
            modelVersion: '1',
            schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
            registeredAtMs: 0,
          },
        ],
      });
      running.push(process);
      return process;
    };
    let produced = 0;
    const produce = async () => {
      for (let partition = 0; partition < PARTITIONS; partition += 1)
        await broker.produce(TOPIC, events(produced + partition * PART), { partition });
      produced += PARTITIONS * PART;
    };
    const committed = async () =>
      (await broker.committed('upgrade', TOPIC)).reduce((sum, { offset }) => sum + Math.max(0, offset), 0);
    const alive = (...processes: CollectorProcess[]) => {
      for (const process of processes)
        if (process.exitCode() !== null || / failed, the partition waits/.test(process.log()))
          throw new Error(`a collector ended, or could not insert:\n${process.log().slice(-3_000)}`);
      return true;
    };

    const old = start(current);
    await until('the old release reads', () => alive(old) && old.ready());
    await produce();
    await until('some is stored', async () => alive(old) && (await committed()) > 1_000);
    // Its first act is to migrate, while the other one writes.
    const upgraded = start(next);
    await until('the new release has its share', () => alive(old, upgraded) && upgraded.ready());
    // How partitions are shared out, and when, is the group's business: until both have had a part at the same time.
    for (let parts = 0; parts < 5 && !(await wroteTogether(location)); parts += 1) {
      await produce();
      await until(
        'all is stored',
        async () => alive(old, upgraded) && (await committed()) === produced,
        120_000,
      );
    }
    expect(await wroteTogether(location)).toBe(true);
    old.signal('SIGTERM');
    await until('the old release is gone', () => old.exitCode() !== null);
    expect(old.exitCode()).toBe(0);
    await produce();
    await until(
      'the rest is stored',
      async () => alive(upgraded) && (await committed()) === produced,
      120_000,
    );

    const ends = new Map([[TOPIC, await broker.endOffsets(TOPIC)]]);
    expect(violationsOf(ends, await storedOffsets(location, [TOPIC])).map(violationText)).toEqual([]);
    const { before, after, undeclared } = await writtenBy(location);
    expect(before + after).toBe(produced * 0.99);
    expect(after).toBeGreaterThanOrEqual(PARTITIONS * PART * 0.99);
    expect(undeclared).toBe(produced * 0.09);
  }, 400_000);
});
