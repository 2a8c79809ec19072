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

test('each caller gets a turn of its own, in order', async () => {
  const seen: string[] = [];
  let turn = 0;
  const next = createTurns(async () => {
    await new Promise(setImmediate);
    turn += 1;
  });
  await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      await next();
      seen.push(`${name}${turn}`);
    }),
  );
  expect(seen).toEqual(['a1', 'b2', 'c3']);
});
