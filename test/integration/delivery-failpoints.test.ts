import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRandom } from '../../src/stats/random.js';
import { killAtRandom } from '../support/delivery-random.js';
import { type DeliveryRig, startDeliveryRig } from '../support/delivery-rig.js';
import type { Outcome, Round } from '../support/delivery-scenarios.js';
import { STRIKES } from '../support/delivery-table.js';
import { inLanes } from '../support/lanes.js';

/** Twice at every failpoint; what strikes at one of them in another way, or kills nobody, once. */
const roundsOf = (scenario: string) => (/accepted|sigterm|lost|zombie/.test(scenario) ? 1 : 2);
/** Runs at once: most of a run waits for the session of the dead to end. */
const LANES = 5;

describe('delivery, when a collector is killed', () => {
  let rig: DeliveryRig;
  beforeAll(async () => {
    rig = await startDeliveryRig();
  });
  afterAll(() => rig.stop());

  const random = createRandom(1);
  const runs = STRIKES.flatMap((scenario) =>
    Array.from({ length: roundsOf(scenario.name) }, (_, index) => ({ scenario, round: index + 1 })),
  );

  it.each(['embedded', 'http'])(
    '%s: twice at every failpoint, every offset once',
    async (kind) => {
      const chosen = runs.filter(({ scenario }) => scenario.name.startsWith(kind));
      const outcomes = await inLanes(LANES, chosen, async ({ scenario, round }) => {
        const name = `${scenario.name.replaceAll(' ', '-')}-${round}`;
        return { name, scenario, outcome: await scenario.run({ rig, name, round, random }) };
      });
      const wrong = outcomes.filter(({ outcome }) => outcome.violations.length > 0);
      expect(wrong.map(({ name, outcome }) => ({ name, violations: outcome.violations }))).toEqual([]);
      // The blow fell where it was meant to, and left something to repeat.
      const idle = outcomes.filter(({ scenario, outcome }) => scenario.redoes && outcome.redone === 0);
      expect(idle.map(({ name }) => name)).toEqual([]);
    },
    900_000,
  );

  it('random kills, alone and with a second member: every offset once', async () => {
    const outcomes = await inLanes<'embedded' | 'http', Outcome>(2, ['embedded', 'http'], (kind) => {
      const round: Round = { rig, name: `random-${kind}`, round: 1, random };
      return killAtRandom(round, kind, { kills: 2 });
    });
    expect(outcomes.flatMap(({ violations }) => violations)).toEqual([]);
    expect(outcomes.map(({ struck }) => struck.length)).toEqual([2, 2]);
  }, 1_200_000);
});
