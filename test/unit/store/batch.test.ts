import { describe, expect, test } from '@jest/globals';
import { createBatch, loadByGroup, versionsOf } from '../../../src/store/batch.js';

describe('a batch', () => {
  test('joins calls of one turn, and those that come while it is under way', async () => {
    const loads: number[][] = [];
    let release: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    const double = createBatch(async (keys: readonly number[]) => {
      loads.push([...keys]);
      if (loads.length === 1) await first;
      return keys.map((key) => 2 * key);
    }, 3);
    const early = [double(1), double(2)];
    await new Promise(setImmediate);
    const late = [double(3), double(4), double(5), double(6)];
    release();
    expect(await Promise.all([...early, ...late])).toEqual([2, 4, 6, 8, 10, 12]);
    expect(loads).toEqual([[1, 2], [3, 4, 5], [6]]);
    expect(await double(7)).toBe(14);
  });

  test('a failure is that of its own calls alone', async () => {
    const load = createBatch(async (keys: readonly number[]) => {
      if (keys.includes(1)) throw new Error('planned');
      return keys;
    }, 2);
    const results = await Promise.allSettled([load(1), load(2), load(3)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });

  test('an answer that lacks values is a bug, not a wait without end', async () => {
    await expect(createBatch(async () => [], 2)(1)).rejects.toThrow('0 values for 1 keys');
  });
});

test('keys are loaded group by group, and their values come back in their order', async () => {
  const groups: string[][] = [];
  const values = await loadByGroup(
    ['a1', 'b1', 'a2', 'b2'],
    (key) => key.slice(0, 1),
    async (keys) => {
      groups.push([...keys]);
      return keys.map((key) => key.toUpperCase());
    },
  );
  expect(groups).toEqual([
    ['a1', 'a2'],
    ['b1', 'b2'],
  ]);
  expect(values).toEqual(['A1', 'B1', 'A2', 'B2']);
});

test('versions are told apart by model and version together', () => {
  const key = (model: string, modelVersion: string) => ({ model, modelVersion });
  const { params, placeOf } = versionsOf([key('a', '1'), key('b', '1'), key('a', '1'), key('a', '2')]);
  expect(params).toEqual({ models: ['a', 'b', 'a'], versions: ['1', '1', '2'] });
  expect([placeOf(key('a', '1')), placeOf(key('b', '1')), placeOf(key('a', '2'))]).toEqual([0, 1, 2]);
});
