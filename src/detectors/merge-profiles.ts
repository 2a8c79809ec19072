import type { Profile } from '../domain/profile.js';

/** Adds up profiles of one column. Exact and order-blind: whole-number sums, least and greatest values. */
export function mergeProfiles(profiles: readonly Profile[]): Profile {
  const [first] = profiles;
  if (first === undefined) throw new RangeError('no profile to merge: give at least one');
  for (const other of profiles) {
    if (other.feature !== first.feature || other.kind !== first.kind)
      throw new TypeError(
        `profiles of ${first.feature} (${first.kind}) and ${other.feature} (${other.kind}) do not merge`,
      );
    if (other.counts.length !== first.counts.length)
      throw new TypeError(`profiles of ${first.feature} have different cells: use one grid`);
  }
  const sum = (partOf: (profile: Profile) => number) =>
    profiles.reduce((all, profile) => all + partOf(profile), 0);
  const least = profiles.flatMap((profile) => (profile.min === null ? [] : [profile.min]));
  const greatest = profiles.flatMap((profile) => (profile.max === null ? [] : [profile.max]));
  return {
    feature: first.feature,
    kind: first.kind,
    rows: sum((profile) => profile.rows),
    missing: sum((profile) => profile.missing),
    nonFinite: sum((profile) => profile.nonFinite),
    mistyped: sum((profile) => profile.mistyped),
    counts: addUp(profiles.map((profile) => profile.counts)),
    offsets: addUp(profiles.map((profile) => profile.offsets)),
    min: least.length === 0 ? null : Math.min(...least),
    max: greatest.length === 0 ? null : Math.max(...greatest),
  };
}

/** The counts of `whole` without those of `part`, which must be a part of it. Extremes cannot be taken out: null. */
export function withoutPart(whole: Profile, part: Profile): Profile {
  return {
    ...whole,
    rows: whole.rows - part.rows,
    missing: whole.missing - part.missing,
    nonFinite: whole.nonFinite - part.nonFinite,
    mistyped: whole.mistyped - part.mistyped,
    counts: whole.counts.map((count, i) => count - (part.counts[i] ?? 0)),
    offsets: whole.offsets.map((offset, i) => offset - (part.offsets[i] ?? 0)),
    min: null,
    max: null,
  };
}

function addUp(vectors: readonly (readonly number[])[]): number[] {
  const length = Math.max(...vectors.map((vector) => vector.length));
  const sums = new Array<number>(length).fill(0);
  for (const vector of vectors)
    for (let i = 0; i < vector.length; i++) sums[i] = (sums[i] ?? 0) + (vector[i] ?? 0);
  return sums;
}
