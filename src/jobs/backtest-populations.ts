import type { SegmentBaseline } from '../detectors/column-baseline.js';
import type { Candidate } from '../detectors/measure-columns.js';
import { createQuickMeasure, type QuickSides } from '../detectors/quick-measure.js';
import { PRODUCTION, type Store, type VersionKey } from '../domain/ports.js';
import type { Profile } from '../domain/profile.js';
import { segmentScope } from '../domain/segment.js';
import type { Window, WindowSpec } from '../domain/window.js';
import { createRollingWindow } from './rolling-window.js';

/** A drift in one column, as a change of its counts. */
export interface Plant {
  readonly feature: string;
  readonly plant: (profile: Profile) => Profile;
}

/** The rows that a family of tests is about: all of a window's, or those of one segment. */
export interface Population {
  /** Takes in the counts of the step that begins at a time. */
  step(startMs: number): Promise<void>;
  /** Whether as many steps are in as a window has. */
  isFull(): boolean;
  /** Rows of the window that ends with the last step. */
  rows(): number;
  measure(level: number): Candidate[];
  /** The tests of the same window with one column's measured again on its shifted counts. */
  shifted(measured: readonly Candidate[], plant: Plant, level: number): readonly Candidate[];
  close(): Promise<void>;
}

/** Pieces of a series one after the other, each asked for by its start; those that are not there have no profiles. */
function createPieceReader(series: AsyncIterable<{ window: Window; profiles: Profile[] }>) {
  const iterator = series[Symbol.asyncIterator]();
  let next: { window: Window; profiles: Profile[] } | null | undefined;
  const advance = async () => {
    const { value, done } = await iterator.next();
    return done === true ? null : value;
  };
  return {
    async at(startMs: number): Promise<Profile[]> {
      if (next === undefined) next = await advance();
      while (next !== null && next.window.startMs < startMs) next = await advance();
      if (next === null || next.window.startMs !== startMs) return [];
      const { profiles } = next;
      next = undefined;
      return profiles;
    },
    async close(): Promise<void> {
      await iterator.return?.();
    },
  };
}

/** All rows first, then the segments that have a reference: the others are undecided, and take no share of the level. */
export function createPopulations(
  store: Pick<Store, 'profileSeries'>,
  sides: QuickSides,
  segments: readonly SegmentBaseline[],
  input: { readonly key: VersionKey; readonly spec: WindowSpec; readonly period: Window },
): Population[] {
  const { key, spec, period } = input;
  const all = [sides, ...segments.map((segment) => ({ ...sides, ...segment }))];
  return all.map((own): Population => {
    const measure = createQuickMeasure(own);
    const rolling = createRollingWindow(spec.lengthMs / spec.stepMs);
    const scope = segmentScope(PRODUCTION, own.segment);
    const reader = createPieceReader(store.profileSeries({ ...key, scope }, period, spec.stepMs, all.length));
    let profiles: readonly Profile[] = [];
    return {
      async step(startMs) {
        rolling.push(await reader.at(startMs));
        profiles = rolling.profiles();
      },
      isFull: () => rolling.isFull(),
      rows: () => profiles.reduce((most, profile) => Math.max(most, profile.rows), 0),
      measure: (level) => measure(profiles, level),
      shifted(measured, { feature, plant }, level) {
        const profile = profiles.find((known) => known.feature === feature);
        if (profile === undefined) return measured;
        const again = measure([plant(profile)], level, feature);
        let next = 0;
        return measured.map((candidate) =>
          candidate.column.name === feature ? (again[next++] ?? candidate) : candidate,
        );
      },
      close: () => reader.close(),
    };
  });
}
