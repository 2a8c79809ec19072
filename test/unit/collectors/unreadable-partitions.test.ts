import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createUnreadablePartitions } from '../../../src/collectors/unreadable-partitions.js';

const ONE = { topic: 'events', partition: 0 };
const TWO = { topic: 'events', partition: 1 };

describe('partitions that cannot be read', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  function partitions() {
    const tried: number[] = [];
    const failures: string[] = [];
    const all = createUnreadablePartitions({
      firstMs: 10,
      mostMs: 40,
      tryAgain: ({ partition }) => {
        tried.push(partition);
        if (partition === 9) throw new Error('stopped');
      },
      failed: (error) => failures.push(String(error)),
    });
    const triedIn = (ms: number) => {
      tried.length = 0;
      jest.advanceTimersByTime(ms);
      return [...tried];
    };
    return { all, triedIn, failures };
  }

  it('are tried again after longer and longer times, up to the longest', () => {
    const { all, triedIn } = partitions();
    for (const ms of [10, 20, 40, 40]) {
      all.add(ONE);
      expect(triedIn(ms - 1)).toEqual([]);
      expect(triedIn(1)).toEqual([0]);
      expect(triedIn(100)).toEqual([]);
    }
  });

  it('are each tried at their own times, and not sooner for being told of twice', () => {
    const { all, triedIn } = partitions();
    all.add(ONE);
    expect(triedIn(5)).toEqual([]);
    all.add(ONE);
    all.add(TWO);
    expect(triedIn(5)).toEqual([0]);
    expect(triedIn(5)).toEqual([1]);
  });

  it('begin anew once they were read', () => {
    const { all, triedIn } = partitions();
    expect(all.remove(ONE)).toBe(false);
    all.add(ONE);
    expect(all.remove(ONE)).toBe(true);
    expect(triedIn(100)).toEqual([]);
    all.add(ONE);
    expect(triedIn(10)).toEqual([0]);
  });

  it('tell of a client that has stopped', () => {
    const { all, triedIn, failures } = partitions();
    all.add({ topic: 'events', partition: 9 });
    expect(triedIn(10)).toEqual([9]);
    expect(failures).toEqual(['Error: stopped']);
  });

  it('are left alone when they are another one to read', () => {
    const { all, triedIn } = partitions();
    all.add(ONE);
    all.add(TWO);
    all.clear();
    expect(triedIn(100)).toEqual([]);
    expect(all.remove(ONE)).toBe(false);
  });
});
