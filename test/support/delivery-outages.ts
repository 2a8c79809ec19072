import { setTimeout as delay } from 'node:timers/promises';
import type { Failpoint, Mistake } from './collector-faults.js';
import {
  insertFinder,
  isStruck,
  type Outcome,
  RECORDS,
  type Round,
  redoneIn,
  startPair,
  storePort,
  takeOver,
  visitOf,
  withDelivery,
  withProxy,
} from './delivery-scenarios.js';
import { until } from './kafka-collect.js';
import type { CollectorProcess } from './kafka-collector-process.js';
import type { ProxyFault, TcpProxy } from './tcp-proxy.js';

/**
 * Nobody dies: an insert is cut on its way to the store, or is stored and its answer gets lost; `end` says how the connection ends. With
 * `silence` the collector waits until its own limit is over (30 s).
 */
export const loseInsert = (
  round: Round,
  options: {
    readonly lost: 'request' | 'answer';
    readonly end?: NonNullable<ProxyFault['end']>;
    readonly mistake?: Mistake;
  },
): Promise<Outcome> =>
  withProxy(storePort(round), (proxy) =>
    withDelivery(round, 'http', async (delivery) => {
      const { lost, end = 'reset', mistake } = options;
      const isMeant = insertFinder('predictions', visitOf(round.round));
      let connection: number | null = null;
      let done = false;
      proxy.fault = (chunk) => {
        if (connection === null && chunk.direction === 'up' && isMeant(chunk.bytes)) {
          connection = chunk.connection;
          if (lost === 'request') {
            done = true;
            return { pass: chunk.bytes.indexOf('\r\n\r\n') + 4 + 50, end };
          }
        }
        if (done || chunk.direction === 'up' || chunk.connection !== connection) return null;
        done = true;
        return { pass: 5 * round.round, end };
      };
      const made = mistake === undefined ? {} : { faults: { mistake } };
      // Nobody waits for it to end, and a busy machine must not end it.
      const process = delivery.start({ storePort: proxy.port, sessionTimeoutMs: 30_000, ...made });
      await delivery.produce(RECORDS);
      await delivery.untilDone(process);
      if (!done) throw new Error('no insert was lost');
      if (process.log().includes('"reason":"redo"'))
        throw new Error('the member was thrown out of its group');
      return { violations: await delivery.violations(), redone: 0, struck: [`${lost} lost, ${end}`] };
    }),
  );

/** SIGTERM in the middle of the work: what is under way is finished, so that the next process has nothing to repeat. */
export const stopGently = (round: Round): Promise<Outcome> =>
  withDelivery(round, 'embedded', async (delivery) => {
    await delivery.produce(3 * RECORDS);
    const first = delivery.start();
    await until('some ranges are stored', () => first.log().includes('step inserted'));
    await delay(200 * round.random());
    first.signal('SIGTERM');
    await until('it ends', () => first.exitCode() !== null);
    if (first.exitCode() !== 0)
      throw new Error(`the collector ended with ${first.exitCode()}:\n${first.log()}`);
    const early = await delivery.commitViolations();
    const second = delivery.start({ late: true });
    await delivery.untilDone(second);
    await second.kill();
    const redone = redoneIn(second);
    const unfinished = redone > 0 ? [`${redone} ranges were announced and not finished at SIGTERM`] : [];
    return {
      violations: [...early, ...unfinished, ...(await delivery.violations())],
      redone,
      struck: ['SIGTERM'],
    };
  });

const joins = (process: CollectorProcess) => process.log().split('joined the group').length - 1;

/** A member sleeps at the point for longer than its session, wakes when the other one is done, and goes on where it was. */
export const wakeZombie = (round: Round, point: Failpoint): Promise<Outcome> =>
  withDelivery(round, 'http', async (delivery) => {
    const failpoint = { point, nth: visitOf(round.round), signal: 'SIGSTOP' as const };
    const [zombie, other] = await startPair(delivery, { faults: { failpoint } });
    await delivery.produce(RECORDS);
    await until(`it sleeps at ${point}`, () => isStruck(zombie, point));
    const asleep = await takeOver(delivery, other, `zombie ${point}`);
    const joined = joins(zombie);
    zombie.signal('SIGCONT');
    await until('it has joined again', () => joins(zombie) > joined);
    const refused = zombie.log().includes('\nstep stale\n');
    await delivery.produce(RECORDS / 2);
    await delivery.untilDone(zombie, other);
    const late = await delivery.violations();
    const unrefused =
      point === 'after_insert' && !refused ? ['the commit of the zombie was not refused'] : [];
    return { ...asleep, violations: [...asleep.violations, ...unrefused, ...late] };
  });

/** The network between collector and brokers: slow, reset again and again, cut in the middle of answers, silent for longer than the session. */
export const breakBrokers = (round: Round, proxy: TcpProxy): Promise<Outcome> =>
  withDelivery(round, 'embedded', async (delivery) => {
    await delivery.produce(3 * RECORDS);
    proxy.latencyMs = 5;
    const process = delivery.start({ brokerPort: proxy.port });
    await until('it reads', () => process.log().includes('step inserted'));
    for (let time = 0; time < 5; time += 1) {
      await delay(400 * round.random());
      proxy.resetAll();
    }
    let bytes = 0;
    proxy.fault = (chunk) => {
      if (chunk.direction === 'up') return null;
      bytes += chunk.bytes.length;
      // Now and then an answer ends in its middle.
      if (bytes < 150_000) return null;
      bytes = 0;
      return { pass: Math.floor(chunk.bytes.length / 2), end: 'reset' };
    };
    await delay(4_000);
    proxy.fault = () => ({ pass: 0, end: 'silence' });
    await delay(8_000);
    proxy.fault = () => null;
    proxy.resetAll();
    await delivery.untilDone(process);
    await process.kill();
    return {
      violations: await delivery.violations(),
      redone: redoneIn(process),
      struck: ['latency, resets, cuts, silence'],
    };
  });
