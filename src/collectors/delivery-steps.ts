import type { Logger } from '../domain/ports.js';
import { messageOf } from '../errors.js';
import type { LogPartition } from './log-source.js';
import { createWaiters } from './waiters.js';

const STEPS = ['decoding', 'inserting', 'committing'] as const;
export type DeliveryStep = (typeof STEPS)[number];

/** What was answered to a step that is being repeated. */
export interface StepFailure {
  readonly step: DeliveryStep;
  readonly error: unknown;
}

export interface DeliveryStepsOptions {
  readonly of: LogPartition;
  readonly limits: { readonly minBackoffMs: number; readonly maxBackoffMs: number };
  /** The assignment is over: nothing is begun any more. */
  readonly ended: () => boolean;
  /** The process is about to end: nothing is repeated any more. */
  readonly draining: () => boolean;
  readonly logger: Logger;
}

const WAITS_FOR: Readonly<Record<DeliveryStep, string>> = {
  decoding: 'wait since their records cannot be read',
  inserting: 'wait for the store',
  committing: 'wait for the brokers to take their commit',
};

/** The steps of a partition's deliveries. One that fails is repeated, whatever the error: to pass it over would lose data. */
export function createDeliverySteps({ of, limits, ended, draining, logger }: DeliveryStepsOptions) {
  let failure: StepFailure | null = null;
  const forRetry = createWaiters();
  return {
    /** What it answers once it works; false when the assignment, or the process, ends before. */
    untilDone: async (step: DeliveryStep, work: () => Promise<boolean>): Promise<boolean> => {
      let backoffMs = limits.minBackoffMs;
      while (!ended()) {
        try {
          const done = await work();
          failure = null;
          return done;
        } catch (error) {
          failure = { step, error };
          if (draining()) return false;
          logger.error(
            { ...of, retryInMs: backoffMs, reason: messageOf(error) },
            `kafka: ${step} failed, the partition waits`,
          );
          await forRetry.wait(backoffMs);
          backoffMs = Math.min(limits.maxBackoffMs, backoffMs * 2);
        }
      }
      return false;
    },
    /** Only `wake` cuts it short. */
    pause: () => forRetry.wait(limits.minBackoffMs),
    /** The assignment or the process ends. */
    wake: () => forRetry.wake(),
    failure: () => failure,
  };
}

/** For people: how many partitions wait, and for what. */
export function explainFailures(failures: readonly StepFailure[]): string {
  return STEPS.flatMap((step) => {
    const own = failures.filter((failure) => failure.step === step);
    const [first] = own;
    return first === undefined
      ? []
      : [`${own.length} partition(s) ${WAITS_FOR[step]}: ${messageOf(first.error)}`];
  }).join('; ');
}
