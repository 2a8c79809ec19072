import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideEpisode, type EpisodePolicy, outcomesNeeded } from '../../../src/alerts/policy.js';
import type { Episode } from '../../../src/domain/episode.js';
import type { WindowOutcome } from '../../../src/domain/verdict.js';
import { HOUR_MS } from '../../../src/domain/window.js';
import { hourWindow, outcomesOf, verdictOf } from '../../support/outcomes.js';

const twoOfThree: EpisodePolicy = {
  openCount: 2,
  openWindows: 3,
  closeCount: 2,
  cooldownMs: 0,
  stepMs: HOUR_MS,
};

interface Step {
  readonly end: number;
  readonly change: string;
  readonly episode: Episode;
}

/** Judges one window after the other, as the service does. */
function fold(outcomes: readonly WindowOutcome[], policy: EpisodePolicy): Step[] {
  const steps: Step[] = [];
  let latest: Episode | null = null;
  for (let i = 0; i < outcomes.length; i += 1) {
    const recent = outcomes.slice(0, i + 1).slice(-outcomesNeeded(policy));
    const nowMs = outcomes[i]?.window.endMs ?? 0;
    const decision = decideEpisode({ outcomes: recent, latest, policy, nowMs });
    if (decision === null) continue;
    latest = decision.episode;
    steps.push({ end: nowMs / HOUR_MS - 1, ...decision });
  }
  return steps;
}

/** Openings and closings as `open@2`, window numbers. */
function story(text: string, policy: Partial<EpisodePolicy> = {}): string[] {
  return fold(outcomesOf(text), { ...twoOfThree, ...policy })
    .filter((step) => step.change !== 'updated')
    .map((step) => `${step.change}@${step.end}`);
}

describe('decideEpisode', () => {
  it('opens at N of M drifted windows and names the first and the last of them', () => {
    const [opened] = fold(outcomesOf('cdcd'), twoOfThree);
    expect(opened?.change).toBe('opened');
    expect(opened?.episode).toMatchObject({
      state: 'open',
      firstWindow: hourWindow(1),
      openedBy: hourWindow(3),
      lastWindow: hourWindow(3),
      closedBy: null,
      drivers: [{ feature: 'age', detector: 'ks', statistic: 0.3, threshold: 0.08, effect: 0.3 }],
    });
    expect(opened?.episode.id).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ['one drifted window is not enough', 'cdcccdc', []],
    ['drifted windows too far apart', 'dccdccd', []],
    ['undecided breaks an opening streak', 'dudcc', []],
    ['a missing window breaks an opening streak', 'd-dcc', []],
    ['clean windows in a row close', 'ddcc', ['opened@1', 'closed@3']],
    ['drift in between starts the row anew', 'ddcdcc', ['opened@1', 'closed@5']],
    ['undecided does not count as clean', 'ddcuc', ['opened@1']],
    ['undecided for long closes nothing', 'dduuuuuuu', ['opened@1']],
    ['a missing window breaks the closing row', 'ddc-cc', ['opened@1', 'closed@5']],
    ['drift from before the close opens nothing', 'ddccdd', ['opened@1', 'closed@3', 'opened@5']],
  ])('%s: %s', (_name, text, expected) => {
    expect(story(text)).toEqual(expected);
  });

  it.each([
    ['a drifted window in between', 'ddcdc', ['opened@1', 'closed@4']],
    ['three in a row, too', 'ddcc', ['opened@1', 'closed@3']],
    ['none from before the opening', 'ccddc', ['opened@3']],
    ['too far apart', 'ddcddcddc', ['opened@1']],
    ['an undecided window ends the look back', 'ddcuc', ['opened@1']],
    ['a missing window does, too', 'ddc-c', ['opened@1']],
    ['a drifted window closes nothing, whatever lies before', 'ddcdd', ['opened@1']],
  ])('closes at N of M clean windows: %s, %s', (_name, text, expected) => {
    expect(story(text, { closeWindows: 3 })).toEqual(expected);
  });

  it('is critical from where the policy says, category by category', () => {
    const from = { drift: 2.9, dataQuality: null, outliers: 0, performance: 2, service: 2 };
    const severityOf = (category: 'drift' | 'dataQuality' | 'outliers') =>
      fold(outcomesOf('d', { category }), { ...twoOfThree, openCount: 1, criticalFrom: from })[0]?.episode
        .severity;
    // the effect is three times what counts as material, but for rounding
    expect(severityOf('drift')).toBe('critical');
    expect(severityOf('dataQuality')).toBe('warning');
    expect(severityOf('outliers')).toBe('critical');
    const higher = { ...twoOfThree, criticalFrom: { ...from, drift: 3.1 } };
    expect(fold(outcomesOf('dd'), higher)[0]?.episode.severity).toBe('warning');
  });

  it('keeps why the opening window drifted, and only that', () => {
    const outcomes = outcomesOf('ddd').map((outcome, i) => ({ ...outcome, why: [`reason ${i}`] }));
    const steps = fold(outcomes, twoOfThree);
    expect(steps.map(({ episode }) => episode.why)).toEqual([['reason 1'], ['reason 1']]);
    expect(fold(outcomesOf('dd'), twoOfThree)[0]?.episode).not.toHaveProperty('why');
  });

  it('counts no drifted window from before a close', () => {
    expect(story('ddcd', { closeCount: 1 })).toEqual(['opened@1', 'closed@2']);
  });

  it('opens nothing during the cooldown, in event time, and at its end if drift goes on', () => {
    expect(story('ddccddddddd', { cooldownMs: 5 * HOUR_MS })).toEqual(['opened@1', 'closed@3', 'opened@8']);
  });

  it('is critical from twice the minimum effect in the median, and never milder again', () => {
    const at = (value: number) => [
      verdictOf({ effect: { value: 0.1, low: 0, high: 1 } }),
      verdictOf({ feature: 'b', effect: { value, low: 0, high: 1 } }),
      verdictOf({ feature: 'c', effect: { value: -0.9, low: -1, high: 0 } }),
    ];
    const severities = [0.19, 0.19, 0.2, 0.1].map((value, n) => ({
      ...(outcomesOf('d')[0] as WindowOutcome),
      window: hourWindow(n),
      drivers: at(value),
    }));
    expect(fold(severities, twoOfThree).map((step) => step.episode.severity)).toEqual([
      'warning',
      'critical',
      'critical',
    ]);
  });

  it('names ten columns at most', () => {
    const drivers = Array.from({ length: 40 }, (_, i) => verdictOf({ feature: `f${i}` }));
    const [opened] = fold(outcomesOf('dd', { drivers }), twoOfThree);
    expect(opened?.episode.drivers.map((driver) => driver.feature)).toEqual(
      Array.from({ length: 10 }, (_, i) => `f${i}`),
    );
  });

  it('leaves what was said when an older window is judged again', () => {
    const outcomes = outcomesOf('ddd');
    const latest = fold(outcomes, twoOfThree).at(-1)?.episode ?? null;
    expect(
      decideEpisode({ outcomes: outcomes.slice(0, 2), latest, policy: twoOfThree, nowMs: 0 }),
    ).toBeNull();
  });

  it('closes when the last window turns out clean once its late rows are in', () => {
    const before = fold(outcomesOf('ddcu'), twoOfThree).at(-1)?.episode ?? null;
    const again = decideEpisode({
      outcomes: outcomesOf('ddcc').slice(-3),
      latest: before,
      policy: twoOfThree,
      nowMs: 9,
    });
    expect(again).toMatchObject({ change: 'closed', episode: { closedBy: hourWindow(3), closedAtMs: 9 } });
  });

  it('refuses unordered and mixed outcomes', () => {
    const [a, b] = outcomesOf('dd') as [WindowOutcome, WindowOutcome];
    const decide = (outcomes: WindowOutcome[]) => () =>
      decideEpisode({ outcomes, latest: null, policy: twoOfThree, nowMs: 0 });
    expect(decide([b, a])).toThrow(RangeError);
    expect(decide([{ ...a, category: 'outliers' }, b])).toThrow(RangeError);
    expect(decide([])).toThrow(RangeError);
  });
});

