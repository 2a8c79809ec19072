import type { ModelVersion } from '../domain/model.js';
import type { Store, VersionKey } from '../domain/ports.js';
import { END_OF_TIME_MS, type WindowSpec, windowsEndingIn } from '../domain/window.js';
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
  /** Of these, those whose labels were corrected: they have no more rows or labels than before. */
  readonly corrected: Set<number>;
}

/** A window whose rows and labels are looked at is not to be looked at again before they change. */
export function seen(state: VersionState, endMs: number): void {
  for (const ends of [state.touched, state.corrected]) ends.delete(endMs);
}

const nameOf = ({ model, modelVersion }: VersionKey) => JSON.stringify([model, modelVersion]);

/** Remembers how far the cycle has come; what it does not remember it reads from the store. */
export function createVersionStates(
  store: Pick<Store, 'listRuns' | 'recentOutcomes'>,
  specOf: (model: string) => WindowSpec,
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
      corrected: new Set<number>(),
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

  return {
    of,
    beginsBy: async (model: ModelVersion, ms: number): Promise<void> =>
      beginsBy(await of(model), specOf(model.model), ms),
    /** Remembers windows whose hours were counted again, and those of them whose labels were corrected. */
    async touch(
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
      for (const hourMs of correctedMs)
        for (const endMs of endsHolding(hourMs, spec)) state.corrected.add(endMs);
    },
    /** A deleted model that is registered again begins anew. */
    retain(keys: readonly VersionKey[]): void {
      const listed = new Set(keys.map(nameOf));
      for (const name of [...states.keys()]) if (!listed.has(name)) states.delete(name);
    },
  };
}
