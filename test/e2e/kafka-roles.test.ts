import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Verdict } from '../../src/domain/verdict.js';
import { createStoreClient, type StoreLocation } from '../../src/store/client.js';
import { type BridgeProcess, startBridgeProcess } from '../support/clickhouse-bridge-process.js';
import {
  countByDay,
  dayOf,
  FLIGHTS_MODEL,
  FLIGHTS_REFERENCE,
  firstFlights,
  idOf,
} from '../support/flight-events.js';
import { freePort } from '../support/free-port.js';
import type { GuardedProcess } from '../support/guarded-process.js';
import { type KafkaBroker, startKafkaBroker } from '../support/kafka-broker.js';
import { plumbline, startService, until } from '../support/service-process.js';
import { verdictDifferences } from '../support/verdict-differences.js';

const EVENTS = 50_000;
const PARTITIONS = 3;
const POISON = ['not json', '[1,2]', '{"prediction_id":"p","model":"nobody","model_version":"1"}'];

const { predictions, labels } = firstFlights(EVENTS);
const total = EVENTS + POISON.length + labels.length;
const byDay = countByDay(predictions);
const labelled = new Set(labels.map(idOf));
const labelledByDay = countByDay(predictions.filter((line) => labelled.has(idOf(line))));
/** The last day is cut short by the number of events, and nothing after it says that it is over. */
const lastDay = dayOf(predictions.at(-1) ?? '');
byDay.delete(lastDay);
// The stream begins at ten in the morning: its first day is not whole, and is not judged.
byDay.delete(dayOf(predictions[0] ?? ''));

interface OffsetAudit {
  readonly topic: string;
  readonly partition: number;
  /** Rows in predictions, labels and rejected. */
  readonly rows: number;
  readonly offsets: number;
  readonly first: number;
  readonly last: number;
}

async function auditOffsets(location: StoreLocation): Promise<OffsetAudit[]> {
  const client = await createStoreClient(location);
  try {
    return await client.query<OffsetAudit>(
      `SELECT splitByChar('@', source_topic)[1] AS topic, source_partition AS partition, toUInt32(count()) AS rows,
         toUInt32(uniqExact(source_offset)) AS offsets, toInt32(min(source_offset)) AS first, toInt32(max(source_offset)) AS last
       FROM (SELECT source_topic, source_partition, source_offset FROM predictions
             UNION ALL SELECT source_topic, source_partition, source_offset FROM labels
             UNION ALL SELECT source_topic, source_partition, source_offset FROM rejected)
       GROUP BY topic, partition ORDER BY topic, partition`,
    );
  } finally {
    await client.close();
  }
}

async function storedRows(location: StoreLocation): Promise<number> {
  return (await auditOffsets(location)).reduce((sum, { rows }) => sum + rows, 0);
}

async function verdictsOf(url: string, filter: Record<string, string>): Promise<Verdict[]> {
  const query = new URLSearchParams({ version: '1', limit: '10000', ...filter });
  const response = await fetch(`${url}/v1/models/${FLIGHTS_MODEL}/verdicts?${query}`);
  return ((await response.json()) as { verdicts: Verdict[] }).verdicts;
}

/** Waits until one verdict of each whole day counts as many rows as there are. */
async function untilCounted(
  what: string,
  url: string,
  filter: Record<string, string>,
  rowsOf: Map<string, number>,
): Promise<void> {
  let missing: string[] = [];
  const told = () => `every whole day is judged with all its ${what}, but ${missing.join(', ')}`;
  await until(told, 240_000, async () => {
    const counted = new Map(
      (await verdictsOf(url, filter)).map((v) => [
        new Date(v.window.startMs).toISOString().slice(0, 10),
        v.currentRows,
      ]),
    );
    missing = [...byDay.keys()]
      .filter((day) => counted.get(day) !== rowsOf.get(day))
      .map((day) => `${day} (${counted.get(day) ?? 'none'} of ${rowsOf.get(day)})`);
    return missing.length === 0 ? true : null;
  });
}

/** All verdicts of the whole days, once every one of them counts all of its rows and labels; day by day, since an answer is bounded. */
async function settledVerdicts(url: string): Promise<Verdict[]> {
  await untilCounted('rows', url, { feature: 'prediction', detector: 'chiSquare' }, byDay);
  await untilCounted('labels', url, { detector: 'accuracy' }, labelledByDay);
  const settled: Verdict[] = [];
  for (const day of byDay.keys()) {
    const startMs = Date.parse(day);
    const to = new Date(startMs + 86_400_000).toISOString();
    const verdicts = await verdictsOf(url, { from: new Date(startMs).toISOString(), to });
    settled.push(...verdicts.filter((v) => v.window.startMs === startMs));
  }
  return settled;
}

async function register(url: string): Promise<void> {
  const { code, stderr } = await plumbline([
    'model',
    'register',
    FLIGHTS_MODEL,
    '--version',
    '1',
    '--reference',
    FLIGHTS_REFERENCE,
    '--url',
    url,
  ]);
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
}

async function recordsRead(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(/^plumbline_kafka_records_total\{[^}]*\} (\d+)$/gm)].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );
}

