import { describe, expect, it } from '@jest/globals';
import { createCircuitBreakers } from '../../../src/alerts/circuit-breaker.js';

function setUp(random = 1) {
  const time = { nowMs: 0 };
  const breakers = createCircuitBreakers({
    clock: { now: () => time.nowMs, observe: () => undefined },
    random: () => random,
  });
  const fail = (times: number) => {
    for (let n = 0; n < times; n++) {
      expect(breakers.admits('a')).toBe(true);
      breakers.report('a', false);
    }
  };
  return { ...breakers, time, fail };
}

describe('circuit breaker', () => {
  it('opens after five failures in a row, for that target only', () => {
    const { admits, isOpen, fail } = setUp();
    fail(5);
    expect(isOpen('a')).toBe(true);
    expect(admits('a')).toBe(false);
    expect(admits('b')).toBe(true);
  });

  it('counts targets as unwell until they answer well, also while they are on trial', () => {
    const { admits, report, unwell, fail, time } = setUp();
    fail(4);
    expect(unwell()).toBe(0);
    fail(1);
    expect(unwell()).toBe(1);
    time.nowMs = 60_000;
    expect(admits('a')).toBe(true);
    expect(unwell()).toBe(1);
    report('a', true);
    expect(unwell()).toBe(0);
  });

  it('counts failures in a row only', () => {
    const { admits, report, fail } = setUp();
    fail(4);
    report('a', true);
    fail(4);
    expect(admits('a')).toBe(true);
  });

  it('lets one probe through, and doubles the pause with each that fails', () => {
    const { admits, report, time, fail } = setUp();
    fail(5);
    const pauses: number[] = [];
    for (let probe = 0; probe < 8; probe++) {
      const fromMs = time.nowMs;
      while (!admits('a')) time.nowMs += 1_000;
      pauses.push((time.nowMs - fromMs) / 1_000);
      expect(admits('a')).toBe(false);
      report('a', false);
    }
    expect(pauses).toEqual([30, 60, 120, 240, 480, 900, 900, 900]);
  });

  it('closes with the first success', () => {
    const { admits, report, time, fail } = setUp();
    fail(5);
    time.nowMs = 30_000;
    expect(admits('a')).toBe(true);
    report('a', true);
    fail(4);
    expect(admits('a')).toBe(true);
  });

  it('leaves a target alone as long as it asks, at most a quarter of an hour', () => {
    const { admits, report, time } = setUp();
    report('a', false, 5_000);
    expect(admits('a')).toBe(false);
    time.nowMs = 5_000;
    expect(admits('a')).toBe(true);
    report('a', false, 86_400_000);
    time.nowMs += 899_999;
    expect(admits('a')).toBe(false);
    time.nowMs += 1;
    expect(admits('a')).toBe(true);
  });
});
