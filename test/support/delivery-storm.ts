import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../../src/stats/random.js';
import { type Delivery, startDeliveryRig } from './delivery-rig.js';
import { isStruck, type Outcome, type Round, redoneIn, withDelivery } from './delivery-scenarios.js';
import { until } from './kafka-collect.js';
import type { CollectorProcess } from './kafka-collector-process.js';

export interface StormShape {
  /** In each of them something has to be committed. */
  readonly parts: number;
  /** In each part; one without progress goes on for `patience` times as many. */
  readonly blows: number;
  readonly patience: number;
  /** From one blow to the next, ms, at least and at most. */
  readonly between: readonly [number, number];
  /** How long one member sleeps in the middle of an insert: longer than its session. */
  readonly asleepMs: number;
}

const BRIEF: StormShape = {
  parts: 3,
  blows: 5,
  patience: 4,
  between: [2_000, 3_000],
  asleepMs: 12_000,
};
/** A member goes and one comes about every five seconds, and something is committed in each minute. */
const stormOf = (minutes: number): StormShape => ({
  parts: minutes,
  blows: 12,
  patience: 1,
  between: [4_500, 5_500],
  asleepMs: 90_000,
});

const MEMBERS = 3;
/** Records that may wait, ten ranges of each partition: a storm hardly lets anything through, and what it leaves would keep a slow machine long. */
const BACKLOG = 3_500;
/** The insert in which the sleeper falls asleep. */
const SLEEPS_IN = 2;

interface Members {
  readonly allReady: () => boolean;
  readonly running: readonly CollectorProcess[];
  /** One is killed, or told to end, in turns; another one begins. */
  readonly strike: () => Promise<void>;
  readonly add: (process: CollectorProcess) => void;
  readonly struck: readonly string[];
  readonly redone: () => number;
  /** Once those that were told to end have: how they did, where it was not well. */
  readonly badEnds: () => Promise<string[]>;
}

function gatherMembers(delivery: Delivery, random: () => number): Members {
  const started: CollectorProcess[] = [];
  const running: CollectorProcess[] = [];
  const told: CollectorProcess[] = [];
  const struck: string[] = [];
  const fill = () => {
    while (running.length < MEMBERS) {
      const process = delivery.start();
      started.push(process);
      running.push(process);
    }
  };
  fill();
  return {
    running,
    struck,
    allReady: () => running.every((process) => process.ready()),
    add: (process) => {
      started.push(process);
      running.push(process);
    },
    strike: async () => {
      const known = running.filter((process) => /^pid \d+$/m.test(process.log()));
      const victim = known[Math.floor(known.length * random())];
      if (victim === undefined) throw new Error('no process has begun');
      running.splice(running.indexOf(victim), 1);
      const signal = struck.length % 2 === 0 ? 'SIGKILL' : 'SIGTERM';
      struck.push(signal);
      if (signal === 'SIGKILL') await victim.kill();
      else {
        told.push(victim);
        victim.signal('SIGTERM');
      }
      fill();
    },
    redone: () => redoneIn(...started),
    badEnds: async () => {
      await until('those that were told to end have', () =>
        told.every((process) => process.exitCode() !== null),
      );
      return (
        told
          // 143: it had not begun.
          .filter((process) => process.exitCode() !== 0 && process.exitCode() !== 143)
          .map((process) => `a member ended with ${process.exitCode()} at SIGTERM`)
      );
    },
  };
}

interface Sleeper {
  readonly process: CollectorProcess;
  /** Wakes it when it has slept for long enough; true in the call in which it does. */
  readonly wake: () => boolean;
  readonly awake: () => boolean;
  /** Between waking and joining again it must commit nothing: its session is over. */
  readonly violations: () => string[];
}

