import type { Grid, Profile } from '../domain/profile.js';
import type { NullModel, TemporalSpread } from '../domain/reference.js';
import type { Window } from '../domain/window.js';
import { cautiousShape, pauleMandelExcess } from '../stats/paule-mandel.js';
import { appliesTo, type Detector, informationOf, type Measurement, type Samples } from './detector.js';
import { mergeProfiles, withoutPart } from './merge-profiles.js';
import { COLUMN_DETECTORS } from './registry.js';

/** With fewer window-long pieces the reference says too little about how windows differ. */
export const LEAST_PIECES = 10;
/** A column may lack values in some pieces; with fewer than this many its tests stay undecided. */
const LEAST_COLUMN_PIECES = 3;

export interface Piece {
  readonly window: Window;
  readonly profiles: readonly Profile[];
}

/**
 * Learns from a reference how much its own windows differ: each window-long piece is compared with the rest of the
 * reference, and per column and test the ratios give a between-piece variance and the shape of its tail.
 * Pieces with less than half the median rows (a first or last partial day) are left out.
 * `iid` when fewer than ten usable pieces remain: then rows are taken as independent.
 */
export function fitNullModel(input: {
  readonly grids: readonly Grid[];
  readonly pieces: readonly Piece[];
  readonly pieceMs: number;
  /** Pieces are compared with others of their phase only, e.g. those of the same hour of the week; all are of one by default. */
  readonly phaseOf?: (window: Window) => number;
}): NullModel {
  const phases = groupBy(input.pieces, (piece) => input.phaseOf?.(piece.window) ?? 0).map(usablePieces);
  if (phases.flat().length < LEAST_PIECES) return { kind: 'iid', pieceMs: 0, spreads: [] };
  const spreads: TemporalSpread[] = [];
  for (const grid of input.grids) {
    const pairs = phases.flatMap((pieces) => leaveOneOut(grid, pieces));
    if (pairs.length < LEAST_COLUMN_PIECES) continue;
    for (const detector of COLUMN_DETECTORS) {
      if (!appliesTo(detector, { name: grid.feature, kind: grid.kind })) continue;
      const spread = fitSpread(grid.feature, detector, pairs.map(detector.measure));
      if (spread !== null) spreads.push(spread);
    }
  }
  return { kind: 'temporal', pieceMs: input.pieceMs, spreads };
}

/** Each piece beside the sum of the others. */
function leaveOneOut(grid: Grid, pieces: readonly Piece[]): Samples[] {
  const profiles = pieces.flatMap((piece) => piece.profiles.filter((p) => p.feature === grid.feature));
  if (profiles.length < 2) return [];
  const whole = mergeProfiles(profiles);
  return profiles.map((current) => ({ grid, current, reference: withoutPart(whole, current) }));
}

function groupBy<T>(values: readonly T[], keyOf: (value: T) => number): T[][] {
  const groups = new Map<number, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return [...groups.values()];
}

/** Drops pieces with less than half the median rows. */
export function usablePieces(pieces: readonly Piece[]): Piece[] {
  const rows = pieces.map((piece) => Math.max(0, ...piece.profiles.map((profile) => profile.rows)));
  const sorted = [...rows].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return pieces.filter((_, i) => (rows[i] ?? 0) > 0 && (rows[i] ?? 0) >= median / 2);
}

function fitSpread(
  feature: string,
  detector: Detector,
  measured: readonly (Measurement | string)[],
): TemporalSpread | null {
  const usable = measured.filter((m): m is Measurement => typeof m !== 'string');
  if (usable.length < LEAST_COLUMN_PIECES) return null;
  const ratios = usable.map((m) => ({
    ratio: m.vacuous === null ? m.ratioOf(m.statistic, usable.length) : 0,
    information: informationOf(m),
  }));
  const excess = pauleMandelExcess(ratios);
  const normalised = ratios.map((r) => r.ratio / (1 + excess * r.information));
  const degrees = usable.map((m) => m.degreesOfFreedom).sort((a, b) => a - b);
  const most = degrees[Math.floor(degrees.length / 2)] ?? 1;
  return {
    feature,
    detector: detector.name,
    pieces: usable.length,
    excess,
    shape: cautiousShape(normalised, most),
  };
}
