import type { EpisodeCategory, Verdict, WindowOutcome } from '../../src/domain/verdict.js';
import { HOUR_MS, type Window } from '../../src/domain/window.js';

/** The n-th hourly window. */
export function hourWindow(n: number): Window {
  return { startMs: n * HOUR_MS, endMs: (n + 1) * HOUR_MS };
}

/** A drifted, material KS verdict; override what the test is about. */
export function verdictOf(overrides: Partial<Verdict> = {}): Verdict {
  return {
    model: 'churn',
    modelVersion: '3',
    feature: 'age',
    detector: 'ks',
    category: 'drift',
    role: 'primary',
    window: hourWindow(0),
    status: 'drifted',
    reason: null,
    material: true,
    statistic: 0.3,
    effect: { value: 0.3, low: 0.25, high: 0.35 },
    pValue: 1e-6,
    adjustedPValue: 1e-5,
    threshold: 0.08,
    minimumEffect: 0.1,
    referenceRows: 1_000,
    currentRows: 500,
    effectiveReferenceRows: 1_000,
    effectiveCurrentRows: 500,
    null: 'iid',
    designEffect: 1,
    resolution: 0,
    smallestVisibleEffect: 0.08,
    referenceHash: 'a'.repeat(64),
    parameters: {},
    seed: null,
    ...overrides,
  };
}

/** Shorthand for a window's state: d(rifted), c(lean), u(ndecided). */
export type StateLetter = 'd' | 'c' | 'u';
const STATES = { d: 'drifted', c: 'clean', u: 'undecided' } as const;

export function outcomeOf(
  n: number,
  letter: StateLetter,
  options: { category?: EpisodeCategory; model?: string; drivers?: readonly Verdict[] } = {},
): WindowOutcome {
  const window = hourWindow(n);
  const model = options.model ?? 'churn';
  const category = options.category ?? 'drift';
  const drivers = options.drivers ?? [verdictOf({ model, category, window })];
  return {
    model,
    modelVersion: '3',
    category,
    window,
    state: STATES[letter],
    drivers: letter === 'd' ? drivers : [],
  };
}

/** `'ddc-u'` → one outcome per letter, a dash is a missing window. */
export function outcomesOf(text: string, options: Parameters<typeof outcomeOf>[2] = {}): WindowOutcome[] {
  return [...text].flatMap((letter, n) =>
    letter === 'd' || letter === 'c' || letter === 'u' ? [outcomeOf(n, letter, options)] : [],
  );
}
