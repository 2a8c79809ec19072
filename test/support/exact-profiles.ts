import type { Grid, Profile } from '../../src/domain/profile.js';
import { profileOf, type Value } from './count-profiles.js';

/** As `profileOf`, with the offsets that the store keeps: Σ(x − c) in whole quanta. */
export function exactProfileOf(grid: Grid, values: readonly Value[]): Profile {
  const profile = profileOf(grid, values);
  if (grid.kind !== 'numeric') return profile;
  const { cutPoints, quantum } = grid;
  const offsets = profile.counts.map(() => 0);
  for (const value of values) {
    if (typeof value !== 'number' || !Number.isFinite(value)) continue;
    const below = cutPoints.filter((point) => point <= value).length;
    const cell = cutPoints[below - 1] === value ? 2 * below - 1 : 2 * below;
    const base = cutPoints[Math.max(0, below - 1)] ?? 0;
    offsets[cell] = (offsets[cell] ?? 0) + Math.round((value - base) / quantum);
  }
  return { ...profile, offsets };
}
