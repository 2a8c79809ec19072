import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BRIDGE_PASSWORD, type Delivery, type DeliveryRig, startDeliveryRig } from './delivery-rig.js';
import { freePort } from './free-port.js';
import type { GuardedProcess } from './guarded-process.js';
import type { KafkaBroker } from './kafka-broker.js';
import { until } from './kafka-collect.js';
import { startService } from './service-process.js';

export type Away = 'store' | 'brokers';

/** How the service was at one moment of the outage. */
interface Sample {
  readonly ready: boolean;
  readonly reason: string;
  readonly alive: boolean;
  readonly rssMb: number;
  /** Rows read and not stored. */
  readonly pending: number;
  /** Whether the group is stable with this one member; null without brokers. */
  readonly member: boolean | null;
  /** Offsets committed; null without brokers. */
  readonly committed: number | null;
}

export interface OutageReport {
  readonly away: Away;
  readonly minutes: number;
  readonly samples: number;
  /** Records written before, during and after. */
  readonly records: number;
  /** What `/readyz` said at last. */
  readonly reason: string;
  /** Least in the first half of the outage, in its second, and when it had caught up. */
  readonly rssMb: readonly [number, number, number];
  readonly notReadyAfterSeconds: number;
  readonly readyAgainAfterSeconds: number;
  readonly caughtUpAfterSeconds: number;
  readonly violations: readonly string[];
}

const EVERY_MS = 5_000;
/** Of each partition, about each second. */
const RATE = 100;
/** Of each partition: the service buffers 50,000 rows, and inserts as many. */
const BACKLOG = 110_000;
/** Readiness is lost within this time; the group and what is held stand still afterwards. */
const SETTLED_MS = 45_000;
/**
 * More than this between the halves of an outage is growth. Of each the least counts, which is what is left after a collection of garbage: one
 * that has nothing to do may not collect a hundred megabytes for minutes.
 */
const FLAT_MB = 32;
const CATCH_UP_MS = 600_000;

