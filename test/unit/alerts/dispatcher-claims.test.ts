import { describe, expect, it } from '@jest/globals';
import { createDispatcher } from '../../../src/alerts/dispatcher.js';
import { createMetrics } from '../../../src/metrics.js';
import { createDispatchRig, eventOf } from '../../support/dispatch-rig.js';
import { createSilentLogger } from '../../support/silent-logger.js';

describe('dispatchers of one outbox', () => {
  it('leaves alone what another process is sending, and the rest of that episode, until the claim has run out', async () => {
    const { dispatcher, sent, store, setClaimsHold } = await createDispatchRig([
      eventOf('open', 'e1', 1),
      eventOf('close', 'e1', 2),
      eventOf('other', 'e2', 3),
    ]);
    await store.claimAttempt({ eventId: 'open', attempt: 1, ttlMs: 60_000, atMs: 0 });
    setClaimsHold(true);
    expect(await dispatcher.deliverDue()).toMatchObject({ delivered: 1, waiting: 2 });
    expect(sent).toEqual(['other']);
    setClaimsHold(false);
    await dispatcher.deliverDue();
    expect(sent).toEqual(['other', 'open', 'close']);
  });

  it('sends each event from one of two processes that serve the same outbox', async () => {
    const events = Array.from({ length: 40 }, (_, i) => eventOf(`w${i}`, `e${i % 25}`, i));
    const one = await createDispatchRig(events);
    one.setClaimsHold(true);
    const other = createDispatcher({
      outbox: one.store,
      sinkFor: () => one.sink,
      clock: { now: () => 1_000, observe: () => undefined },
      logger: createSilentLogger(),
      metrics: createMetrics(),
      random: () => 1,
    });
    await Promise.all([one.dispatcher.deliverDue(), other.deliverDue()]);
    await Promise.all([one.dispatcher.deliverDue(), other.deliverDue()]);
    expect(one.sent.toSorted()).toEqual(events.map(({ id }) => id).toSorted());
    expect(new Set(one.attempts.map(({ attempt }) => attempt))).toEqual(new Set([1]));
  });

  it('does not use a claim that was long in coming: it may run out while the request is under way', async () => {
    const { dispatcher, sent, monotonic, store } = await createDispatchRig([eventOf('a')]);
    const claimAttempt = store.claimAttempt;
    store.claimAttempt = async (claim) => {
      monotonic.nowMs += 30_000;
      return claimAttempt(claim);
    };
    await dispatcher.deliverDue();
    expect(sent).toEqual([]);
    store.claimAttempt = claimAttempt;
    await dispatcher.deliverDue();
    expect(sent).toEqual(['a']);
  });

  it('serves nothing while another process does', async () => {
    const { dispatcher, sent, serving } = await createDispatchRig([eventOf('a')]);
    serving.active = false;
    expect(await dispatcher.deliverDue()).toMatchObject({ delivered: 0, waiting: 0 });
    serving.active = true;
    expect(await dispatcher.deliverDue()).toMatchObject({ delivered: 1 });
    expect(sent).toEqual(['a']);
  });

  it('sends again under the same id after a crash between the request and its record', async () => {
    const { dispatcher, sent, failOnce, attempts } = await createDispatchRig([
      eventOf('a'),
      eventOf('b', 'e2'),
    ]);
    failOnce('saveAttempt');
    await expect(dispatcher.deliverDue()).rejects.toThrow('crash before saveAttempt');
    await dispatcher.deliverDue();
    expect(sent.toSorted()).toEqual(['a', 'a', 'b']);
    expect(attempts.map((attempt) => [attempt.eventId, attempt.attempt])).toEqual([
      ['b', 1],
      // What became of the first attempt nobody knows.
      ['a', 2],
    ]);
  });
});
