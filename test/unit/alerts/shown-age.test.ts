import { describe, expect, test } from '@jest/globals';
import { createShownAge } from '../../../src/alerts/shown-age.js';

function make({ leads = false } = {}) {
  const state = { nowMs: 0, leads, hidings: 0 };
  const age = createShownAge({
    leads: () => state.leads,
    hide: () => {
      state.hidings += 1;
    },
    staleMs: 100,
    monotonicMs: () => state.nowMs,
  });
  return { state, age };
}

describe('the age of what is shown', () => {
  test('what was seen not long ago stays', () => {
    const { state, age } = make();
    state.nowMs = 99;
    age.hideStale();
    const began = age.look();
    state.nowMs = 150;
    age.shown(began);
    state.nowMs = 198;
    age.hideStale();
    expect([state.hidings, age.hidden()]).toEqual([0, false]);
  });

  test('a look that began before the process was stopped is as old as that, though it ends afterwards', () => {
    const { state, age } = make();
    const began = age.look();
    state.nowMs = 5_000;
    age.shown(began);
    age.hideStale();
    expect([state.hidings, age.hidden()]).toEqual([1, true]);
  });

  test('what a look brings back that was under way is hidden again, until a new one has ended', () => {
    const { state, age } = make();
    const old = age.look();
    state.nowMs = 5_000;
    age.hideStale();
    age.shown(old);
    expect(age.hidden()).toBe(true);
    age.hideStale();
    const began = age.look();
    state.nowMs = 5_050;
    age.hideStale();
    expect(state.hidings).toBe(3);
    age.shown(began);
    age.hideStale();
    expect([state.hidings, age.hidden()]).toEqual([3, false]);
  });

  test('who leads hides nothing', () => {
    const { state, age } = make({ leads: true });
    state.nowMs = 5_000;
    age.hideStale();
    expect([state.hidings, age.hidden()]).toEqual([0, false]);
  });
});