describe('flights through a real Kafka broker', () => {
  let directory = '';
  let broker: KafkaBroker;
  let bridge: BridgeProcess | null = null;
  const running = new Set<GuardedProcess>();

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-kafka-roles-'));
    broker = await startKafkaBroker();
    await broker.createTopic('predictions', PARTITIONS);
    await broker.createTopic('labels', 2);
  });
  afterAll(async () => {
    for (const service of running) await service.kill();
    await bridge?.kill();
    await broker?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function prepare(name: string, store: string, roles: string, kafkaGroup: string | null) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const configFile = join(directory, `${name}.yaml`);
    const kafka =
      kafkaGroup === null
        ? ''
        : `kafka: { brokers: ["${broker.address}"], group: ${kafkaGroup}, predictions: [predictions], labels: [labels] }\n`;
    await writeFile(
      configFile,
      `store: ${store}
http: { port: ${port} }
clock: data
jobs: { cron: "* * * * * *" }
log: { level: warn }
defaults: { window: { length: 1d, step: 1d, lateness: 10m } }
${kafka}`,
    );
    const start = async () => {
      const logFile = join(directory, `${name}.log`);
      const service = await startService({ configFile, url, logFile, args: ['--roles', roles] });
      running.add(service);
      return service;
    };
    const kill = async (service: GuardedProcess) => {
      await service.kill();
      running.delete(service);
    };
    return { url, start, kill };
  }

  const expectedOffsets = async (): Promise<OffsetAudit[]> => {
    const rows: OffsetAudit[] = [];
    // The producer may give a partition nothing: then there is nothing to account for.
    for (const topic of ['labels', 'predictions'])
      for (const [partition, end] of (await broker.endOffsets(topic)).entries())
        if (end > 0) rows.push({ topic, partition, rows: end, offsets: end, first: 0, last: end - 1 });
    return rows;
  };
  let verdictsOverHttp: Verdict[] = [];

  it('gives the verdicts to compare with: the same events over HTTP into an embedded service', async () => {
    const files = [join(directory, 'predictions.ndjson'), join(directory, 'labels.ndjson')];
    await writeFile(files[0] ?? '', `${predictions.join('\n')}\n`);
    await writeFile(files[1] ?? '', `${labels.join('\n')}\n`);
    const embedded = await prepare(
      'http',
      `{ dataDir: "${join(directory, 'http')}" }`,
      'collector,detector,api',
      null,
    );
    const service = await embedded.start();
    await register(embedded.url);
    const { code, stderr } = await plumbline(['replay', ...files, '--url', embedded.url, '--json']);
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    await until('two looks, some passes apart, find the same', 240_000, async () => {
      const before = verdictsOverHttp;
      verdictsOverHttp = await settledVerdicts(embedded.url);
      if (verdictDifferences(verdictsOverHttp, before).length === 0) return true;
      await delay(5_000);
      return null;
    });
    expect(verdictsOverHttp.some((verdict) => verdict.status === 'drifted')).toBe(true);
    await embedded.kill(service);
  }, 400_000);

  it('two collectors, of which one is killed, store every offset once, and the detector judges as over HTTP', async () => {
    bridge = await startBridgeProcess({ dataDir: join(directory, 'engine'), password: '' });
    const store = `{ url: "${bridge.url}" }`;
    const judge = await prepare('judge', store, 'detector,api', null);
    const judging = await judge.start();
    await register(judge.url);
    const first = await prepare('first', store, 'collector', 'plumbline');
    const second = await prepare('second', store, 'collector', 'plumbline');
    const doomed = await first.start();
    await second.start();

    const location: StoreLocation = {
      kind: 'http',
      url: bridge.url,
      database: 'plumbline',
      username: 'default',
      password: '',
    };
    const half = predictions.length / 2;
    await broker.produce('predictions', predictions.slice(0, half));
    await broker.produce('predictions', POISON);
    await broker.produce('labels', labels);
    await until('both collectors read', 120_000, async () =>
      (await recordsRead(first.url)) > 0 && (await recordsRead(second.url)) > 0 ? true : null,
    );
    const producing = broker.produce('predictions', predictions.slice(half), { codec: 'lz4' });
    await first.kill(doomed);
    const atTheKill = await storedRows(location);
    await producing;

    const expected = await expectedOffsets();
    expect(expected.reduce((sum, { rows }) => sum + rows, 0)).toBe(total);
    expect(atTheKill).toBeLessThan(total);
    const stored = await until('every offset is stored', 240_000, async () => {
      const audit = await auditOffsets(location);
      return audit.reduce((sum, { rows }) => sum + rows, 0) >= total ? audit : null;
    });
    expect(stored).toEqual(expected);
    // What follows from labels is judged in another pass than what is counted of them.
    const deadline = Date.now() + 120_000;
    let differences = [''];
    while (differences.length > 0 && Date.now() < deadline)
      differences = verdictDifferences(await settledVerdicts(judge.url), verdictsOverHttp);
    expect(differences).toEqual([]);
    await judge.kill(judging);
  }, 600_000);

  it('one embedded process that does everything survives kill -9 in the middle, each offset stored once', async () => {
    const dataDir = join(directory, 'embedded');
    const { url, start, kill } = await prepare(
      'embedded',
      `{ dataDir: "${dataDir}" }`,
      'collector,detector,api',
      'embedded',
    );
    // Registered before anything is read: a service without the model would reject its rows.
    const early = await prepare('early', `{ dataDir: "${dataDir}" }`, 'api', null);
    const registrar = await early.start();
    await register(early.url);
    await early.kill(registrar);

    const doomed = await start();
    await until('a part is stored', 120_000, async () => ((await recordsRead(url)) > 10_000 ? true : null));
    await kill(doomed);
    expect(await storedRows({ kind: 'embedded', dataDir })).toBeLessThan(total);
    const service = await start();
    await until('nothing lags', 240_000, async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const lags = [...text.matchAll(/^plumbline_kafka_lag\{[^}]*\} (\d+)$/gm)].map(([, value]) =>
        Number(value),
      );
      return lags.length === PARTITIONS + 2 && lags.every((lag) => lag === 0) ? true : null;
    });
    await kill(service);
    expect(await auditOffsets({ kind: 'embedded', dataDir })).toEqual(await expectedOffsets());
  }, 600_000);
});
