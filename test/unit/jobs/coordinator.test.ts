import { afterEach, describe, expect, it } from '@jest/globals';
import type { Lease, LeaseStore } from '../../../src/domain/lease.js';
import { type Coordinator, createCoordinator } from '../../../src/jobs/coordinator.js';
import { createSilentLogger } from '../../support/silent-logger.js';

/** Leases by a clock of the test's, with a switch that makes the store fail. */
function createMemoryLeases(time: { ms: number }) {
  const terms: (Lease & { untilMs: number })[] = [];
  const state = { down: false };
  const answer = <T>(value: () => T): Promise<T> =>
    state.down ? Promise.reject(new Error('the store is down')) : Promise.resolve(value());
  const leases: LeaseStore = {
    findLease: () =>
      answer(() => {
        const last = terms.at(-1);
        return last === undefined ? null : { ...last, expired: time.ms >= last.untilMs };
      }),
    takeLease: (lease, ttlMs) =>
      answer(() => {
        if ((terms.at(-1)?.term ?? 0) >= lease.term) return false;
        terms.push({ ...lease, untilMs: time.ms + ttlMs });
        return true;
      }),
    renewLease: (lease, ttlMs) =>
      answer(() => {
        const last = terms.at(-1);
        if (last?.term !== lease.term || last.owner !== lease.owner) return false;
        last.untilMs = time.ms + ttlMs;
        return true;
      }),
  };
  return { leases, state, terms };
}

const running: Coordinator[] = [];
afterEach(async () => {
  for (const coordinator of running.splice(0)) await coordinator.stop();
});

/** Beats as soon as they can, by clocks of the test's. */
function setUp() {
  const time = { ms: 0 };
  const memory = createMemoryLeases(time);
  const gauges: Record<string, number> = {};
  const create = (owner: string) => {
    const own = { offsetMs: 0 };
    const coordinator = createCoordinator({
      leases: memory.leases,
      name: 'detection',
      owner,
      logger: createSilentLogger(),
      monotonicMs: () => time.ms + own.offsetMs,
      gauge: { set: (value) => (gauges[owner] = value) },
      ttlMs: 1_000,
      beatMs: 1,
    });
    running.push(coordinator);
    return coordinator;
  };
  return { time, ...memory, gauges, create };
}

const beats = () => new Promise((resolve) => setTimeout(resolve, 30));

describe('coordinator', () => {
  it('lets one of several lead, for as long as it lives', async () => {
    const { create, time, gauges } = setUp();
    const [a, b] = [create('a'), create('b')];
    await a.start();
    await b.start();
    expect([a.leads(), b.leads()]).toEqual([true, false]);
    for (let i = 0; i < 3; i++) {
      time.ms += 900;
      await beats();
    }
    expect([a.leads(), b.leads()]).toEqual([true, false]);
    expect(gauges).toEqual({ a: 1, b: 0 });
    expect([a.term(), b.term()]).toEqual([1, 0]);
  });

  it('hands over at once when the leader stops', async () => {
    const { create } = setUp();
    const [a, b] = [create('a'), create('b')];
    await a.start();
    await b.start();
    await a.stop();
    expect(a.leads()).toBe(false);
    await beats();
    expect(b.leads()).toBe(true);
    expect(b.term()).toBe(1);
  });

  it('one that was stopped for longer than its term leads no more before it has asked, and begins anew', async () => {
    const { create, time, leases, terms } = setUp();
    const a = create('a');
    await a.start();
    const [first] = terms;
    // Stopped: no beat, while another led for a while.
    time.ms += 1_500;
    expect(a.leads()).toBe(false);
    await leases.takeLease({ name: 'detection', term: 2, owner: 'b' }, 0);
    await beats();
    expect(a.leads()).toBe(true);
    expect(terms.map(({ owner }) => owner)).toEqual(['a', 'b', 'a']);
    expect(first?.term).toBe(1);
    // What it remembers from its first term is old.
    expect(a.term()).toBe(2);
  });

  it('when nobody can be asked everybody leads, until it is known again', async () => {
    const { create, state, gauges } = setUp();
    const [a, b] = [create('a'), create('b')];
    await a.start();
    await b.start();
    state.down = true;
    await beats();
    expect([a.leads(), b.leads()]).toEqual([true, true]);
    expect(gauges).toEqual({ a: 1, b: 1 });
    state.down = false;
    await beats();
    expect([a.leads(), b.leads()]).toEqual([true, false]);
    const c = create('c');
    state.down = true;
    await c.start();
    expect(c.leads()).toBe(true);
  });
});
