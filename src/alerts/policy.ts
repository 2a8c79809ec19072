import { createHash } from 'node:crypto';
import {
  closeWindowsOf,
  type Episode,
  type EpisodeDriver,
  type PendingEpisode,
  type Policy,
} from '../domain/episode.js';
import type { Verdict, WindowOutcome } from '../domain/verdict.js';

/** The policy of one model; `stepMs` is the distance between window ends, by which a missing window is noticed. */
export interface EpisodePolicy extends Policy {
  readonly stepMs: number;
}

export interface EpisodeDecision {
  readonly episode: Episode;
  readonly change: 'opened' | 'closed' | 'updated';
}

/** Columns an episode names; the rest is in the verdicts. */
const MAX_DRIVERS = 10;
/** Median effect, in minimum effects, from which a window is critical unless the policy says otherwise. */
const CRITICAL_RATIO = 2;

/** How many outcomes a decision looks back on. */
export function outcomesNeeded(policy: Policy): number {
  return Math.max(policy.openWindows, closeWindowsOf(policy));
}

/** SHA-256 of model, version, category and first window, 32 hex digits: a re-run yields the same. */
export function episodeId(first: WindowOutcome): string {
  const { model, modelVersion, category, window } = first;
  const content = JSON.stringify([model, modelVersion, category, window.startMs, window.endMs]);
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}

/** `critical` when the median driver's effect is at least so many times the effect that counts as material, else `warning`. */
function severityOf(outcome: WindowOutcome, policy: Policy): Episode['severity'] {
  const from = policy.criticalFrom === undefined ? CRITICAL_RATIO : policy.criticalFrom[outcome.category];
  if (from === null) return 'warning';
  const ratios = outcome.drivers
    .filter((verdict) => verdict.effect !== null && verdict.minimumEffect > 0)
    .map((verdict) => Math.abs(verdict.effect?.value ?? 0) / verdict.minimumEffect)
    .sort((a, b) => a - b);
  const middle = Math.floor(ratios.length / 2);
  const upper = ratios[middle] ?? 0;
  const median = ratios.length % 2 === 1 ? upper : ((ratios[middle - 1] ?? 0) + upper) / 2;
  return median >= from ? 'critical' : 'warning';
}

/** A verdict without figures cannot drive anything: `drifted` always has them. */
function driverOf(verdict: Verdict): EpisodeDriver[] {
  const { feature, segment, detector, statistic, threshold, effect } = verdict;
  if (statistic === null || threshold === null || effect === null) return [];
  const rows = segment === undefined ? {} : { segment };
  return [{ feature, ...rows, detector, statistic, threshold, effect: effect.value }];
}

/** The outcomes up to the last one without a missing window between them, oldest first. */
function unbroken(outcomes: readonly WindowOutcome[], stepMs: number): WindowOutcome[] {
  const run: WindowOutcome[] = [];
  for (const outcome of outcomes.toReversed()) {
    const next = run[0];
    if (next !== undefined && next.window.endMs - outcome.window.endMs !== stepMs) break;
    run.unshift(outcome);
  }
  return run;
}

function checkInput(outcomes: readonly WindowOutcome[], latest: Episode | null): void {
  const last = outcomes.at(-1);
  for (const [i, outcome] of outcomes.entries()) {
    const previous = outcomes[i - 1];
    if (previous !== undefined && previous.window.endMs >= outcome.window.endMs)
      throw new RangeError(`outcomes must be in window order, got ${outcome.window.endMs} at ${i}`);
  }
  for (const other of latest === null ? outcomes : [...outcomes, latest]) {
    if (
      other.model !== last?.model ||
      other.modelVersion !== last.modelVersion ||
      other.category !== last.category
    )
      throw new RangeError('outcomes and episode must belong to one model version and category');
  }
}

/** The drifted ones among the last windows that count towards an opening. */
function counting(
  outcomes: readonly WindowOutcome[],
  windows: number,
  closedMs: number,
  policy: EpisodePolicy,
): WindowOutcome[] {
  if (windows === 0) return [];
  const run = unbroken(outcomes, policy.stepMs).slice(-windows);
  const breakAt = run.findLastIndex((o) => o.state === 'undecided' || o.window.endMs <= closedMs);
  return run.slice(breakAt + 1).filter((outcome) => outcome.state === 'drifted');
}

/**
 * What may become an episode with the next window: drifted windows that it will look back on, while nothing is open. Pure.
 *
 * @param input.outcomes of one version and category, oldest first; the last is the newest judged
 * @param input.latest the newest episode of that version and category, open or closed
 */
