import { setTimeout as delay } from 'node:timers/promises';
import { type Outcome, type Round, redoneIn, withDelivery } from './delivery-scenarios.js';
import { until } from './kafka-collect.js';
import type { CollectorProcess } from './kafka-collector-process.js';

const MEMBERS = 3;
const THIRDS = 3;
/** In each third, 2 to 3 s apart; a third without progress goes on for a few times as many. */
const BLOWS = 5;
const PATIENCE = 4;
/** Records that may wait, ten ranges of each partition: a storm hardly lets anything through, and what it leaves would keep a slow machine long. */
const BACKLOG = 3_500;

/**
 * A rebalance storm: of three members one is killed or told to end every 2 to 3 s and another one joins, while records come in. In the
 * second third one more sleeps for longer than its session, and goes on in the last. Something has to be committed in each third.
 */
export const stormMembers = (round: Round): Promise<Outcome> =>
  withDelivery(round, 'http', async (delivery) => {
    const started: CollectorProcess[] = [];
    const running: CollectorProcess[] = [];
    const told: CollectorProcess[] = [];
    const struck: string[] = [];
    const violations: string[] = [];
    const begin = () => {
      const process = delivery.start();
      started.push(process);
      running.push(process);
    };
    const pick = (): CollectorProcess => {
      const known = running.filter((process) => /^pid \d+$/m.test(process.log()));
      const victim = known[Math.floor(known.length * round.random())];
      if (victim === undefined) throw new Error('no process has begun');
      running.splice(running.indexOf(victim), 1);
      return victim;
    };
    const strike = async () => {
      const signal = struck.length % 2 === 0 ? 'SIGKILL' : 'SIGTERM';
      struck.push(signal);
      const victim = pick();
      if (signal === 'SIGKILL') await victim.kill();
      else {
        told.push(victim);
        victim.signal('SIGTERM');
      }
      while (running.length < MEMBERS) begin();
    };

    for (let member = 0; member < MEMBERS; member += 1) begin();
    await until('all have partitions', () => running.every((process) => process.ready()));
    let over = false;
    const produce = async () => {
      for (let produced = 0; !over; await delay(300)) {
        if (produced - (await delivery.committed()) > BACKLOG) continue;
        await delivery.produce(100);
        produced += 350;
      }
    };
    const storm = async () => {
      let zombie: CollectorProcess | null = null;
      for (let third = 1; third <= THIRDS; third += 1) {
        if (third === 2) {
          zombie = pick();
          zombie.signal('SIGSTOP');
          struck.push('SIGSTOP');
          begin();
        }
        if (third === 3 && zombie !== null) {
          zombie.signal('SIGCONT');
          running.push(zombie);
        }
        const before = await delivery.committed();
        let done = before;
        for (let blow = 1; blow <= BLOWS || (done === before && blow <= PATIENCE * BLOWS); blow += 1) {
          await delay(2_000 + 1_000 * round.random());
          if (over) return;
          await strike();
          done = await delivery.committed();
        }
        if (done === before) violations.push(`nothing was committed in third ${third} of the storm`);
        violations.push(...(await delivery.commitViolations()));
      }
    };
    const end = () => {
      over = true;
    };
    // When one of them fails the other ends, too, before the processes do.
    const ended = await Promise.allSettled([produce().finally(end), storm().finally(end)]);
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    await delivery.untilDone(...running);
    await until('those that were told to end have', () =>
      told.every((process) => process.exitCode() !== null),
    );
    violations.push(
      ...told
        // 143: it had not begun.
        .filter((process) => process.exitCode() !== 0 && process.exitCode() !== 143)
        .map((process) => `a member ended with ${process.exitCode()} at SIGTERM`),
      ...(await delivery.violations()),
    );
    return { violations, redone: redoneIn(...started), struck };
  });
