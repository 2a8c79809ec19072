import type { ModelVersion } from '../domain/model.js';
import type { Store, VersionKey } from '../domain/ports.js';
import { END_OF_TIME_MS, type WindowSpec } from '../domain/window.js';
import { endsHolding } from './due-windows.js';
import { createLabelWaits, type LabelWaits } from './label-waits.js';

/** How far the cycle has come with one version. */
export interface VersionState {
  /** End of the newest judged window, ms. */
  frontierMs: number;
  /** End of the newest window whose performance was decided, ms. */
  performanceMs: number;
  /** Event time of the first stored row, ms; infinite until that is told. */
  firstEventMs: number;
  /** Ends of windows up to the frontier that may have other rows or labels than when they were judged, if they were. */
  readonly touched: Set<number>;
  /** Of these, those that are judged though they have no more rows, nor notably more labels, than before: some were corrected, or waited. */
  readonly overdue: Set<number>;
  readonly waits: LabelWaits;
}

const nameOf = ({ model, modelVersion }: VersionKey) => JSON.stringify([model, modelVersion]);

/** Remembers how far the cycle has come; what it does not remember it reads from the store. */
export function createVersionStates(
  store: Pick<Store, 'listRuns' | 'recentOutcomes' | 'recentlyCountedHours'>,
  specOf: (model: string) => WindowSpec,
  monotonicMs: () => number,
) {
  const states = new Map<string, VersionState>();
  /** Of these the touched windows are to be found anew. */
  const unsure = new Set<string>();

  function touchHours(state: VersionState, hourStartsMs: readonly number[], spec: WindowSpec): void {
    for (const hourMs of hourStartsMs)
      for (const endMs of endsHolding(hourMs, spec)) if (endMs <= state.frontierMs) state.touched.add(endMs);
  }

  async function of({ model, modelVersion }: VersionKey): Promise<VersionState> {
    const key = { model, modelVersion };
    const name = nameOf(key);
    const known = states.get(name);
    if (known !== undefined && !unsure.has(name)) return known;
    // A crash, or a failure, may lie between counting and judging: every window judged is looked at once,
    const spec = specOf(model);
    const runs = await store.listRuns(key, 0, END_OF_TIME_MS);
    const query = { ...key, category: 'performance', untilMs: END_OF_TIME_MS, limit: 1 };
    const [decided] = await store.recentOutcomes({ ...query, decided: true });
    const ownLength = runs.filter(({ window }) => window.endMs - window.startMs === spec.lengthMs);
    const state: VersionState = {
      frontierMs: runs.at(-1)?.window.endMs ?? 0,
      performanceMs: decided?.window.endMs ?? 0,
      firstEventMs: known?.firstEventMs ?? Number.POSITIVE_INFINITY,
      touched: new Set(ownLength.map(({ window }) => window.endMs)),
      overdue: known?.overdue ?? new Set<number>(),
      waits: known?.waits ?? createLabelWaits(monotonicMs),
    };
    // and those that were not, whose rows had come late.
    if (runs.length > 0) touchHours(state, await store.recentlyCountedHours(key), spec);
    states.set(name, state);
    unsure.delete(name);
    return state;
  }

  return {
    of,
    /** Remembers judged windows whose hours were counted again, and those of them whose labels were corrected. */
    async touch(
      model: ModelVersion,
      hourStartsMs: readonly number[],
      correctedMs: readonly number[] = [],
    ): Promise<void> {
      const state = await of(model);
      const spec = specOf(model.model);
      touchHours(state, hourStartsMs, spec);
      for (const hourMs of correctedMs)
        for (const endMs of endsHolding(hourMs, spec)) state.overdue.add(endMs);
    },
    /** The first row is this one: windows that held the one that seemed to be, and were not whole, may be. */
    begins(state: VersionState, spec: WindowSpec, firstEventMs: number): void {
      if (Number.isFinite(state.firstEventMs) && firstEventMs < state.firstEventMs)
        touchHours(state, [state.firstEventMs], spec);
      state.firstEventMs = firstEventMs;
    },
    /** Windows that wait for labels are judged with those there are; those that have waited long enough, or all. Returns how many. */
    endWaiting(all = false): number {
      let ended = 0;
      for (const state of states.values())
        for (const endMs of state.waits.over(all)) {
          state.touched.add(endMs);
          state.overdue.add(endMs);
          ended += 1;
        }
      return ended;
    },
    /** Something of these was counted perhaps, and nobody said what. */
    doubt(keys: readonly VersionKey[]): void {
      for (const key of keys) unsure.add(nameOf(key));
    },
    /** A deleted model that is registered again begins anew. */
    retain(keys: readonly VersionKey[]): void {
      const listed = new Set(keys.map(nameOf));
      for (const names of [states, unsure])
        for (const name of [...names.keys()]) if (!listed.has(name)) names.delete(name);
    },
  };
}

/** A window whose rows and labels are looked at is not to be looked at again before they change. */
export function seen(state: VersionState, endMs: number): void {
  for (const ends of [state.touched, state.overdue]) ends.delete(endMs);
}

/** A window was judged, with all its rows and labels of now. */
export function judged(state: VersionState, endMs: number): void {
  seen(state, endMs);
  state.waits.judged(endMs);
  state.frontierMs = Math.max(state.frontierMs, endMs);
}
