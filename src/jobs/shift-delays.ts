import type { QuickOutcome } from '../detectors/quick-judgement.js';
import type { PlantedShift, ShiftDelays, TriedPolicy } from '../domain/backtest.js';
import type { VersionKey } from '../domain/ports.js';
import type { EpisodeCategory } from '../domain/verdict.js';
import { DAY_MS, type Window } from '../domain/window.js';
import { createPolicyReplay, type DecideEpisode } from './policy-replay.js';

const HORIZON_MS = 30 * DAY_MS;
const STARTS = 50;
const STATES = ['clean', 'drifted', 'undecided'] as const;

/** What the shifted column's own tests said, window by window: one byte each, for a year of hours and several policies. */
export function createShiftRecord(windows: number) {
  const states = new Map<EpisodeCategory, Uint8Array>();
  return {
    /** @param outcomes of the window with the shift in it */
    note(index: number, feature: string, outcomes: readonly QuickOutcome[]): void {
      for (const { category, state, drivers } of outcomes) {
        let row = states.get(category);
        if (row === undefined) {
          row = new Uint8Array(windows).fill(STATES.indexOf('undecided'));
          states.set(category, row);
        }
        const isOurs = drivers.some((driver) => driver.feature === feature);
        row[index] = STATES.indexOf(state === 'drifted' && !isOurs ? 'clean' : state);
      }
    },
    at: (index: number): QuickOutcome[] =>
      [...states].map(([category, row]) => ({
        category,
        state: STATES[row[index] ?? 0] ?? 'clean',
        drivers: [],
      })),
  };
}

export type ShiftRecord = ReturnType<typeof createShiftRecord>;

/**
 * How long until a policy opens an episode over the shifted column alone: the shift starts at up to fifty windows spread over the
 * period, each time with no episode open, and is followed for 30 days or to the end of the period.
 */
export async function shiftDelays(input: {
  readonly key: VersionKey;
  readonly shift: PlantedShift;
  readonly windows: readonly Window[];
  readonly record: ShiftRecord;
  readonly policy: TriedPolicy['policy'];
  readonly stepMs: number;
  readonly decide: DecideEpisode;
  readonly pause: () => Promise<void>;
}): Promise<ShiftDelays> {
  const { key, shift, windows, record, policy, stepMs, decide } = input;
  const endMs = windows.at(-1)?.endMs ?? 0;
  // A start too near to the end could not be followed: the last 30 days have none, where the period is long enough.
  const last = windows.filter(
    (window) => window.endMs <= Math.max(endMs - HORIZON_MS, windows[0]?.endMs ?? 0),
  ).length;
  const starts = Math.min(STARTS, last);
  const delays: number[] = [];
  for (let number = 0; number < starts; number++) {
    await input.pause();
    const first = Math.floor((number * last) / starts);
    const startMs = windows[first]?.startMs ?? 0;
    const replay = createPolicyReplay(key, policy, stepMs, decide);
    for (let at = first; at < windows.length; at++) {
      const window = windows[at];
      if (window === undefined || window.startMs >= startMs + HORIZON_MS) break;
      if (!replay.next(window, record.at(at))) continue;
      delays.push(window.endMs - startMs);
      break;
    }
  }
  delays.sort((a, b) => a - b);
  // Starts without an episode waited longer than all others.
  const quantile = (share: number) => delays[Math.ceil(share * starts) - 1] ?? null;
  return {
    ...shift,
    starts,
    detected: delays.length,
    medianDelayMs: quantile(0.5),
    p90DelayMs: quantile(0.9),
  };
}
