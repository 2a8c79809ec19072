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
  /** Ends of judged windows that may have other rows or labels since. */
  readonly touched: Set<number>;
  /** Of these, those whose labels were corrected: they have no more rows or labels than before. */
  readonly corrected: Set<number>;
  /** Of these, those that waited for more labels than a few. */
  readonly waited: Set<number>;
  readonly waits: LabelWaits;
}

/** Windows of all versions that a pass judges because they have waited: after a start there may be very many, and the present comes first. */
const WAITED_PER_PASS = 100;

const nameOf = ({ model, modelVersion }: VersionKey) => JSON.stringify([model, modelVersion]);

/** Remembers how far the cycle has come; what it does not remember it reads from the store. */
export function createVersionStates(
  store: Pick<Store, 'listRuns' | 'recentOutcomes'>,
  specOf: (model: string) => WindowSpec,
  monotonicMs: () => number,
) {
  const states = new Map<string, VersionState>();
  /** Of these the touched windows are to be found anew. */
  const unsure = new Set<string>();

  async function of({ model, modelVersion }: VersionKey): Promise<VersionState> {
    const key = { model, modelVersion };
    const name = nameOf(key);
    const known = states.get(name);
    if (known !== undefined && !unsure.has(name)) return known;
    // A crash, or a failure, may lie between counting and judging, so every judged window is looked at once.
    const runs = await store.listRuns(key, 0, END_OF_TIME_MS);
    const query = { ...key, category: 'performance', untilMs: END_OF_TIME_MS, limit: 1 };
    const [decided] = await store.recentOutcomes({ ...query, decided: true });
    const { lengthMs } = specOf(model);
    const ownLength = runs.filter(({ window }) => window.endMs - window.startMs === lengthMs);
    const state: VersionState = {
      frontierMs: runs.at(-1)?.window.endMs ?? 0,
      performanceMs: decided?.window.endMs ?? 0,
      touched: new Set([...(known?.touched ?? []), ...ownLength.map(({ window }) => window.endMs)]),
      corrected: known?.corrected ?? new Set<number>(),
      waited: known?.waited ?? new Set<number>(),
      waits: known?.waits ?? createLabelWaits(monotonicMs),
    };
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
      for (const endMs of endsTo(state.frontierMs, hourStartsMs, spec)) state.touched.add(endMs);
      for (const hourMs of correctedMs)
        for (const endMs of endsHolding(hourMs, spec)) state.corrected.add(endMs);
    },
    /** Windows that have waited long enough for labels, or all that wait, are judged with those there are. Returns how many. */
    endWaiting(all = false): number {
      const found = [...states.values()].flatMap((state) =>
        (all ? state.waits.all() : state.waits.over()).map((wait) => ({ ...wait, state })),
      );
      const most = all ? found.length : WAITED_PER_PASS;
      for (const { state, endMs } of found.sort((a, b) => b.lateMs - a.lateMs).slice(0, most)) {
        state.waits.end(endMs);
        state.touched.add(endMs);
        state.waited.add(endMs);
      }
      return Math.min(found.length, most);
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

export type VersionStates = ReturnType<typeof createVersionStates>;

/** Ends, up to the frontier, of the windows that hold some of the hours, in order. */
export function endsTo(frontierMs: number, hourStartsMs: readonly number[], spec: WindowSpec): number[] {
  const ends = new Set(hourStartsMs.flatMap((hourMs) => endsHolding(hourMs, spec)));
  return [...ends].filter((endMs) => endMs <= frontierMs).sort((a, b) => a - b);
}

/** A window whose rows and labels are looked at is not to be looked at again before they change. */
export function seen(state: VersionState, endMs: number): void {
  for (const ends of [state.touched, state.corrected, state.waited]) ends.delete(endMs);
}

/** A window was judged, with all its rows and labels of now. */
export function judged(state: VersionState, endMs: number): void {
  seen(state, endMs);
  state.waits.end(endMs);
  state.frontierMs = Math.max(state.frontierMs, endMs);
}
