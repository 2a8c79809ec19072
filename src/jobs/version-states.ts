import type { ModelVersion } from '../domain/model.js';
import type { Store, VersionKey } from '../domain/ports.js';
import { END_OF_TIME_MS, type WindowSpec } from '../domain/window.js';
import { endsHolding } from './due-windows.js';

/** How far the cycle has come with one version. */
export interface VersionState {
  /** End of the newest judged window, ms. */
  frontierMs: number;
  /** End of the newest window whose performance was decided, ms. */
  performanceMs: number;
  /** Ends of judged windows that may have grown since. */
  readonly touched: Set<number>;
  /** Of these, those whose labels were corrected: they have no more rows or labels than before. */
  readonly corrected: Set<number>;
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
    // First sight since the start: a crash may lie between profiling and judging, so every judged window is looked at once.
    const runs = await store.listRuns(key, 0, END_OF_TIME_MS);
    const query = { ...key, category: 'performance', untilMs: END_OF_TIME_MS, limit: 1 };
    const [decided] = await store.recentOutcomes({ ...query, decided: true });
    const state = {
      frontierMs: runs.at(-1)?.window.endMs ?? 0,
      performanceMs: decided?.window.endMs ?? 0,
      touched: new Set(runs.map((run) => run.window.endMs)),
      corrected: new Set<number>(),
    };
    states.set(nameOf(key), state);
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
      for (const hourMs of hourStartsMs)
        for (const endMs of endsHolding(hourMs, spec))
          if (endMs <= state.frontierMs) state.touched.add(endMs);
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
