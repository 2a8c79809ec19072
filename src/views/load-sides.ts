import type { Distribution } from '../domain/distribution.js';
import type { FeedbackStore } from '../domain/feedback.js';
import type { FeatureSchema } from '../domain/model.js';
import type { OutlierStore } from '../domain/outlier-ports.js';
import {
  type EpisodeStore,
  type ModelStore,
  PRODUCTION,
  type ProfileStore,
  type StatsStore,
  type VerdictStore,
  type VersionKey,
} from '../domain/ports.js';
import type { Grid, Profile } from '../domain/profile.js';
import { type Reference, referenceBuckets } from '../domain/reference.js';
import { tile, type Window } from '../domain/window.js';
import { quantile, rebin } from './rebin.js';

/** What pages and reports read. */
export type ViewStore = Pick<
  ModelStore,
  'listModels' | 'listGrids' | 'currentReference' | 'listReferences' | 'listReferenceChanges'
> &
  Pick<ProfileStore, 'watermarks' | 'mergedProfiles'> &
  Pick<VerdictStore, 'listVerdicts' | 'listRuns'> &
  Pick<EpisodeStore, 'listEpisodes'> &
  Pick<FeedbackStore, 'listMarks'> &
  Pick<OutlierStore, 'listOutliers'> &
  Pick<StatsStore, 'totals'>;

const DAY_SECONDS = 86_400;

/** Median of both sides, null where unknown. */
export interface Medians {
  readonly reference: number | null;
  readonly current: number | null;
}

export interface Sides {
  readonly grids: ReadonlyMap<string, Grid>;
  readonly reference: ReadonlyMap<string, Profile>;
  readonly current: ReadonlyMap<string, Profile>;
}

const byName = (profiles: readonly Profile[]) =>
  new Map(profiles.map((profile) => [profile.feature, profile] as const));

/** Grids and profiles of both sides; a version without a reference has an empty reference side. */
export async function loadSides(
  store: ViewStore,
  key: VersionKey,
  reference: Reference | null,
  window: Window | null,
  features?: readonly string[],
): Promise<Sides> {
  const query = { ...key, ...(features === undefined ? {} : { features }) };
  const [grids, referenceProfiles, currentProfiles] = await Promise.all([
    store.listGrids(key.model),
    reference === null
      ? []
      : store.mergedProfiles({ ...query, scope: `reference:${reference.hash}` }, referenceBuckets(reference)),
    window === null ? [] : store.mergedProfiles({ ...query, scope: PRODUCTION }, tile(window)),
  ]);
  return {
    grids: new Map(grids.map((grid) => [grid.feature, grid] as const)),
    reference: byName(referenceProfiles),
    current: byName(currentProfiles),
  };
}

/** What a column looks like on both sides; times by their age in days, since nobody reads millions of seconds. */
export function describeFeature(
  sides: Sides,
  { name: feature, time }: Pick<FeatureSchema, 'name' | 'time'>,
): { distribution: Distribution | null; medians: Medians } {
  const grid = sides.grids.get(feature);
  const reference = sides.reference.get(feature) ?? null;
  const current = sides.current.get(feature) ?? null;
  if (grid === undefined || (reference === null && current === null))
    return { distribution: null, medians: { reference: null, current: null } };
  const middle = (profile: Profile | null) => (profile === null ? null : quantile(grid, profile, 0.5));
  const distribution = rebin(grid, reference, current);
  const medians = { reference: middle(reference), current: middle(current) };
  return time === true ? inDays(distribution, medians) : { distribution, medians };
}

function inDays(distribution: Distribution, { reference, current }: Medians) {
  const days = (seconds: number | null) => (seconds === null ? null : seconds / DAY_SECONDS);
  return {
    distribution: {
      ...distribution,
      unit: 'days of age' as const,
      bars: distribution.bars.map((bar) => ({
        ...bar,
        low: bar.low / DAY_SECONDS,
        high: bar.high / DAY_SECONDS,
      })),
    },
    medians: { reference: days(reference), current: days(current) },
  };
}