/** Takes the store or the brokers away from the built service for so long, while records come in, and looks at it all the time. */
export async function sitOut(
  away: Away,
  minutes: number,
  progress: (text: string) => void,
): Promise<OutageReport> {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-outage-'));
  const rig = await startDeliveryRig();
  let service: GuardedProcess | null = null;
  try {
    const delivery = await rig.open(`outage-${away}`, 'http');
    const url = `http://127.0.0.1:${await freePort()}`;
    service = await serve(rig, delivery, directory, url);
    return await watchOutage({ rig, delivery, service, url, away, minutes, progress });
  } finally {
    await service?.kill();
    await rig.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function serve(
  rig: DeliveryRig<KafkaBroker>,
  delivery: Delivery,
  directory: string,
  url: string,
): Promise<GuardedProcess> {
  const configFile = join(directory, 'plumbline.yaml');
  const [predictions, labels] = delivery.topics;
  writeFileSync(
    configFile,
    JSON.stringify({
      roles: ['collector'],
      store: { url: rig.bridge.url, database: 'plumbline', passwordEnv: 'OUTAGE_PASSWORD' },
      http: { port: Number(new URL(url).port) },
      kafka: {
        brokers: rig.broker.addresses,
        group: delivery.group,
        predictions: [predictions],
        labels: [labels],
      },
      log: { level: 'warn' },
    }),
  );
  return startService({
    configFile,
    url,
    logFile: join(directory, 'service.log'),
    env: { OUTAGE_PASSWORD: BRIDGE_PASSWORD },
  });
}

interface Watched {
  readonly rig: DeliveryRig<KafkaBroker>;
  readonly delivery: Delivery;
  readonly service: GuardedProcess;
  readonly url: string;
  readonly away: Away;
  readonly minutes: number;
  readonly progress: (text: string) => void;
}

async function watchOutage(watched: Watched): Promise<OutageReport> {
  const { rig, delivery, service, away, minutes, progress } = watched;
  const violations: string[] = [];
  const wrong = (text: string) => {
    violations.push(text);
    progress(`WRONG: ${text}`);
  };
  let records = 0;
  const produce = async (each = RATE) => {
    await delivery.produce(each);
    records += 3.5 * each;
  };
  const seconds = (sinceMs: number) => Math.round((performance.now() - sinceMs) / 100) / 10;

  for (let time = 0; time < 20; time += 1) await produce();
  await delivery.untilDone();

  const goneMs = performance.now();
  if (away === 'store') await rig.stopStore();
  else await rig.broker.kill();
  progress(`the ${away} are away for ${minutes} min`.replace('store are', 'store is'));
  // More than it may hold, so that it has to pause.
  if (away === 'store') await produce(BACKLOG);
  const samples: Sample[] = [];
  let notReadyAfterSeconds = Number.NaN;
  let nextMs = goneMs;
  while (performance.now() < goneMs + minutes * 60_000) {
    // Without brokers nobody can write to them.
    if (away === 'store') await produce();
    await delay(1_000);
    if (performance.now() < nextMs) continue;
    nextMs = performance.now() + EVERY_MS;
    if (service.exitCode() !== null) throw new Error(`the service ended:\n${service.tail()}`);
    const sample = await look(watched);
    samples.push(sample);
    const settled = performance.now() > goneMs + SETTLED_MS;
    if (!sample.ready && Number.isNaN(notReadyAfterSeconds)) notReadyAfterSeconds = seconds(goneMs);
    if (!sample.alive) wrong(`not alive after ${seconds(goneMs)} s`);
    if (settled && sample.ready) wrong(`ready after ${seconds(goneMs)} s without the ${away}`);
    if (settled && sample.member === false) wrong(`not a member of the group after ${seconds(goneMs)} s`);
    progress(
      `${Math.round(seconds(goneMs))} s: ${sample.ready ? 'ready' : 'not ready'}, resident ${sample.rssMb} MB, ${sample.pending} rows held, ${sample.reason.slice(0, 120)}`,
    );
  }
  const stood = samples.slice(Math.ceil(((SETTLED_MS + EVERY_MS) / (minutes * 60_000)) * samples.length));
  if (stood.length === 0) throw new Error(`an outage of ${minutes} min is too short to look at`);
  if (new Set(stood.map(({ committed }) => committed)).size > 1)
    wrong('offsets were committed without the store');
  // Partitions with room take what trickles in, until all together hold what they may.
  const late = stood.slice(Math.floor(stood.length / 2));
  if (new Set(late.map(({ pending }) => pending)).size > 1)
    wrong(`it went on reading: ${late.map(({ pending }) => pending).join(', ')} rows held`);

  if (away === 'store') await rig.startStore();
  else await rig.broker.restart();
  const backMs = performance.now();
  progress('back');
  await produce();
  await until('it is ready again', async () => (await look(watched)).ready, CATCH_UP_MS, 500);
  const readyAgainAfterSeconds = seconds(backMs);
  await delivery.untilDone();
  const caughtUpAfterSeconds = seconds(backMs);
  const after = await look(watched);
  const least = (some: readonly Sample[]) => Math.min(...some.map(({ rssMb }) => rssMb));
  const half = Math.ceil(stood.length / 2);
  const rssMb = [least(stood.slice(0, half)), least(stood.slice(-half)), after.rssMb] as const;
  if (rssMb[1] > rssMb[0] + FLAT_MB)
    wrong(`memory grew from ${rssMb[0]} to ${rssMb[1]} MB during the outage`);
  violations.push(...(await delivery.violations()));
  return {
    away,
    minutes,
    samples: samples.length,
    records,
    reason: samples.at(-1)?.reason ?? '',
    rssMb,
    notReadyAfterSeconds,
    readyAgainAfterSeconds,
    caughtUpAfterSeconds,
    violations,
  };
}

async function look({ rig, delivery, service, url, away }: Watched): Promise<Sample> {
  const [readiness, liveness, metrics] = await Promise.all([
    fetch(`${url}/readyz`).then(async (response) => {
      const { reason = '' } = (await response.json()) as { reason?: string };
      return { ready: response.ok, reason };
    }),
    fetch(`${url}/healthz`),
    fetch(`${url}/metrics`).then((response) => response.text()),
  ]);
  const gauge = (name: string) =>
    Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(metrics)?.[1]);
  const brokers = await rig.broker
    .withAdmin(async (admin) => {
      const { groups } = await admin.describeGroups([delivery.group]);
      return groups[0];
    })
    .catch((error: unknown) => {
      if (away === 'brokers') return null;
      throw error;
    });
  return {
    ready: readiness.ready,
    reason: readiness.reason,
    alive: liveness.ok,
    rssMb: residentMb(service.pid()),
    pending: gauge('plumbline_kafka_pending_rows'),
    member: brokers === null ? null : brokers?.state === 'Stable' && brokers.members.length === 1,
    committed: brokers === null ? null : await delivery.committed(),
  };
}

function residentMb(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kibibytes) / 1_024);
}
