import type { Profile } from '../domain/profile.js';

/**
 * A window of so many rows that is distributed like the reference, as nearly as whole rows can be: the least drift that such a window
 * could show.
 */
export function usualWindow(reference: readonly Profile[], rows: number): Profile[] {
  return reference.map((profile) => scaled(profile, rows));
}

function scaled(profile: Profile, rows: number): Profile {
  const factor = profile.rows === 0 ? 0 : rows / profile.rows;
  let seen = 0;
  let given = 0;
  // Rounding the running sum keeps both distribution functions within half a row of one another.
  const share = (count: number) => {
    seen += count;
    const upTo = Math.round(seen * factor);
    const part = upTo - given;
    given = upTo;
    return part;
  };
  const counts = profile.counts.map(share);
  return {
    ...profile,
    rows,
    counts,
    offsets: profile.offsets.map((offset, i) => {
      const before = profile.counts[i] ?? 0;
      return before === 0 ? 0 : Math.round((offset * (counts[i] ?? 0)) / before);
    }),
    missing: share(profile.missing),
    nonFinite: share(profile.nonFinite),
    mistyped: share(profile.mistyped),
  };
}
