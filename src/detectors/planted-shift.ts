import type { PlantedShift } from '../domain/backtest.js';
import type { Grid, Profile } from '../domain/profile.js';
import { AppError } from '../errors.js';
import { categoryPlan, cellMoments, moveCells, shiftPlan, thinCells } from '../stats/shift-cells.js';

/** Of a reference's values in the gaps between cut points, at most this share makes a column one of few distinct values. */
const DISCRETE_GAP_SHARE = 0.001;

/**
 * Plants a drift into profiles of one column. Deterministic: rows are moved in the proportions of each profile, not drawn.
 *
 * @throws AppError invalid_request when the column is unknown or cannot be shifted so
 */
export function createPlantedShift(
  shift: PlantedShift,
  grids: readonly Grid[],
  reference: readonly Profile[],
): (profile: Profile) => Profile {
  const grid = grids.find((known) => known.feature === shift.feature);
  const base = reference.find((known) => known.feature === shift.feature);
  if (grid === undefined || base === undefined)
    throw new AppError(
      'invalid_request',
      `shifts: the reference has no column ${shift.feature}: name one that is monitored`,
    );
  if (shift.kind === 'missing' || grid.kind === 'categorical') {
    if (!(shift.size > 0 && shift.size <= 1))
      throw new AppError(
        'invalid_request',
        `shifts: ${shift.size} of ${shift.feature} is no share: give 0 to 1`,
      );
  }
  if (shift.kind === 'missing')
    return (profile) => {
      const { left, taken } = thinCells(profile.counts, shift.size);
      return { ...profile, counts: left, missing: profile.missing + taken };
    };
  const plan =
    grid.kind === 'numeric' ? numericPlan(shift, grid.cutPoints, base) : categoricalPlan(shift, base.counts);
  // Where the values lie has changed, and the extremes with it; no primary test asks for them.
  return (profile) => ({
    ...profile,
    counts: moveCells(profile.counts, plan),
    offsets: [],
    min: null,
    max: null,
  });
}

function numericPlan({ size, feature }: PlantedShift, cutPoints: readonly number[], base: Profile) {
  const { sd } = cellMoments(base.counts, cutPoints);
  if (!(sd > 0))
    throw new AppError(
      'invalid_request',
      `shifts: ${feature} is constant in the reference: choose another column`,
    );
  let inGaps = 0;
  let rows = 0;
  for (const [cell, count] of base.counts.entries()) {
    rows += count;
    if (cell % 2 === 0) inGaps += count;
  }
  return shiftPlan(cutPoints, size * sd, { width: sd, discrete: inGaps <= DISCRETE_GAP_SHARE * rows });
}

function categoricalPlan({ size, feature }: PlantedShift, counts: readonly number[]) {
  const rows = counts.reduce((sum, count) => sum + count, 0);
  if (counts.filter((count) => count > 0).length < 2)
    throw new AppError(
      'invalid_request',
      `shifts: ${feature} has one value in the reference: choose another column`,
    );
  return categoryPlan(
    counts.map((count) => count / rows),
    size,
  );
}
