import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import type { ModelVersion } from '../../src/domain/model.js';
import type { StoreLocation } from '../../src/store/client.js';
import { createStore } from '../../src/store/store.js';
import { type ClickHouseBridge, startClickHouseBridge } from './clickhouse-bridge.js';
import type { CollectorFaults } from './collector-faults.js';
import { untilCommitted } from './delivery-progress.js';
import { type KafkaBroker, startKafkaBroker } from './kafka-broker.js';
import { buildCollectorProgram, type CollectorProcess } from './kafka-collector-process.js';
import type { KafkaLog } from './kafka-log.js';
import {
  firstMissing,
  placeOf,
  type StoredOffset,
  storedOffsets,
  violationsOf,
  violationText,
} from './offset-oracle.js';
import { createSilentLogger } from './silent-logger.js';

const PREDICTION_PARTITIONS = 3;
/** Records of one range at most: many ranges of few records give many steps to strike at. */
export const RANGE = 100;
export const BRIDGE_PASSWORD = 'test-only';

export interface StartOptions {
  readonly faults?: CollectorFaults;
  /** The version that is not registered at first is. */
  readonly late?: boolean;
  /** Port in front of the store or of the brokers, where a proxy stands. */
  readonly storePort?: number;
  readonly brokerPort?: number;
  readonly retryForMs?: number;
  readonly sessionTimeoutMs?: number;
}

/** One run: topics, a group, a model and (embedded) a data directory of its own. */
export interface Delivery {
  readonly group: string;
  readonly topics: readonly string[];
  /** A collector process; ended with the run. */
  readonly start: (options?: StartOptions) => CollectorProcess;
  /** Writes this many records to each partition of predictions, and half as many labels; without poison if so said. */
  readonly produce: (records: number, options?: { readonly poison?: boolean }) => Promise<void>;
  /** The registry change: from here on a tenth of the predictions is of a known version. */
  readonly registerLate: () => Promise<void>;
  /** Until everything produced is committed. Rejects when one of the processes ends before, or when nothing more is committed. */
  readonly untilDone: (...running: readonly CollectorProcess[]) => Promise<void>;
  /** Offsets committed by now, over all partitions. */
  readonly committed: () => Promise<number>;
  /** What is wrong with what is committed at this moment: nothing at or beyond a missing offset may be. */
  readonly commitViolations: () => Promise<string[]>;
  /** What is wrong at the end; empty when every offset is stored once. */
  readonly violations: () => Promise<string[]>;
  readonly end: () => Promise<void>;
}

