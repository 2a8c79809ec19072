import type { VersionKey } from '../domain/ports.js';
import type { Window } from '../domain/window.js';
import { createBatch, loadByGroup } from './batch.js';
import { sumBetween } from './hour-slices.js';

const VERSIONS_PER_STATEMENT = 256;

/** Rows counted in an hour, which counts from the epoch. */
interface HourCount {
  readonly hour: number;
  readonly counted: number;
}

/**
 * Counted rows of a version's windows, of many versions with the same windows in one statement.
 *
 * @param load for each version the hours with rows that its windows cover, ascending
 */
export function createRowCounts(
  load: (
    keys: readonly VersionKey[],
    windows: readonly Window[],
  ) => Promise<readonly (readonly HourCount[])[]>,
): (key: VersionKey, windows: readonly Window[]) => Promise<number[]> {
  interface Call {
    readonly key: VersionKey;
    readonly windows: readonly Window[];
  }
  const count = createBatch(
    (calls: readonly Call[]) =>
      loadByGroup(
        calls,
        ({ windows }) => JSON.stringify(windows.flatMap(({ startMs, endMs }) => [startMs, endMs])),
        async (alike) => {
          const windows = alike[0]?.windows ?? [];
          const hours = await load(
            alike.map(({ key }) => key),
            windows,
          );
          return hours.map((counts) => windows.map((window) => sumBetween(counts, window)));
        },
      ),
    VERSIONS_PER_STATEMENT,
  );
  return async (key, windows) => (windows.length === 0 ? [] : count({ key, windows }));
}