describe('properties of decideEpisode', () => {
  const policies = fc
    .record({
      openCount: fc.integer({ min: 1, max: 4 }),
      extra: fc.integer({ min: 0, max: 3 }),
      closeCount: fc.integer({ min: 1, max: 4 }),
      closeExtra: fc.integer({ min: 0, max: 3 }),
      cooldownHours: fc.integer({ min: 0, max: 6 }),
    })
    .map(({ openCount, extra, closeCount, closeExtra, cooldownHours }) => ({
      openCount,
      openWindows: openCount + extra,
      closeCount,
      closeWindows: closeCount + closeExtra,
      cooldownMs: cooldownHours * HOUR_MS,
      stepMs: HOUR_MS,
    }));
  const histories = fc
    .array(fc.constantFrom('d', 'c', 'u', '-'), { maxLength: 40 })
    .map((letters) => outcomesOf(letters.join('')));

  it('never has two episodes open, and closes only what is open', () => {
    fc.assert(
      fc.property(histories, policies, (outcomes, policy) => {
        let open = false;
        const ids = new Set<string>();
        for (const { change, episode } of fold(outcomes, policy)) {
          if (change === 'opened') {
            expect(open).toBe(false);
            expect(ids.has(episode.id)).toBe(false);
            ids.add(episode.id);
          } else expect(open).toBe(true);
          open = change !== 'closed';
          expect(episode.state).toBe(open ? 'open' : 'closed');
        }
      }),
    );
  });

  it('opens on drifted windows and closes on clean ones only', () => {
    fc.assert(
      fc.property(histories, policies, (outcomes, policy) => {
        for (const { change, end } of fold(outcomes, policy)) {
          const state = outcomes.find((o) => o.window.endMs === (end + 1) * HOUR_MS)?.state;
          if (change === 'opened') expect(state).toBe('drifted');
          if (change === 'closed') expect(state).toBe('clean');
        }
      }),
    );
  });

  it('says the same when folded again, and nothing when a window is handed in twice', () => {
    fc.assert(
      fc.property(histories, policies, (outcomes, policy) => {
        const once = fold(outcomes, policy);
        expect(fold(outcomes, policy)).toEqual(once);
        for (const { end, episode } of once) {
          const upTo = outcomes.filter((o) => o.window.endMs <= (end + 1) * HOUR_MS);
          const recent = upTo.slice(-outcomesNeeded(policy));
          expect(decideEpisode({ outcomes: recent, latest: episode, policy, nowMs: 1e15 })).toBeNull();
        }
      }),
    );
  });
});
