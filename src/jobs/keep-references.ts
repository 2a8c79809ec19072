import type { ProfileQuery, Store } from '../domain/ports.js';
import type { Profile } from '../domain/profile.js';
import type { Bucket } from '../domain/window.js';

/**
 * Cells of all references that are kept: 320 MB of numbers, and about as much again for what the detectors work out of them. That is
 * 250 references of 40 numeric columns with 1,000 cut points.
 */
const MOST_CELLS = 40_000_000;

/**
 * Reads merged counts and keeps those of references, whole columns: they never change under their hash, and judging asks for them with
 * every window. Of what does not fit that goes which was not asked for longest. Those who ask at the same time wait for one reading;
 * one that fails, or finds nothing, is not kept.
 *
 * @param mostCells cells of all references that are kept, counts and offsets alike
 * @returns `mergedProfiles` of the store
 */
export function keepReferences(
  store: Pick<Store, 'mergedProfiles'>,
  mostCells = MOST_CELLS,
): Store['mergedProfiles'] {
  interface Kept {
    readonly reading: Promise<Profile[]>;
    cells: number;
  }
  const kept = new Map<string, Kept>();
  let cells = 0;

  function forget(name: string, entry: Kept): void {
    if (kept.get(name) !== entry) return;
    kept.delete(name);
    cells -= entry.cells;
  }

  function read(name: string, query: ProfileQuery, buckets: readonly Bucket[]): Kept {
    const entry: Kept = { reading: store.mergedProfiles(query, buckets), cells: 0 };
    kept.set(name, entry);
    entry.reading.then(
      (profiles) => {
        entry.cells = profiles.reduce((sum, p) => sum + p.counts.length + p.offsets.length, 0);
        cells += entry.cells;
        // Perhaps they are still to be stored.
        if (entry.cells === 0) forget(name, entry);
        for (const [oldest, other] of kept) {
          if (cells <= mostCells) break;
          // Those that are being read have no size yet.
          if (other.cells > 0) forget(oldest, other);
        }
      },
      () => forget(name, entry),
    );
    return entry;
  }

  return (query, buckets) => {
    if (!query.scope.startsWith('reference:') || query.features !== undefined)
      return store.mergedProfiles(query, buckets);
    const name = JSON.stringify([query.scope, query.model, query.modelVersion]);
    const known = kept.get(name);
    if (known === undefined) return read(name, query, buckets).reading;
    kept.delete(name);
    kept.set(name, known);
    return known.reading;
  };
}