/** A member that falls asleep in the middle of an insert. */
function startSleeper(delivery: Delivery, asleepMs: number): Sleeper {
  const failpoint = { point: 'mid_insert', nth: SLEEPS_IN, signal: 'SIGSTOP' } as const;
  const process = delivery.start({ faults: { failpoint } });
  let sinceMs: number | null = null;
  let awake = false;
  return {
    process,
    awake: () => awake,
    wake: () => {
      if (awake || !isStruck(process, failpoint.point)) return false;
      sinceMs ??= performance.now();
      if (performance.now() - sinceMs < asleepMs) return false;
      process.signal('SIGCONT');
      awake = true;
      return true;
    },
    violations: () => {
      const [, slept = ''] = process.log().split(`\nfailpoint ${failpoint.point}\n`);
      const [before = ''] = slept.split('joined the group');
      return before.includes('step committed') ? ['a member committed after its session was over'] : [];
    },
  };
}

/**
 * A rebalance storm: of three members one is killed or told to end again and again, and another one joins, while records come in. From the
 * second part on one more falls asleep in the middle of an insert, and goes on when its session is long over.
 */
export const stormMembers = (
  round: Round,
  shape: StormShape = BRIEF,
  partDone: (committed: number) => void = () => undefined,
): Promise<Outcome> =>
  withDelivery(round, 'http', async (delivery) => {
    const { parts, blows, patience, between, asleepMs } = shape;
    const members = gatherMembers(delivery, round.random);
    const violations: string[] = [];
    await until('all have partitions', members.allReady);
    let sleeper: Sleeper | null = null;
    let over = false;

    const produce = async () => {
      for (let produced = 0; !over; await delay(300)) {
        if (produced - (await delivery.committed()) > BACKLOG) continue;
        await delivery.produce(100);
        produced += 350;
      }
    };
    const blow = async () => {
      await delay(between[0] + (between[1] - between[0]) * round.random());
      if (over) return;
      await members.strike();
      if (sleeper?.wake()) members.add(sleeper.process);
    };
    const storm = async () => {
      for (let part = 1; part <= parts; part += 1) {
        if (part === 2) sleeper = startSleeper(delivery, asleepMs);
        const before = await delivery.committed();
        let done = before;
        const goesOn = () => done === before || (part === parts && !sleeper?.awake());
        for (let count = 0; count < blows || (goesOn() && count < patience * blows); count += 1) {
          await blow();
          if (over) return;
          done = await delivery.committed();
        }
        partDone(done - before);
        if (done === before) violations.push(`nothing was committed in part ${part} of the storm`);
        violations.push(...(await delivery.commitViolations()));
      }
    };
    const end = () => {
      over = true;
    };
    // When one of them fails the other ends, too, before the processes do.
    const ended = await Promise.allSettled([produce().finally(end), storm().finally(end)]);
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    const slept = sleeper as Sleeper | null;
    if (!slept?.awake()) throw new Error(`no member slept for ${asleepMs} ms:\n${slept?.process.log()}`);
    await delivery.untilDone(...members.running);
    violations.push(...slept.violations(), ...(await members.badEnds()), ...(await delivery.violations()));
    return { violations, redone: members.redone(), struck: [...members.struck, 'SIGSTOP'] };
  });

export interface StormReport {
  readonly minutes: number;
  /** Members killed, and told to end. */
  readonly blows: number;
  /** Announced ranges that another member repeated. */
  readonly redone: number;
  /** Records committed in each minute, about. */
  readonly committed: readonly number[];
  readonly violations: readonly string[];
}

/** A storm of so many minutes, on a broker of its own. */
export async function rideOutStorm(minutes: number, progress: (text: string) => void): Promise<StormReport> {
  const rig = await startDeliveryRig();
  try {
    const committed: number[] = [];
    const { violations, redone, struck } = await stormMembers(
      { rig, name: 'storm', round: 1, random: createRandom(1) },
      stormOf(minutes),
      (records) => {
        committed.push(records);
        progress(`minute ${committed.length} of ${minutes}: ${records} records committed`);
      },
    );
    const blows = struck.filter((signal) => signal !== 'SIGSTOP').length;
    return { minutes, blows, redone, committed, violations };
  } finally {
    await rig.stop();
  }
}
