import { expect, test } from '@jest/globals';
import { createPause, createTurns } from '../../../src/wiring/turns.js';

test('a pause gives way only when the turn has been long', async () => {
  let nowMs = 0;
  let turns = 0;
  const pause = createPause({
    nowMs: () => nowMs,
    turn: async () => {
      turns += 1;
      // What others do with their turn does not count as ours.
      nowMs += 100;
    },
    turnMs: 20,
  });
  for (const [at, expected] of [
    [19, 0],
    [20, 1],
    [139, 1],
    [140, 2],
  ] as const) {
    nowMs = at;
    await pause();
    expect(turns).toBe(expected);
  }
});

test('by default timers run while long work pauses', async () => {
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
  }, 5);
  const pause = createPause();
  const giveUpMs = performance.now() + 5_000;
  while (!isOver && performance.now() < giveUpMs) await pause();
  clearTimeout(timer);
  expect(isOver).toBe(true);
});

const inOrder = () => {
  let turn = 0;
  return {
    turn: async () => {
      await new Promise(setImmediate);
      turn += 1;
    },
    now: () => turn,
  };
};

test('each piece of work gets a turn of its own, in order', async () => {
  const { turn, now } = inOrder();
  const inTurn = createTurns({ turn });
  const seen = await Promise.all(['a', 'b', 'c'].map((name) => inTurn(() => `${name}${now()}`)));
  expect(seen).toEqual(['a1', 'b2', 'c3']);
});

test('those who waited together go on together, so many at most', async () => {
  const { turn, now } = inOrder();
  const inTurn = createTurns({ turn, most: 2 });
  const wentOn = await Promise.all(
    [1, 2, 3, 4, 5].map(async (name) => {
      await inTurn(() => name);
      return now();
    }),
  );
  expect(wentOn).toEqual([2, 2, 4, 4, 5]);
});

test('work that fails keeps nobody waiting', async () => {
  const inTurn = createTurns({ turn: inOrder().turn });
  const results = await Promise.allSettled([
    inTurn(() => 'done'),
    inTurn(() => {
      throw new Error('broken');
    }),
  ]);
  expect(results).toEqual([
    { status: 'fulfilled', value: 'done' },
    { status: 'rejected', reason: new Error('broken') },
  ]);
});
