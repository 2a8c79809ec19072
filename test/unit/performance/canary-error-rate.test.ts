import { describe, expect, it } from '@jest/globals';
import { HOUR_MS } from '../../../src/domain/window.js';
import { judgeDifference, MINIMUM_DAYS } from '../../../src/performance/canary.js';
import { pairedMeans } from '../../../src/performance/difference.js';
import { createNormal } from '../../../src/stats/normal-draws.js';
import { createRandom } from '../../../src/stats/random.js';
import { matchedHourOf } from '../../support/matched-hours.js';

const LEVEL = 0.05;
const CANARIES = 200;
const HOURS = 24 * 8;
const ROWS_PER_HOUR = 20;
/** Looked at every eight hours for eight days. */
const LOOK_EVERY = 8;

type Draw = (hour: number, normal: () => number, random: () => number) => number[];

/** Differences of rows of two versions that are alike, hour by hour. */
const TRAFFIC: readonly (readonly [string, Draw])[] = [
  ['independent losses', (_hour, normal) => rows(() => normal())],
  [
    'losses with a long tail',
    (_hour, normal, random) => rows(() => (random() < 0.5 ? 1 : -1) * Math.exp(1.2 * normal())),
  ],
  [
    'hits of which few differ',
    (_hour, _normal, random) =>
      rows(() => {
        const u = random();
        return u < 0.02 ? 1 : u < 0.04 ? -1 : 0;
      }),
  ],
  [
    'hours that are alike',
    (_hour, normal) => {
      const mood = 0.5 * normal();
      return rows(() => mood + normal());
    },
  ],
];

function rows(draw: () => number): number[] {
  return Array.from({ length: ROWS_PER_HOUR }, draw);
}

/** Shares of canaries in which anything was ever said: by the verdict, and by whoever stops at the first 95 % interval without 0. */
function everWrong(
  draw: Draw,
  { shift = 0, hours: count = HOURS, lookEvery = LOOK_EVERY, minimumDays = 1 } = {},
): { verdict: number; interval: number } {
  let verdicts = 0;
  let intervals = 0;
  for (let canary = 0; canary < CANARIES; canary++) {
    const random = createRandom(canary + 1);
    const normal = createNormal(random);
    const hours = [];
    let told = false;
    let stopped = false;
    for (let hour = 0; hour < count; hour++) {
      hours.push(
        matchedHourOf(
          hour * HOUR_MS,
          draw(hour, normal, random).map((value) => value + shift),
        ),
      );
      if (hour % lookEvery !== lookEvery - 1) continue;
      const estimate = pairedMeans(hours, 'logLoss');
      if (estimate === null) continue;
      // A margin of no size: nothing is ever equivalent.
      const { verdict, difference } = judgeDifference('logLoss', estimate, {
        margin: 1e-9,
        level: LEVEL,
        immatureBy: 0,
        minimumDays,
      });
      told ||= verdict === 'better' || verdict === 'worse';
      const { low, high } = difference;
      stopped ||= (low ?? 0) > 0 || (high ?? 0) < 0;
      if (told) break;
    }
    verdicts += Number(told);
    intervals += Number(stopped);
  }
  return { verdict: verdicts / CANARIES, interval: intervals / CANARIES };
}

describe('a canary that is looked at twenty-four times', () => {
  // Three standard errors of a share of 200 canaries above the level.
  const most = LEVEL + 3 * Math.sqrt((LEVEL * (1 - LEVEL)) / CANARIES);

  it.each(TRAFFIC)('is told wrongly at most at its level: %s', (_, draw) => {
    const { verdict, interval } = everWrong(draw);
    expect(verdict).toBeLessThanOrEqual(most);
    expect(interval).toBeGreaterThan(2 * LEVEL);
  });

  it('is told wrongly at most at its level where days are alike', () => {
    let mood = 0;
    const days: Draw = (hour, normal) => {
      if (hour % 24 === 0) mood = normal();
      return rows(() => mood + normal());
    };
    const { verdict } = everWrong(days, { hours: 24 * 28, lookEvery: 24, minimumDays: MINIMUM_DAYS });
    expect(verdict).toBeLessThanOrEqual(most);
  });

  it('is told when there is a difference', () => {
    expect(everWrong(TRAFFIC[0]?.[1] ?? (() => []), { shift: 0.1 }).verdict).toBeGreaterThan(0.95);
  });
});
