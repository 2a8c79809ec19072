import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createRandom } from '../../../src/stats/random.js';
import { posteriorDraw, thompsonOrder } from '../../../src/stats/thompson.js';

interface Case {
  readonly successes: number;
  readonly failures: number;
  readonly uniform: number;
  readonly draw: number;
}
const CASES: readonly Case[] = JSON.parse(
  readFileSync(new URL('../../oracle/thompson.json', import.meta.url), 'utf8'),
);

describe('Thompson sampling', () => {
  it.each(CASES)(
    'draws as scipy: $successes of them, $failures not, at $uniform',
    ({ uniform, draw, ...arm }) => {
      expect(Math.abs(posteriorDraw(arm, uniform) - draw)).toBeLessThan(1e-11);
    },
  );

  it('puts an arm first as often as it is the best by its posterior', () => {
    // P(Beta(9, 3) > Beta(5, 5)) by numerical integration with scipy: 0.8982
    const arms = [
      { name: 'a', successes: 8, failures: 2 },
      { name: 'b', successes: 4, failures: 4 },
    ];
    const random = createRandom(7);
    let first = 0;
    for (let turn = 0; turn < 4_000; turn++) if (thompsonOrder(arms, random)[0]?.name === 'a') first += 1;
    expect(Math.abs(first / 4_000 - 0.8982)).toBeLessThan(0.02);
  });

  it('gives the same order for the same seed, and all arms', () => {
    const arms = [0, 1, 2, 3].map((successes) => ({ successes, failures: 2 }));
    const order = () => thompsonOrder(arms, createRandom(3)).map(({ successes }) => successes);
    expect(order()).toEqual(order());
    expect([...order()].sort()).toEqual([0, 1, 2, 3]);
    expect(thompsonOrder([], createRandom(1))).toEqual([]);
  });
});
