import { schedule as cronSchedule, validateDetailed } from 'node-cron';
import type { Logger } from '../domain/ports.js';
import { AppError, messageOf } from '../errors.js';
import type { Metrics } from '../metrics.js';

export interface Job {
  /** Value of the label `task` of the job's metrics: `job` is Prometheus's own. */
  readonly name: string;
  /** node-cron expression, six fields with seconds. A day of month and a day of week must both match. */
  readonly cron: string;
  readonly run: () => Promise<void>;
  /** The gauge that shows when it last succeeded, if it has one. */
  readonly lastSuccess?: { set(seconds: number): void };
}

export interface RunResult {
  readonly ok: boolean;
}

export interface SchedulerOptions {
  readonly jobs: readonly Job[];
  readonly metrics: Pick<Metrics, 'jobDuration' | 'jobFailures'>;
  readonly logger: Logger;
  /** The wall clock, ms: for the last-success gauge. */
  readonly nowMs: () => number;
  /** Calls `tick` at the expression's times until the returned function is called. Default: node-cron, UTC. */
  readonly schedule?: (cron: string, tick: () => void) => () => void | Promise<void>;
}

function nodeCron(cron: string, tick: () => void): () => void | Promise<void> {
  const { valid, errors } = validateDetailed(cron);
  if (!valid)
    throw new AppError(
      'config_invalid',
      `"${cron}" is not a cron expression: ${errors.map((error) => error.message).join('; ')}`,
    );
  const task = cronSchedule(cron, tick, { timezone: 'UTC', suppressMissedWarning: true });
  return () => task.destroy();
}

/**
 * Runs jobs at their times. A job never overlaps itself: a tick during a run is dropped, the next one comes anyway. What a run
 * throws is logged and counted. node-cron is only the alarm clock: what is due is decided from the store by the job.
 */
export function createScheduler(options: SchedulerOptions) {
  const { jobs, metrics, nowMs, schedule = nodeCron } = options;
  const logger = options.logger.child({ component: 'scheduler' });
  const running = new Map<string, Promise<RunResult>>();
  const queued = new Map<string, Promise<RunResult>>();
  const cancels: (() => void | Promise<void>)[] = [];
  let stopping = false;
  // Present from the start: a rate cannot see the first failure of a series that is born with it.
  for (const job of jobs) metrics.jobFailures.inc({ task: job.name }, 0);

  async function runOnce(job: Job): Promise<RunResult> {
    const end = metrics.jobDuration.startTimer({ task: job.name });
    try {
      await job.run();
      job.lastSuccess?.set(nowMs() / 1_000);
      return { ok: true };
    } catch (error) {
      metrics.jobFailures.inc({ task: job.name });
      logger.error(
        { job: job.name, reason: messageOf(error), error: error instanceof Error ? error.stack : undefined },
        'job failed',
      );
      return { ok: false };
    } finally {
      end();
    }
  }

  function begin(job: Job): Promise<RunResult> {
    const run = runOnce(job).finally(() => running.delete(job.name));
    running.set(job.name, run);
    return run;
  }

  function tick(job: Job): void {
    if (stopping) return;
    if (running.has(job.name)) logger.debug({ job: job.name }, 'still running, tick dropped');
    else begin(job).catch((error: unknown) => logger.error({ reason: messageOf(error) }, 'scheduler failed'));
  }

  /** One run after the one under way, shared by everybody who asks meanwhile. */
  function runAfter(job: Job, current: Promise<RunResult>): Promise<RunResult> {
    const waiting = queued.get(job.name);
    if (waiting !== undefined) return waiting;
    const next = current.then(() => {
      queued.delete(job.name);
      // A tick may have slipped in between; its run began after the question, so it answers it.
      return stopping ? { ok: false } : (running.get(job.name) ?? begin(job));
    });
    queued.set(job.name, next);
    return next;
  }

  return {
    /** @throws AppError config_invalid when an expression is not one of node-cron's */
    start(): void {
      if (cancels.length > 0) throw new TypeError('the scheduler runs already');
      stopping = false;
      for (const job of jobs) cancels.push(schedule(job.cron, () => tick(job)));
    },
    /** A run that begins after this call, whatever is under way; resolves with how it ended. */
    runNow(name: string): Promise<RunResult> {
      const job = jobs.find((candidate) => candidate.name === name);
      if (job === undefined) throw new RangeError(`no job is called ${name}`);
      const current = running.get(name);
      return current === undefined ? begin(job) : runAfter(job, current);
    },
    /** No more ticks; resolves when the runs under way have ended. */
    async stop(): Promise<void> {
      stopping = true;
      await Promise.all(cancels.splice(0).map((cancel) => cancel()));
      await Promise.all([...running.values(), ...queued.values()]);
    },
  };
}

export type Scheduler = ReturnType<typeof createScheduler>;
