import { describe, expect, it } from '@jest/globals';
import { createScratch, createScratches } from '../../../src/stats/scratch.js';

describe('createScratch', () => {
  it('gives arrays of the asked length, whatever came before', () => {
    const scratch = createScratch();
    for (const length of [3, 0, 10_000, 5]) expect(scratch(length)).toHaveLength(length);
  });

  it('uses one buffer again', () => {
    const scratch = createScratch();
    scratch(2).set([1, 2]);
    expect([...scratch(2)]).toEqual([1, 2]);
  });
});

describe('createScratches', () => {
  it('keeps those of different numbers apart', () => {
    const scratches = createScratches();
    const first = scratches(0, 2);
    first.set([1, 2]);
    scratches(1, 2).set([3, 4]);
    expect([...first]).toEqual([1, 2]);
  });
});
