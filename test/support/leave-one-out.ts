import { judgeWindow } from '../../src/detectors/judge-window.js';
import { mergeProfiles } from '../../src/detectors/merge-profiles.js';
import { fitNullModel } from '../../src/detectors/null-model.js';
import type { Grid, Profile } from '../../src/domain/profile.js';
import type { NullModel } from '../../src/domain/reference.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { DAY_MS } from '../../src/domain/window.js';
import { FLIGHT_COLUMNS, FLIGHTS, type FlightDay } from './flights.js';

export interface Baseline {
  readonly grids: readonly Grid[];
  readonly profiles: readonly Profile[];
  readonly nullModel: NullModel;
}

/** Reference profiles and null model of some days; `iid` forgets that days differ. */
export function baselineOf(
  grids: readonly Grid[],
  days: readonly FlightDay[],
  kind: 'temporal' | 'iid' = 'temporal',
): Baseline {
  const profiles = FLIGHT_COLUMNS.map((_, i) => mergeProfiles(days.flatMap((day) => day.profiles[i] ?? [])));
  const pieces = days.map((day) => ({
    window: { startMs: day.startMs, endMs: day.startMs + DAY_MS },
    profiles: day.profiles,
  }));
  const nullModel: NullModel =
    kind === 'temporal'
      ? fitNullModel({ grids, pieces, pieceMs: DAY_MS })
      : { kind: 'iid', pieceMs: 0, spreads: [] };
  return { grids, profiles, nullModel };
}

export function judgeDay(baseline: Baseline, day: FlightDay): Verdict[] {
  return judgeWindow({
    model: FLIGHTS,
    window: { startMs: day.startMs, endMs: day.startMs + DAY_MS },
    reference: {
      model: FLIGHTS.model,
      modelVersion: FLIGHTS.modelVersion,
      hash: 'flights',
      rows: baseline.profiles[0]?.rows ?? 0,
      period: null,
      provenance: 'flights',
      createdAtMs: 0,
      nullModel: baseline.nullModel,
      forest: null,
    },
    grids: baseline.grids,
    referenceProfiles: baseline.profiles,
    currentProfiles: day.profiles,
    level: 0.05,
  }).verdicts;
}

/** Material primary flags as `feature.detector`. */
export function flagsOf(verdicts: readonly Verdict[]): string[] {
  return verdicts
    .filter((v) => v.role === 'primary' && v.status === 'drifted' && v.material)
    .map((v) => `${v.feature}.${v.detector}`);
}

/** Judges each day by a reference and null model that never saw it. */
export function leaveOneDayOut(
  grids: readonly Grid[],
  days: readonly FlightDay[],
  kind: 'temporal' | 'iid' = 'temporal',
): { day: string; flags: string[] }[] {
  return days.map((day) => ({
    day: new Date(day.startMs).toISOString().slice(0, 10),
    flags: flagsOf(
      judgeDay(
        baselineOf(
          grids,
          days.filter((other) => other !== day),
          kind,
        ),
        day,
      ),
    ),
  }));
}
