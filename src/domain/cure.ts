import { closeWindowsOf, type Episode, type EpisodeDriver, type Policy } from './episode.js';
import { type Segment, segmentId } from './segment.js';
import type { UndecidedReason, Verdict } from './verdict.js';
import type { Window } from './window.js';

/** One of the tests that opened the episode, put again to the version that was trained anew. */
export interface CureDriver {
  readonly feature: string;
  /** The rows that moved; all when left out. */
  readonly segment?: Segment;
  readonly detector: string;
  /** Effect in the window that opened the episode. */
  readonly before: number;
  /** Median effect over the windows looked at, against the new version's reference; null where none has one. */
  readonly after: number | null;
  /** `absent`: the new version has no such column. */
  readonly state: 'clean' | 'drifted' | 'undecided' | 'absent';
  /**
   * Why the newest undecided window could not tell, `null_provisional` where it is not known yet how ordinary windows differ; null
   * unless `undecided`, or where the window has no such verdict.
   */
  readonly reason: UndecidedReason | 'null_provisional' | null;
}

/** Whether a version that was trained for an episode has done away with what opened it. */
export interface Cure {
  readonly verdict: 'cured' | 'not_cured' | 'cannot_tell';
  /** Why nobody can tell yet; null once it is told. */
  readonly reason: 'no_reference' | 'no_windows' | 'too_few_windows' | 'undecided' | 'columns_absent' | null;
  /** Of the new version, since the episode opened: the windows that decided it, or all of them while none do. */
  readonly period: Window | null;
  readonly windows: {
    readonly clean: number;
    readonly drifted: number;
    readonly undecided: number;
    /** Clean windows, of as many as the policy looks back on, that make a cure. */
    readonly needed: number;
  };
  /** Worst first, as in the episode. */
  readonly drivers: readonly CureDriver[];
}

/** A window of the new version with its primary verdicts. */
export interface RetrainedWindow {
  readonly window: Window;
  readonly verdicts: readonly Verdict[];
}

type WindowState = 'clean' | 'drifted' | 'undecided';
interface Looked {
  readonly window: Window;
  readonly state: WindowState;
  /** In the order of the drivers that are not absent; undefined where there is none. */
  readonly verdicts: readonly (Verdict | undefined)[];
}

const testOf = ({ feature, segment, detector }: Pick<Verdict, 'feature' | 'segment' | 'detector'>) =>
  JSON.stringify([feature, segment === undefined ? '' : segmentId(segment), detector]);

const isProvisional = ({ parameters }: Verdict) => parameters.nullProvisional === true;

/** As in an episode: drift needs significance and size. A test that is missing or undecided tells nothing, which is never `clean`. */
function stateOf(verdict: Verdict | undefined): WindowState {
  if (verdict === undefined || verdict.status === 'undecided' || isProvisional(verdict)) return 'undecided';
  return verdict.status === 'drifted' && verdict.material ? 'drifted' : 'clean';
}

function together(states: readonly WindowState[]): WindowState {
  if (states.includes('drifted')) return 'drifted';
  return states.includes('undecided') ? 'undecided' : 'clean';
}

function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Windows in a row up to the last one: a missing or undecided one breaks it, as in the policy. */
function rowOf(looked: readonly Looked[], stepMs: number): Looked[] {
  const row: Looked[] = [];
  for (const each of looked.toReversed()) {
    const next = row[0];
    if (each.state === 'undecided') break;
    if (next !== undefined && next.window.endMs - each.window.endMs !== stepMs) break;
    row.unshift(each);
  }
  return row;
}

function driverOf(driver: EpisodeDriver, verdicts: readonly (Verdict | undefined)[] | null): CureDriver {
  const { feature, segment, detector, effect: before } = driver;
  const test = { feature, ...(segment === undefined ? {} : { segment }), detector, before };
  if (verdicts === null) return { ...test, after: null, state: 'absent', reason: null };
  const effects = verdicts.flatMap((verdict) =>
    verdict === undefined || verdict.effect === null ? [] : [verdict.effect.value],
  );
  const state = together(verdicts.length === 0 ? ['undecided'] : verdicts.map(stateOf));
  const doubtful = verdicts.findLast((verdict) => stateOf(verdict) === 'undecided');
  const reason =
    doubtful?.reason ?? (doubtful !== undefined && isProvisional(doubtful) ? 'null_provisional' : null);
  return {
    ...test,
    after: medianOf(effects),
    state,
    reason: state === 'undecided' ? reason : null,
  };
}

/**
 * Puts the tests that opened an episode again to the version trained for it, by the policy's own rules: cured once `closeCount`
 * of the last `closeWindows` are clean in all of them, the last one too, not cured once `openCount` of `openWindows` drift in any, whichever comes first. An
 * undecided or missing window breaks a row and cures nothing. Pure.
 *
 * @param input.windows of the new version since the episode opened, oldest first; more than it takes change nothing
 * @param input.columns of the new version; a driver about another column is left out of account
 * @param input.hasReference whether the new version has something to be compared with
 */
export function judgeCure(input: {
  readonly episode: Pick<Episode, 'drivers'>;
  readonly windows: readonly RetrainedWindow[];
  readonly columns: ReadonlySet<string>;
  readonly hasReference: boolean;
  readonly policy: Pick<Policy, 'openCount' | 'openWindows' | 'closeCount' | 'closeWindows'> & {
    readonly stepMs: number;
  };
}): Cure {
  const { episode, windows, columns, hasReference, policy } = input;
  // verdicts about whole rows have no column
  const present = episode.drivers.filter(({ feature }) => feature === '' || columns.has(feature));
  const looked: Looked[] = [];

  function told(verdict: Cure['verdict'], reason: Cure['reason'], decisive: readonly Looked[]): Cure {
    const count = (state: WindowState) => decisive.filter((each) => each.state === state).length;
    const [first, last] = [decisive[0], decisive.at(-1)];
    return {
      verdict,
      reason,
      period:
        first === undefined || last === undefined
          ? null
          : { startMs: first.window.startMs, endMs: last.window.endMs },
      windows: {
        clean: count('clean'),
        drifted: count('drifted'),
        undecided: count('undecided'),
        needed: policy.closeCount,
      },
      drivers: episode.drivers.map((driver) => {
        const place = present.indexOf(driver);
        return driverOf(driver, place < 0 ? null : decisive.map(({ verdicts }) => verdicts[place]));
      }),
    };
  }

  if (present.length === 0) return told('cannot_tell', 'columns_absent', []);
  for (const { window, verdicts } of windows) {
    const byTest = new Map(verdicts.map((verdict) => [testOf(verdict), verdict]));
    const own = present.map((driver) => byTest.get(testOf(driver)));
    looked.push({ window, state: together(own.map(stateOf)), verdicts: own });
    const row = rowOf(looked, policy.stepMs);
    const recent = row.slice(-policy.openWindows);
    const drifts = recent.filter(({ state }) => state === 'drifted').length;
    if (row.at(-1)?.state === 'drifted' && drifts >= policy.openCount) return told('not_cured', null, recent);
    const closing = row.slice(-closeWindowsOf(policy));
    const clean = closing.filter(({ state }) => state === 'clean');
    if (row.at(-1)?.state === 'clean' && clean.length >= policy.closeCount)
      return told('cured', null, closing);
  }
  if (looked.length === 0) return told('cannot_tell', hasReference ? 'no_windows' : 'no_reference', []);
  const doubtful = looked.at(-1)?.state === 'undecided';
  return told('cannot_tell', doubtful ? 'undecided' : 'too_few_windows', looked);
}