export interface DeliveryRig<Log extends KafkaLog = KafkaLog> {
  readonly broker: Log;
  readonly bridge: ClickHouseBridge;
  readonly open: (name: string, kind: StoreLocation['kind']) => Promise<Delivery>;
  /** Nothing answers at the store's port until it is started again. */
  readonly stopStore: () => Promise<void>;
  readonly startStore: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A real broker, the collector as a program, the real engine inside it or behind the HTTP bridge. */
export const startDeliveryRig = (
  options: Parameters<typeof startKafkaBroker>[0] = {},
): Promise<DeliveryRig<KafkaBroker>> => startDeliveryRigOn(startKafkaBroker(options));

/** The same on other brokers, which are stopped with it. */
export async function startDeliveryRigOn<Log extends KafkaLog & { readonly stop: () => Promise<void> }>(
  starting: Promise<Log>,
): Promise<DeliveryRig<Log>> {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-delivery-'));
  const startBridge = (port?: number) =>
    startClickHouseBridge({
      dataDir: join(directory, 'shared'),
      password: BRIDGE_PASSWORD,
      ...(port === undefined ? {} : { port }),
    });
  const [broker, program, oracle, firstBridge] = await Promise.all([
    starting,
    buildCollectorProgram(),
    buildOracle(),
    startBridge(),
  ]);
  let bridge = firstBridge;
  const shared = {
    kind: 'http' as const,
    url: bridge.url,
    database: 'plumbline',
    username: 'default',
    password: BRIDGE_PASSWORD,
  };
  const store = await createStore({ ...shared, logger: createSilentLogger() });
  await store.migrate();

  async function open(name: string, kind: StoreLocation['kind']): Promise<Delivery> {
    const topics = { predictions: `${name}-predictions`, labels: `${name}-labels` };
    const names = Object.values(topics);
    const dataDir = join(directory, name);
    const location: StoreLocation = kind === 'http' ? shared : { kind, dataDir };
    const version = (modelVersion: string): ModelVersion => ({
      model: name,
      modelVersion,
      schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
      registeredAtMs: 0,
    });
    await Promise.all([
      broker.createTopic(topics.predictions, PREDICTION_PARTITIONS),
      broker.createTopic(topics.labels, 1),
    ]);
    if (kind === 'http') await store.saveModel(version('1'));
    const started: CollectorProcess[] = [];
    let produced = 0;

    const ends = async () =>
      new Map(
        await Promise.all(
          names.map(async (topic): Promise<[string, number[]]> => [topic, await broker.endOffsets(topic)]),
        ),
      );
    const committedOffsets = async () =>
      new Map(
        await Promise.all(
          names.map(
            async (topic): Promise<[string, number[]]> => [
              topic,
              (await broker.committed(name, topic)).map(({ offset }) => Math.max(0, offset)),
            ],
          ),
        ),
      );
    const committed = async () =>
      [...(await committedOffsets()).values()].flat().reduce((total, offset) => total + offset, 0);
    const stored = async (): Promise<StoredOffset[]> => {
      if (kind === 'http') return storedOffsets(location, names);
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [oracle.program, JSON.stringify(location), ...names],
        { maxBuffer: 512 * 1_024 * 1_024 },
      );
      return JSON.parse(stdout);
    };

    return {
      group: name,
      topics: names,
      start: ({ faults = {}, late = false, storePort, brokerPort, retryForMs, sessionTimeoutMs } = {}) => {
        const process = program.start({
          location:
            kind === 'http' && storePort !== undefined
              ? { ...shared, url: `http://127.0.0.1:${storePort}` }
              : location,
          brokers: brokerPort === undefined ? broker.addresses : [`127.0.0.1:${brokerPort}`],
          group: name,
          predictions: [topics.predictions],
          labels: [topics.labels],
          limits: { maxRows: RANGE, lingerMs: 50 },
          faults: { recordsPerTake: RANGE, ...faults },
          ...(retryForMs === undefined ? {} : { retryForMs }),
          ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
          ...(kind === 'http' ? {} : { register: late ? [version('1'), version('2')] : [version('1')] }),
        });
        started.push(process);
        return process;
      },
      produce: async (records, { poison = true } = {}) => {
        const offsets = (count: number, from: number) => Array.from({ length: count }, (_, i) => from + i);
        await Promise.all([
          ...offsets(PREDICTION_PARTITIONS, 0).map((partition) =>
            broker.produce(
              topics.predictions,
              offsets(records, produced).map((offset) =>
                predictionAt(name, topics.predictions, partition, offset, poison),
              ),
              { partition },
            ),
          ),
          broker.produce(
            topics.labels,
            offsets(records / 2, produced / 2).map((offset) => labelAt(name, topics.labels, offset, poison)),
            { partition: 0 },
          ),
        ]);
        produced += records;
      },
      registerLate: () => store.saveModel(version('2')),
      untilDone: async (...running) => {
        const produced = await ends();
        const all = [...produced.values()].flat().reduce((total, end) => total + end, 0);
        try {
          await untilCommitted(all, committed, running);
        } catch (error) {
          const missing = { of: [...produced], committed: [...(await committedOffsets())] };
          const logs = running.map((process) => process.log().slice(-4_000)).join('\n---\n');
          throw new Error(`${String(error)}\n${JSON.stringify(missing)}\n${logs}`, { cause: error });
        }
      },
      committed,
      commitViolations: async () => {
        // In this order: what is stored meanwhile does no harm.
        const commits = await committedOffsets();
        const rows = await stored();
        return [...commits].flatMap(([topic, offsets]) =>
          offsets.flatMap((offset, partition) => {
            const first = firstMissing(rows, topic, partition);
            return offset <= first
              ? []
              : [`${topic}/${partition}: committed ${offset}, and ${first} is not stored`];
          }),
        );
      },
      violations: async () => violationsOf(await ends(), await stored(), { placed: true }).map(violationText),
      end: async () => {
        await Promise.all(started.map((process) => process.kill()));
        await Promise.all(names.map(broker.deleteTopic));
        rmSync(dataDir, { recursive: true, force: true });
      },
    };
  }

  return {
    broker,
    get bridge() {
      return bridge;
    },
    open,
    stopStore: () => bridge.stop(),
    startStore: async () => {
      bridge = await startBridge(Number(new URL(bridge.url).port));
    },
    stop: async () => {
      await store.close();
      await bridge.stop();
      program.remove();
      oracle.remove();
      await broker.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** In each hundred: two are poison, ten are of a version that is registered late. Named by their place. */
function predictionAt(
  model: string,
  topic: string,
  partition: number,
  offset: number,
  poison: boolean,
): string {
  if (poison && offset % 50 === 7) return '{"model":';
  return JSON.stringify({
    prediction_id: placeOf(topic, partition, offset),
    model,
    model_version: offset % 10 === 3 ? '2' : '1',
    timestamp: '2026-01-01T00:00:00Z',
    features: { age: offset % 90 },
    prediction: offset % 2,
  });
}

function labelAt(model: string, topic: string, offset: number, poison: boolean): string {
  if (poison && offset % 50 === 7) return '[';
  const place = { prediction_id: placeOf(topic, 0, offset), model, model_version: '1' };
  return JSON.stringify({ ...place, label: offset % 2, timestamp: '2026-01-01T00:00:00Z' });
}

/** Built inside the repository so that it finds chdb in node_modules. */
async function buildOracle(): Promise<{ program: string; remove: () => void }> {
  mkdirSync(resolve('build'), { recursive: true });
  const directory = mkdtempSync(resolve('build/offset-oracle-'));
  const program = join(directory, 'oracle.mjs');
  await build({
    entryPoints: [resolve('test/support/offset-oracle-main.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['chdb', 'chdb/*', '@node-rs/crc32'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  return { program, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
