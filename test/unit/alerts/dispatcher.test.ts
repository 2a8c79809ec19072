import { describe, expect, it } from '@jest/globals';
import { createDispatcher, DELAYS_MS } from '../../../src/alerts/dispatcher.js';
import type { Sink } from '../../../src/alerts/sink.js';
import { createMetrics } from '../../../src/metrics.js';
import { createDispatchRig, DOWN, eventOf, GONE, OK } from '../../support/dispatch-rig.js';
import { createMemoryAlertStore } from '../../support/memory-alert-store.js';
import { createSilentLogger } from '../../support/silent-logger.js';
import { until } from '../../support/until.js';

describe('dispatcher', () => {
  it('delivers once and records it', async () => {
    const { dispatcher, sent, attempts } = await createDispatchRig([eventOf('a')]);
    expect(await dispatcher.deliverDue()).toEqual({
      delivered: 1,
      retry: 0,
      failed: 0,
      skipped: 0,
      waiting: 0,
    });
    expect(await dispatcher.deliverDue()).toEqual({
      delivered: 0,
      retry: 0,
      failed: 0,
      skipped: 0,
      waiting: 0,
    });
    expect(sent).toEqual(['a']);
    expect(attempts).toEqual([
      {
        eventId: 'a',
        attempt: 1,
        outcome: 'delivered',
        status: 202,
        detail: '',
        atMs: 1_000,
        nextAttemptAtMs: null,
      },
    ]);
  });

  it('retries on the schedule of Standard Webhooks and then gives up', async () => {
    const { dispatcher, answers, attempts, time, metrics } = await createDispatchRig([eventOf('a')]);
    answers.set('a', DOWN);
    const gaps: number[] = [];
    for (;;) {
      const { failed } = await dispatcher.deliverDue();
      const next = attempts.at(-1)?.nextAttemptAtMs;
      if (failed === 1 || next === null || next === undefined) break;
      gaps.push(next - time.nowMs);
      time.nowMs = next - 1;
      expect((await dispatcher.deliverDue()).waiting).toBe(1);
      time.nowMs = next;
    }
    expect(gaps).toEqual(DELAYS_MS.slice(1));
    expect(attempts).toHaveLength(10);
    expect(attempts.at(-1)).toMatchObject({
      attempt: 10,
      outcome: 'failed',
      detail: 'status 503',
      nextAttemptAtMs: null,
    });
    const counts = (await metrics.webhookDeliveries.get()).values;
    expect(counts.map(({ labels, value }) => [labels.outcome, value])).toEqual([
      ['delivered', 0],
      ['retry', 9],
      ['failed', 1],
      ['skipped', 0],
    ]);
  });

  it('spreads the retries over the whole delay', async () => {
    const { dispatcher, answers, attempts } = await createDispatchRig([eventOf('a')], 0.25);
    answers.set('a', DOWN);
    await dispatcher.deliverDue();
    expect(attempts[0]?.nextAttemptAtMs).toBe(1_000 + 1_250);
  });

  it('waits as long as the receiver asks', async () => {
    const { dispatcher, answers, attempts } = await createDispatchRig([eventOf('a')]);
    answers.set('a', { ok: false, retryable: true, reason: 'status 429', status: 429, retryAfterMs: 60_000 });
    await dispatcher.deliverDue();
    expect(attempts[0]?.nextAttemptAtMs).toBe(61_000);
  });

  it('does not let an event overtake an earlier one of its episode, and lets other episodes pass', async () => {
    const events = [eventOf('open', 'e1', 1), eventOf('close', 'e1', 2), eventOf('other', 'e2', 3)];
    const { dispatcher, answers, sent, time } = await createDispatchRig(events);
    answers.set('open', DOWN);
    expect(await dispatcher.deliverDue()).toEqual({
      delivered: 1,
      retry: 1,
      failed: 0,
      skipped: 0,
      waiting: 1,
    });
    expect(sent).toEqual(['open', 'other']);
    answers.set('open', OK);
    time.nowMs += 5_000;
    await dispatcher.deliverDue();
    expect(sent).toEqual(['open', 'other', 'open', 'close']);
  });

  it('gives an event up when the endpoint is gone, and sends nothing there until it is let go', async () => {
    const { dispatcher, answers, attempts, sent, holds, store } = await createDispatchRig([
      eventOf('a', 'e1', 1),
      eventOf('b', 'e1', 2),
      eventOf('c', 'e2', 3),
    ]);
    answers.set('a', GONE);
    await dispatcher.deliverDue();
    expect(attempts[0]).toMatchObject({ eventId: 'a', outcome: 'failed', status: 410 });
    expect(sent).not.toContain('b');
    const [hold] = holds.values();
    expect(hold).toMatchObject({ model: 'churn', hook: 'retrain', reason: 'gone', held: true });
    expect(await dispatcher.deliverDue()).toMatchObject({
      delivered: 0,
      waiting: sent.includes('c') ? 1 : 2,
    });
    if (hold !== undefined) await store.saveHold({ ...hold, held: false });
    await dispatcher.deliverDue();
    expect(sent.toSorted()).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['everything', '', '', ['b']],
    ['a model', 'churn', '', ['b']],
    ['a hook', 'churn', 'retrain', ['b']],
    ['another hook', 'churn', 'other', []],
    ['another model', 'else', '', []],
  ])('holds back what a pause of %s covers', async (_what, model, hook, waiting) => {
    const { dispatcher, sent, store } = await createDispatchRig([eventOf('b')]);
    await store.saveHold({ model, hook, reason: 'paused', held: true, detail: '', atMs: 0 });
    await dispatcher.deliverDue();
    expect(sent).toEqual(waiting.length > 0 ? [] : ['b']);
  });

  it('starts the schedule anew for an event that is replayed', async () => {
    const { dispatcher, answers, attempts, store, time } = await createDispatchRig([eventOf('a')]);
    answers.set('a', { ...DOWN, status: 400, retryable: false });
    await dispatcher.deliverDue();
    await store.saveAttempt({
      eventId: 'a',
      attempt: 2,
      outcome: 'replay',
      status: 0,
      detail: '',
      atMs: time.nowMs,
      nextAttemptAtMs: time.nowMs,
    });
    answers.set('a', { ...DOWN, status: 404 });
    await dispatcher.deliverDue();
    expect(attempts.at(-1)).toMatchObject({
      attempt: 3,
      outcome: 'retry',
      nextAttemptAtMs: time.nowMs + 5_000,
    });
  });

  it('records what a dry run would have sent', async () => {
    const { dispatcher, answers, attempts } = await createDispatchRig([eventOf('a')]);
    answers.set('a', { ok: true, status: 0, dryRun: 'dry run: POST /x' });
    expect(await dispatcher.deliverDue()).toMatchObject({ skipped: 1, delivered: 0 });
    expect(attempts[0]).toMatchObject({ outcome: 'skipped', detail: 'dry run: POST /x' });
    expect(await dispatcher.deliverDue()).toMatchObject({ skipped: 0, waiting: 0 });
  });

  it('spares a target that is down, and tries it with one event', async () => {
    const events = Array.from({ length: 20 }, (_, n) => eventOf(`e${n}`, `episode ${n}`, n));
    const { dispatcher, answers, sent, time } = await createDispatchRig(events, 0);
    for (const { id } of events) answers.set(id, DOWN);
    const first = await dispatcher.deliverDue();
    // five failures open the circuit; three more were under way by then
    expect(first.retry).toBeLessThanOrEqual(8);
    expect(sent.length).toBe(first.retry);
    expect((await dispatcher.deliverDue()).waiting).toBe(20);
    expect(sent.length).toBe(first.retry);
    time.nowMs += 30_000;
    await dispatcher.deliverDue();
    expect(sent.length).toBe(first.retry + 1);
    for (const { id } of events) answers.set(id, OK);
    time.nowMs += 60_000;
    await dispatcher.deliverDue();
    await dispatcher.deliverDue();
    expect(new Set(sent)).toEqual(new Set(events.map(({ id }) => id)));
  });

  it('fails an event whose model has no endpoint any more', async () => {
    const { dispatcher, attempts } = await createDispatchRig([{ ...eventOf('a'), model: 'gone' }]);
    expect(await dispatcher.deliverDue()).toMatchObject({ failed: 1 });
    expect(attempts[0]?.detail).toBe('no hook retrain is configured for gone');
  });

  it('is serial with itself', async () => {
    const { dispatcher, sent } = await createDispatchRig([eventOf('a')]);
    await Promise.all([dispatcher.deliverDue(), dispatcher.deliverDue(), dispatcher.deliverDue()]);
    expect(sent).toEqual(['a']);
  });

  it('serves other targets while one does not answer', async () => {
    const memory = createMemoryAlertStore();
    let release: () => void = () => undefined;
    const stuck = new Promise<void>((resolve) => {
      release = resolve;
    });
    const sent: string[] = [];
    const sinkTo = (origin: string, until: Promise<void>): Sink => ({
      name: origin,
      origin,
      send: async (event) => {
        await until;
        sent.push(event.id);
        return OK;
      },
    });
    const dead = sinkTo('http://dead', stuck);
    const quick = sinkTo('http://quick', Promise.resolve());
    const dispatcher = createDispatcher({
      outbox: memory.store,
      sinkFor: (event) => (event.model === 'churn' ? dead : quick),
      clock: { now: () => 1_000, observe: () => undefined },
      logger: createSilentLogger(),
      metrics: createMetrics(),
      random: () => 0,
      pollMs: 1,
    });
    await memory.store.saveEvent(eventOf('stuck'));
    dispatcher.start();
    for (const id of ['q1', 'q2', 'q3']) {
      await memory.store.saveEvent({ ...eventOf(id, id), model: 'quick' });
      await until(() => sent.includes(id));
    }
    expect(sent).toEqual(['q1', 'q2', 'q3']);
    release();
    await until(() => sent.includes('stuck'));
    await dispatcher.stop();
    expect(sent).toEqual(['q1', 'q2', 'q3', 'stuck']);
    expect(memory.attempts).toHaveLength(4);
  });

  it('polls until stopped, also past an outbox that fails', async () => {
    const { dispatcher, sent, store, failOnce, logger } = await createDispatchRig([eventOf('a')]);
    failOnce('saveAttempt');
    dispatcher.start();
    await until(() => sent.length >= 2);
    await dispatcher.stop();
    await store.saveEvent(eventOf('b'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sent).toEqual(['a', 'a']);
    expect(logger.lines.filter((line) => line.level === 'error').map((line) => line.message)).toEqual([
      'outbox not served, trying on',
    ]);
  });
});
