import { setTimeout as delay } from 'node:timers/promises';
import type { Failpoint, Mistake } from './collector-faults.js';
import type { Delivery, DeliveryRig } from './delivery-rig.js';
import { until } from './kafka-collect.js';
import type { CollectorProcess } from './kafka-collector-process.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

/** What one run came to. It rejects when it could not be carried out: then nothing is proven, either way. */
export interface Outcome {
  readonly violations: readonly string[];
  /** Ranges that were announced by a member that died, and were repeated. */
  readonly redone: number;
  /** Where the blow fell, one for each kill. */
  readonly struck: readonly string[];
}

export interface Round {
  readonly rig: DeliveryRig;
  /** Unique for the rig. */
  readonly name: string;
  /** From 1: strikes elsewhere each time. */
  readonly round: number;
  /** In [0, 1). */
  readonly random: () => number;
}

export const RECORDS = 1_000;

/** Which visit of its point a round strikes: early at first, then up to the eighth. */
export const visitOf = (round: number) => 1 + ((3 * round) % 8);

export const redoneIn = (...processes: readonly CollectorProcess[]) =>
  processes.reduce((total, process) => total + process.log().split('"reason":"redo"').length - 1, 0);

export const isStruck = (process: CollectorProcess, point: Failpoint) =>
  process.log().includes(`\nfailpoint ${point}\n`);

async function untilStruck(process: CollectorProcess, point: Failpoint): Promise<void> {
  await until(`the end at ${point}`, () => process.exitCode() !== null);
  if (!isStruck(process, point))
    throw new Error(`the collector ended elsewhere than at ${point}:\n${process.log()}`);
}

export async function withDelivery<T>(
  { rig, name }: Pick<Round, 'rig' | 'name'>,
  kind: 'embedded' | 'http',
  use: (delivery: Delivery) => Promise<T>,
): Promise<T> {
  const delivery = await rig.open(name, kind);
  try {
    return await use(delivery);
  } finally {
    await delivery.end();
  }
}

/** The only process is killed at the point; a version is registered; another process goes on in the same data directory. */
export const strikeAlone = (round: Round, point: Failpoint, mistake?: Mistake): Promise<Outcome> =>
  withDelivery(round, 'embedded', async (delivery) => {
    await delivery.produce(RECORDS);
    const made = mistake === undefined ? {} : { mistake };
    const first = delivery.start({ faults: { failpoint: { point, nth: visitOf(round.round) }, ...made } });
    await untilStruck(first, point);
    const early = await delivery.commitViolations();
    const second = delivery.start({ late: true, faults: made });
    await delivery.untilDone(second);
    await second.kill();
    return {
      violations: [...early, ...(await delivery.violations())],
      redone: redoneIn(second),
      struck: [point],
    };
  });

/** One of two members over HTTP is killed at the point; a version is registered; the other takes its partitions over. */
export const strikeMember = (round: Round, point: Failpoint): Promise<Outcome> =>
  withDelivery(round, 'http', async (delivery) => {
    const failpoint = { point, nth: visitOf(round.round) };
    const [first, second] = await startPair(delivery, { faults: { failpoint } });
    await delivery.produce(RECORDS);
    await untilStruck(first, point);
    return takeOver(delivery, second, point);
  });

export async function startPair(delivery: Delivery, options: Parameters<Delivery['start']>[0]) {
  const pair = [delivery.start(options), delivery.start()] as const;
  await until('both have partitions', () => pair.every((process) => process.ready()));
  return pair;
}

export async function takeOver(
  delivery: Delivery,
  second: CollectorProcess,
  struck: string,
): Promise<Outcome> {
  const early = await delivery.commitViolations();
  await delivery.registerLate();
  await delivery.untilDone(second);
  return {
    violations: [...early, ...(await delivery.violations())],
    redone: redoneIn(second),
    struck: [struck],
  };
}

/** Finds the nth insert into a table among what goes through a proxy. */
export function insertFinder(table: string, nth: number) {
  const head = new RegExp(`^POST [^\\r]*INSERT(\\+|%20)INTO(\\+|%20)${table}(\\+|%20)`);
  let seen = 0;
  return (bytes: Buffer) => {
    if (!head.test(bytes.toString('latin1', 0, 4_096))) return false;
    seen += 1;
    return seen === nth;
  };
}

/** The member is killed while its insert is on the way: the server gets the head and a part of the body. */
export const cutInsert = (round: Round, table: 'predictions' | 'rejected'): Promise<Outcome> =>
  withProxy(storePort(round), (proxy) =>
    withDelivery(round, 'http', async (delivery) => {
      const isMeant = insertFinder(table, visitOf(round.round));
      let cut = false;
      proxy.fault = ({ direction, bytes }) => {
        if (cut || direction === 'down' || !isMeant(bytes)) return null;
        cut = true;
        return { pass: bytes.indexOf('\r\n\r\n') + 4 + 100 * round.round, end: 'silence' };
      };
      const [first, second] = await startPair(delivery, { storePort: proxy.port });
      await delivery.produce(RECORDS);
      await until('an insert is cut', () => cut);
      await first.kill();
      return takeOver(delivery, second, `mid_body of ${table}`);
    }),
  );

/**
 * The member is killed when its insert has left it and has not arrived. It arrives late: while the other member waits for the partitions,
 * repairs the range, or is done.
 */
export const delayInsert = (
  round: Round,
  table: 'predictions' | 'rejected',
  options: {
    readonly mistake?: Mistake;
    readonly arrives: 'any time' | 'at the end';
    readonly poison?: boolean;
  },
): Promise<Outcome> =>
  withProxy(storePort(round), (proxy) =>
    withDelivery(round, 'http', async (delivery) => {
      const { mistake, arrives, poison = true } = options;
      const held = holdInsert(proxy, insertFinder(table, visitOf(round.round)));
      const made = mistake === undefined ? {} : { faults: { mistake } };
      const [first, second] = await startPair(delivery, { storePort: proxy.port, ...made });
      await delivery.produce(RECORDS, { poison });
      await until('an insert is held', held.whole);
      await first.kill();
      const lateMs = 4_000 + 6_000 * round.random();
      if (arrives === 'any time') void delay(lateMs).then(held.release);
      const outcome = await takeOver(delivery, second, `${table} arrives ${arrives}`);
      held.release();
      await until('the late insert is answered', held.answered);
      return { ...outcome, violations: [...outcome.violations, ...(await delivery.violations())] };
    }),
  );

export const storePort = ({ rig }: Pick<Round, 'rig'>) => Number(new URL(rig.bridge.url).port);

export async function withProxy<T>(target: number, use: (proxy: TcpProxy) => Promise<T>): Promise<T> {
  const proxy = await startTcpProxy(target);
  try {
    return await use(proxy);
  } finally {
    await proxy.stop();
  }
}

/** Keeps one request back, whole. */
function holdInsert(proxy: TcpProxy, isMeant: (bytes: Buffer) => boolean) {
  let release: () => void = () => undefined;
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  let connection: number | null = null;
  let released = false;
  let whole = false;
  let answered = false;
  proxy.fault = (chunk) => {
    if (connection === null && chunk.direction === 'up' && isMeant(chunk.bytes))
      connection = chunk.connection;
    if (chunk.connection !== connection) return null;
    if (chunk.direction === 'down') {
      answered ||= released;
      return null;
    }
    // The last chunk of a chunked body.
    whole ||= chunk.bytes.subarray(-5).toString('latin1') === '0\r\n\r\n';
    return { until };
  };
  return {
    whole: () => whole,
    answered: () => answered,
    release: () => {
      released = true;
      release();
    },
  };
}
