import type { Clock } from '../domain/clock.js';
import type { ModelVersion } from '../domain/model.js';
import type { Store, VersionKey } from '../domain/ports.js';
import { END_OF_TIME_MS, HOUR_MS, type WindowSpec, windowsEndingIn } from '../domain/window.js';
import { endsHolding, firstWholeEndMs } from './due-windows.js';

/** How far the cycle has come with one version. */
export interface VersionState {
  /** End of the newest judged window, ms. */
  frontierMs: number;
  /** End of the newest window whose performance was decided, ms. */
  performanceMs: number;
  /** The earliest that a row of the version is known to be, ms; infinite until that is told. */
  firstEventMs: number;
  /** Ends of windows that may have other rows or labels than when they were judged, if they were. */
  readonly touched: Set<number>;
  /** Of these, those that are judged though they have no more rows, nor notably more labels, than before: some were corrected, or waited. */
  readonly overdue: Set<number>;
  /** Ends of windows with a few more labels than when they were judged, and since when they wait for the others, ms of the cycle's clock. */
  readonly waiting: Map<number, number>;
  /** When labels last came, ms of the wall clock. */
  labelledMs: number;
}

/** Where none came for so long, labels have come to rest: a nightly load of them has ended. */
const REST_MS = 60_000;
/** Where they never rest, a window waits for a tenth of its age, and no less than this. */
const WAIT_MS = HOUR_MS;
const WAIT_OF_AGE = 0.1;

/** A window was judged, with all its rows and labels of now. */
export function judged(state: VersionState, endMs: number): void {
  seen(state, endMs);
  state.waiting.delete(endMs);
  state.frontierMs = Math.max(state.frontierMs, endMs);
}

/** A window has a few more labels than when it was judged. */
export function waits(state: VersionState, endMs: number, nowMs: number): void {
  if (!state.waiting.has(endMs)) state.waiting.set(endMs, nowMs);
}

/**
 * Windows that waited long enough for the rest of their labels are judged with those there are: so that in the end a verdict follows
 * from all of them, and a window that gets one every minute for a month is judged some seventy times and not forty thousand.
 */
export function endWaiting(state: VersionState, nowMs: number, wallMs: number): void {
  const atRest = wallMs - state.labelledMs >= REST_MS;
  for (const [endMs, sinceMs] of state.waiting)
    if (atRest || nowMs - sinceMs >= Math.max(WAIT_MS, (nowMs - endMs) * WAIT_OF_AGE)) {
      state.touched.add(endMs);
      state.overdue.add(endMs);
    }
}

/** A window whose rows and labels are looked at is not to be looked at again before they change. */
export function seen(state: VersionState, endMs: number): void {
  for (const ends of [state.touched, state.overdue]) ends.delete(endMs);
}

const nameOf = ({ model, modelVersion }: VersionKey) => JSON.stringify([model, modelVersion]);

/** Remembers how far the cycle has come; what it does not remember it reads from the store. */
export function createVersionStates(
  store: Pick<Store, 'listRuns' | 'recentOutcomes'>,
  specOf: (model: string) => WindowSpec,
  wallClock: Clock,
) {
  const states = new Map<string, VersionState>();

  async function of({ model, modelVersion }: VersionKey): Promise<VersionState> {
    const key = { model, modelVersion };
    const known = states.get(nameOf(key));
    if (known !== undefined) return known;
    const runs = await store.listRuns(key, 0, END_OF_TIME_MS);
    const query = { ...key, category: 'performance', untilMs: END_OF_TIME_MS, limit: 1 };
    const [decided] = await store.recentOutcomes({ ...query, decided: true });
    const state = {
      frontierMs: runs.at(-1)?.window.endMs ?? 0,
      performanceMs: decided?.window.endMs ?? 0,
      firstEventMs: Number.POSITIVE_INFINITY,
      touched: new Set(runs.map((run) => run.window.endMs)),
      overdue: new Set<number>(),
      waiting: new Map<number, number>(),
      labelledMs: wallClock.now(),
    };
    states.set(nameOf(key), state);
    return state;
  }

  /**
   * The version begins no later than this: windows up to where it seemed to begin, which nobody looked at, or only at a part of, are looked at.
   * At first sight since the start those are all, since a crash may lie between counting and judging.
   */
  function beginsBy(state: VersionState, spec: WindowSpec, ms: number): void {
    if (ms >= state.firstEventMs) return;
    const seemedMs = Math.min(state.frontierMs, state.firstEventMs + spec.lengthMs + spec.stepMs);
    for (const { endMs } of windowsEndingIn(spec, firstWholeEndMs(spec, ms) - spec.stepMs, seemedMs))
      state.touched.add(endMs);
    state.firstEventMs = ms;
  }

  /** Remembers windows whose hours were counted again, and those of them whose labels were corrected. */
  async function touch(
    model: ModelVersion,
    hourStartsMs: readonly number[],
    correctedMs: readonly number[] = [],
  ): Promise<void> {
    const state = await of(model);
    const spec = specOf(model.model);
    for (const hourMs of hourStartsMs) {
      beginsBy(state, spec, hourMs);
      // Those still to come, too: what is known of the newest row may be older than the rows that were counted.
      for (const endMs of endsHolding(hourMs, spec)) state.touched.add(endMs);
    }
    for (const hourMs of correctedMs) for (const endMs of endsHolding(hourMs, spec)) state.overdue.add(endMs);
  }

  return {
    of,
    touch,
    beginsBy: async (model: ModelVersion, ms: number): Promise<void> =>
      beginsBy(await of(model), specOf(model.model), ms),
    /** The same where labels came. */
    async touchLabelled(model: ModelVersion, hourStartsMs: readonly number[]): Promise<void> {
      (await of(model)).labelledMs = wallClock.now();
      await touch(model, hourStartsMs);
    },
    /** A deleted model that is registered again begins anew. */
    retain(keys: readonly VersionKey[]): void {
      const listed = new Set(keys.map(nameOf));
      for (const name of [...states.keys()]) if (!listed.has(name)) states.delete(name);
    },
  };
}
