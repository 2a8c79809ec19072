import { expect, test } from '@jest/globals';
import { sideBySide } from '../../../src/jobs/side-by-side.js';

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
};

test('works on all items, never on more than so many at once', async () => {
  const done: number[] = [];
  let under = 0;
  let most = 0;
  await sideBySide([5, 1, 4, 2, 3], 2, async (item) => {
    under += 1;
    most = Math.max(most, under);
    await turns(item);
    under -= 1;
    done.push(item);
  });
  expect(done.toSorted()).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

test('after a failure begins no other item, and waits for those under way', async () => {
  const begun: number[] = [];
  const done: number[] = [];
  const work = sideBySide([1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    if (item === 1) throw new Error('planned');
    await turns(50);
    done.push(item);
  });
  await expect(work).rejects.toThrow('planned');
  expect(begun).toEqual([1, 2]);
  expect(done).toEqual([2]);
});

test('has nothing to do without items', async () => {
  await expect(sideBySide([], 4, () => Promise.reject(new Error('never')))).resolves.toBeUndefined();
});

test('begins with the first items while later ones are made, and makes one when a place is free', async () => {
  const said: string[] = [];
  async function* items() {
    for (let item = 1; item <= 3; item += 1) {
      said.push(`made ${item}`);
      yield item;
    }
  }
  await sideBySide(items(), 1, async (item) => {
    await turns(3);
    said.push(`done ${item}`);
  });
  expect(said).toEqual(['made 1', 'done 1', 'made 2', 'done 2', 'made 3', 'done 3']);
});

test('waits for those under way when an item cannot be made', async () => {
  const done: number[] = [];
  async function* items() {
    yield 1;
    yield 2;
    throw new Error('planned');
  }
  const work = sideBySide(items(), 4, async (item) => {
    await turns(50);
    done.push(item);
  });
  await expect(work).rejects.toThrow('planned');
  expect(done).toEqual([1, 2]);
});
