import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideEpisode, outcomesNeeded } from '../../../src/alerts/policy.js';
import type { Episode } from '../../../src/domain/episode.js';
import { HOUR_MS } from '../../../src/domain/window.js';
import { countOpenings } from '../../../src/stats/count-openings.js';
import { outcomesOf } from '../../support/outcomes.js';

const rules = fc
  .record({
    openWindows: fc.integer({ min: 1, max: 6 }),
    closeCount: fc.integer({ min: 1, max: 5 }),
    more: fc.integer({ min: 0, max: 4 }),
    cooldownWindows: fc.integer({ min: 0, max: 8 }),
  })
  .chain(({ more, ...rule }) =>
    fc.integer({ min: 1, max: rule.openWindows }).map((openCount) => ({
      ...rule,
      openCount,
      closeWindows: rule.closeCount + more,
    })),
  );

test('counts what the alert policy opens, window by window', () => {
  fc.assert(
    fc.property(
      rules,
      fc.array(fc.constantFrom('d', 'd', 'c'), { minLength: 1, maxLength: 60 }),
      (rule, letters) => {
        const policy = { ...rule, cooldownMs: rule.cooldownWindows * HOUR_MS, stepMs: HOUR_MS };
        const outcomes = outcomesOf(letters.join(''));
        let latest: Episode | null = null;
        let opened = 0;
        for (let i = 0; i < outcomes.length; i++) {
          const recent = outcomes.slice(Math.max(0, i + 1 - outcomesNeeded(policy)), i + 1);
          const decision = decideEpisode({ outcomes: recent, latest, policy, nowMs: 0 });
          if (decision === null) continue;
          latest = decision.episode;
          if (decision.change === 'opened') opened += 1;
        }
        const flagged = letters.flatMap((letter, at) => (letter === 'd' ? [at] : []));
        expect(countOpenings(flagged, flagged.length, rule)).toBe(opened);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('looks at the first `count` positions only', () => {
  const rule = { openCount: 1, openWindows: 1, closeCount: 1, cooldownWindows: 0 };
  expect(countOpenings(Int32Array.from([0, 5, 9]), 2, rule)).toBe(2);
});
