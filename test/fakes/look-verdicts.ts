import type { FeatureSchema } from '../../src/domain/model.js';
import type { Profile } from '../../src/domain/profile.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { DAY_MS, type Window } from '../../src/domain/window.js';
import { VERSION } from './look-data.js';

export const HASH = 'a3f1c29b77d05e4486b1c0ffee5d1234567890abcdef1234567890abcdef1234';
export const START_MS = Date.UTC(2013, 2, 1);

/** A verdict with everything filled in; parts override. */
export function verdictOf(parts: Partial<Verdict>): Verdict {
  return {
    model: VERSION.model,
    modelVersion: VERSION.modelVersion,
    feature: 'temp',
    detector: 'ks',
    category: 'drift',
    role: 'primary',
    window: { startMs: START_MS, endMs: START_MS + DAY_MS },
    status: 'stable',
    reason: null,
    material: false,
    statistic: 0.05,
    effect: { value: 0.05, low: 0.03, high: 0.08 },
    pValue: 0.4,
    adjustedPValue: 1,
    threshold: 0.2,
    minimumEffect: 0.1,
    referenceRows: 24_951,
    currentRows: 812,
    effectiveReferenceRows: 310,
    effectiveCurrentRows: 14,
    null: 'temporal',
    designEffect: 58,
    resolution: 0,
    smallestVisibleEffect: 0.21,
    referenceHash: HASH,
    parameters: {},
    seed: null,
    ...parts,
  };
}

/** D from cells: the largest gap of the cumulated shares. */
function gapOf(reference: Profile, current: Profile): number {
  const left = reference.rows - reference.missing;
  const right = current.rows - current.missing;
  let [f, g, gap] = [0, 0, 0];
  for (const [cell, count] of reference.counts.entries()) {
    f += count / Math.max(1, left);
    g += (current.counts[cell] ?? 0) / Math.max(1, right);
    gap = Math.max(gap, Math.abs(f - g));
  }
  return gap;
}

/** What the service would say about one column in one window, with made-up but consistent thresholds. */
export function judge(
  column: FeatureSchema,
  reference: Profile,
  current: Profile,
  window: Window,
): Verdict[] {
  const base = { feature: column.name, window, currentRows: current.rows, referenceRows: reference.rows };
  const decide = (value: number, threshold: number, minimumEffect: number, spread: number) => {
    const drifted = value >= threshold;
    return {
      status: drifted ? ('drifted' as const) : ('stable' as const),
      material: drifted && value >= minimumEffect,
      statistic: value,
      effect: { value, low: Math.max(0, value - spread), high: Math.min(1, value + spread) },
      threshold,
      minimumEffect,
      pValue: Math.exp(-3.2 * (value / threshold) ** 2),
      adjustedPValue: Math.min(1, 17 * Math.exp(-3.2 * (value / threshold) ** 2)),
    };
  };
  const gap = gapOf(reference, current);
  const invisible = column.name === 'weekday';
  const shape = verdictOf({
    ...base,
    detector: column.kind === 'numeric' ? 'ks' : 'chiSquare',
    ...decide(
      gap,
      column.name === 'hour' || column.name === 'distance'
        ? 0.07
        : column.name.startsWith('wind') || column.name === 'precip'
          ? 0.4
          : 0.27,
      0.1,
      0.05,
    ),
    ...(invisible
      ? {
          status: 'undecided',
          reason: 'not_visible_at_window_length',
          material: false,
          pValue: null,
          adjustedPValue: null,
          threshold: null,
        }
      : {}),
  });
  const share = (profile: Profile) => profile.missing / Math.max(1, profile.rows);
  const missing = verdictOf({
    ...base,
    detector: 'missing',
    category: 'dataQuality',
    ...decide(Math.abs(share(current) - share(reference)), 0.05, 0.005, 0.01),
  });
  const psi = verdictOf({
    ...base,
    detector: 'psi',
    role: 'descriptive',
    ...decide(4 * gap * gap, 0.3, 0.1, 0.04),
  });
  if (column.kind === 'numeric') return [shape, missing, psi];
  const unseen = (current.counts.at(-1) ?? 0) / Math.max(1, current.rows);
  return [
    shape,
    missing,
    verdictOf({
      ...base,
      detector: 'unseen',
      category: 'dataQuality',
      ...decide(unseen, 0.01, 0.005, 0.004),
    }),
    psi,
  ];
}