export function pendingEpisode(input: {
  readonly outcomes: readonly WindowOutcome[];
  readonly latest: Episode | null;
  readonly policy: EpisodePolicy;
}): PendingEpisode | null {
  const { outcomes, latest, policy } = input;
  const last = outcomes.at(-1);
  if (last === undefined || latest?.state === 'open') return null;
  const closedMs = latest?.closedBy?.endMs ?? Number.NEGATIVE_INFINITY;
  const drifted = counting(outcomes, policy.openWindows - 1, closedMs, policy);
  const [first, newest] = [drifted[0], drifted.at(-1)];
  if (first === undefined || newest === undefined) return null;
  return {
    id: episodeId(first),
    model: last.model,
    modelVersion: last.modelVersion,
    category: last.category,
    severity: severityOf(newest, policy),
    firstWindow: first.window,
    lastWindow: last.window,
    drivers: newest.drivers.flatMap(driverOf).slice(0, MAX_DRIVERS),
    drifted: drifted.length,
    needed: policy.openCount,
  };
}

function tryOpen(
  outcomes: readonly WindowOutcome[],
  last: WindowOutcome,
  latest: Episode | null,
  policy: EpisodePolicy,
  nowMs: number,
): EpisodeDecision | null {
  if (last.state !== 'drifted') return null;
  const closedMs = latest?.closedBy?.endMs ?? Number.NEGATIVE_INFINITY;
  if (last.window.endMs < closedMs + policy.cooldownMs) return null;
  const drifted = counting(outcomes, policy.openWindows, closedMs, policy);
  const first = drifted[0];
  if (first === undefined || drifted.length < policy.openCount) return null;
  const episode: Episode = {
    id: episodeId(first),
    model: last.model,
    modelVersion: last.modelVersion,
    category: last.category,
    severity: severityOf(last, policy),
    state: 'open',
    firstWindow: first.window,
    openedBy: last.window,
    closedBy: null,
    lastWindow: last.window,
    drivers: last.drivers.flatMap(driverOf).slice(0, MAX_DRIVERS),
    ...(last.why === undefined ? {} : { why: last.why }),
    openedAtMs: nowMs,
    closedAtMs: null,
  };
  return { episode, change: 'opened' };
}

function carryOn(
  outcomes: readonly WindowOutcome[],
  last: WindowOutcome,
  open: Episode,
  policy: EpisodePolicy,
  nowMs: number,
): EpisodeDecision | null {
  const run = unbroken(outcomes, policy.stepMs).slice(-closeWindowsOf(policy));
  const breakAt = run.findLastIndex(
    ({ state, window }) => state === 'undecided' || window.endMs <= open.openedBy.endMs,
  );
  const clean = run.slice(breakAt + 1).filter((outcome) => outcome.state === 'clean');
  const seen = { ...open, lastWindow: last.window };
  if (last.state === 'clean' && clean.length >= policy.closeCount)
    return {
      episode: { ...seen, state: 'closed', closedBy: last.window, closedAtMs: nowMs },
      change: 'closed',
    };
  const worse = last.state === 'drifted' && severityOf(last, policy) === 'critical';
  const severity = worse ? 'critical' : open.severity;
  if (severity === open.severity && last.window.endMs === open.lastWindow.endMs) return null;
  return { episode: { ...seen, severity }, change: 'updated' };
}

/**
 * What the window just judged means for the one episode of its model version and category. Pure.
 *
 * Opens when the window is drifted and, of the last `openWindows` windows, `openCount` are; an undecided or missing window
 * ends the look back, and so does the close of the episode before. Closes when the window is clean and, of the last `closeWindows` after
 * the opening, `closeCount` are; an undecided or missing window ends that look back too: an alarm ends on evidence, not on silence.
 * No episode opens before `cooldownMs` of event time have passed since the last close. Severity only rises.
 * The same window again, or an older one, yields null: what has been said stands.
 *
 * @param input.outcomes of one version and category, oldest first; the last is the window just judged
 * @param input.latest the newest episode of that version and category, open or closed
 * @param input.nowMs stamped as opening or closing time
 * @returns null when nothing changes
 * @throws RangeError when outcomes are unordered, empty or mixed
 */
export function decideEpisode(input: {
  readonly outcomes: readonly WindowOutcome[];
  readonly latest: Episode | null;
  readonly policy: EpisodePolicy;
  readonly nowMs: number;
}): EpisodeDecision | null {
  const { outcomes, latest, policy, nowMs } = input;
  const last = outcomes.at(-1);
  if (last === undefined) throw new RangeError('outcomes must not be empty: pass the window just judged');
  checkInput(outcomes, latest);
  const saidMs = latest?.lastWindow.endMs ?? Number.NEGATIVE_INFINITY;
  if (last.window.endMs < saidMs) return null;
  if (latest?.state === 'open') return carryOn(outcomes, last, latest, policy, nowMs);
  if (last.window.endMs === saidMs) return null;
  return tryOpen(outcomes, last, latest, policy, nowMs);
}
