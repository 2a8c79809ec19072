// What several detectors ask of one profile, and of a reference with every window: worked out once for each profile.
import type { Grid, Profile } from '../domain/profile.js';
import { cellValues, medianOf, unitOf } from '../stats/cell-values.js';
import { binCounts, cellDistance, quantileBinEnds, total } from '../stats/cells.js';
import type { Scores } from '../stats/score-difference.js';

type NumericGrid = Extract<Grid, { kind: 'numeric' }>;

/** Profiles do not change; those of a rolling window are new objects at each step. */
function once<Key, Fact>(
  compute: (profile: Profile, key: Key) => Fact,
): (profile: Profile, key: Key) => Fact {
  const known = new WeakMap<Profile, Map<Key, Fact>>();
  return (profile, key) => {
    let facts = known.get(profile);
    if (facts === undefined) {
      facts = new Map();
      known.set(profile, facts);
    }
    let fact = facts.get(key);
    if (fact === undefined) {
      fact = compute(profile, key);
      facts.set(key, fact);
    }
    return fact;
  };
}

const values = once<NumericGrid, Scores>((profile, { cutPoints, quantum }) =>
  cellValues(cutPoints, quantum, profile, unitOf(cutPoints)),
);
const deviations = once<NumericGrid, Scores>((profile, grid) => {
  const scores = values(profile, grid);
  const median = medianOf(scores);
  const distances = new Float64Array(scores.values.length);
  for (let i = 0; i < distances.length; i++) distances[i] = Math.abs((scores.values[i] as number) - median);
  return { counts: scores.counts, values: distances };
});
const binEnds = once<number, number[]>(({ counts }, bins) => quantileBinEnds(counts, bins));
const ownBins = once<number, number[]>((profile, bins) => binCounts(profile.counts, binEnds(profile, bins)));

const totals = new WeakMap<Profile, number>();
const distances = once<Profile, ReturnType<typeof cellDistance>>((current, reference) =>
  cellDistance(current.counts, reference.counts),
);
/** Mean values of the cells that hold rows, in units of the grid's greatest cut point. */
export const valuesOf = (grid: NumericGrid, profile: Profile): Scores => values(profile, grid);

/** Their distances from their median. */
export const deviationsOf = (grid: NumericGrid, profile: Profile): Scores => deviations(profile, grid);

/** Ends of bins of equal mass; see `quantileBinEnds`. */
export const binEndsOf = (profile: Profile, bins: number): readonly number[] => binEnds(profile, bins);

/** The profile's own counts in these bins. */
export const binsOf = (profile: Profile, bins: number): readonly number[] => ownBins(profile, bins);

/** Values that are counted in the profile's cells. */
export function totalOf(profile: Profile): number {
  let known = totals.get(profile);
  if (known === undefined) {
    known = total(profile.counts);
    totals.set(profile, known);
  }
  return known;
}

/** D between a window and its reference; see `cellDistance`. */
export const distanceBetween = (current: Profile, reference: Profile) => distances(current, reference);
