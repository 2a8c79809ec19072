import { describe, expect, it } from '@jest/globals';
import { createScheduler, type Job } from '../../../src/jobs/scheduler.js';
import { createMetrics } from '../../../src/metrics.js';
import { createSilentLogger } from '../../support/silent-logger.js';

/** A job whose runs end when the test says so. */
function gatedJob(extra: Partial<Job> = {}) {
  const gates: { end: () => void; fail: (error: Error) => void }[] = [];
  const job: Job = {
    name: 'detect',
    cron: '* * * * * *',
    run: () =>
      new Promise((resolve, reject) => {
        gates.push({ end: resolve, fail: reject });
      }),
    ...extra,
  };
  return { job, gates };
}

function setUp(job: Job) {
  const metrics = createMetrics();
  const logger = createSilentLogger();
  const ticks: (() => void)[] = [];
  let cancelled = 0;
  const scheduler = createScheduler({
    jobs: [job],
    metrics,
    logger,
    nowMs: () => 5_000,
    schedule: (_cron, tick) => {
      ticks.push(tick);
      return () => {
        cancelled += 1;
      };
    },
  });
  return { scheduler, metrics, logger, tick: () => ticks[0]?.(), cancelled: () => cancelled };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('scheduler', () => {
  it('never overlaps a job with itself', async () => {
    const { job, gates } = gatedJob();
    const { scheduler, tick } = setUp(job);
    scheduler.start();
    tick();
    tick();
    expect(gates).toHaveLength(1);
    gates[0]?.end();
    await settle();
    tick();
    expect(gates).toHaveLength(2);
    gates[1]?.end();
    await scheduler.stop();
  });

  it('logs and counts a failure, and runs again', async () => {
    const { job, gates } = gatedJob();
    const { scheduler, tick, metrics, logger } = setUp(job);
    scheduler.start();
    tick();
    gates[0]?.fail(new Error('store away'));
    await settle();
    expect((await metrics.jobFailures.get()).values).toEqual([{ labels: { task: 'detect' }, value: 1 }]);
    expect(logger.lines).toEqual([
      expect.objectContaining({
        level: 'error',
        message: 'job failed',
        fields: expect.objectContaining({ job: 'detect', reason: 'store away' }),
      }),
    ]);
    tick();
    expect(gates).toHaveLength(2);
    gates[1]?.end();
    await scheduler.stop();
  });

  it('shows the last success, not the last run', async () => {
    const metrics = createMetrics();
    const { job, gates } = gatedJob({ lastSuccess: metrics.lastSuccess });
    const { scheduler } = setUp(job);
    const value = async () => (await metrics.lastSuccess.get()).values[0]?.value;
    const failed = scheduler.runNow('detect');
    gates[0]?.fail(new Error('no'));
    expect(await failed).toEqual({ ok: false });
    expect(await value()).toBe(0);
    const succeeded = scheduler.runNow('detect');
    gates[1]?.end();
    expect(await succeeded).toEqual({ ok: true });
    expect(await value()).toBe(5);
  });

  it('answers runNow with one run that begins after the call', async () => {
    const { job, gates } = gatedJob();
    const { scheduler, tick } = setUp(job);
    scheduler.start();
    tick();
    const answers = Promise.all([scheduler.runNow('detect'), scheduler.runNow('detect')]);
    expect(gates).toHaveLength(1);
    gates[0]?.end();
    await settle();
    expect(gates).toHaveLength(2);
    gates[1]?.end();
    expect(await answers).toEqual([{ ok: true }, { ok: true }]);
    expect(gates).toHaveLength(2);
    await scheduler.stop();
  });

  it('waits at the stop for the run under way and begins no other', async () => {
    const { job, gates } = gatedJob();
    const { scheduler, tick, cancelled } = setUp(job);
    scheduler.start();
    tick();
    const waiting = scheduler.runNow('detect');
    let stopped = false;
    const stop = scheduler.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect(stopped).toBe(false);
    gates[0]?.end();
    await stop;
    tick();
    expect(await waiting).toEqual({ ok: false });
    expect(gates).toHaveLength(1);
    expect(cancelled()).toBe(1);
  });

  it('ticks by node-cron and refuses what is not an expression', async () => {
    const metrics = createMetrics();
    const logger = createSilentLogger();
    const options = { metrics, logger, nowMs: () => 0 };
    await new Promise<void>((resolve) => {
      const job: Job = { name: 'beat', cron: '* * * * * *', run: async () => resolve() };
      const scheduler = createScheduler({ ...options, jobs: [job] });
      scheduler.start();
      const run = job.run;
      Object.assign(job, { run: async () => run().then(() => void scheduler.stop()) });
    });
    const bad = createScheduler({
      ...options,
      jobs: [{ name: 'bad', cron: 'every day', run: async () => undefined }],
    });
    expect(() => bad.start()).toThrow('"every day" is not a cron expression');
    expect(() => bad.runNow('nosuch')).toThrow(RangeError);
  });
});
