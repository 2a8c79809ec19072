import type { Grid, Profile } from '../domain/profile.js';
import type { NullModel, TemporalSpread } from '../domain/reference.js';
import type { Window } from '../domain/window.js';
import { cautiousShape, pauleMandelExcess } from '../stats/paule-mandel.js';
import {
  effectivePiecesOfSpread,
  linearTrend,
  type PieceSeries,
  persistence,
  persistenceInflation,
} from '../stats/piece-series.js';
import { appliesTo, type Detector, informationOf, type Measurement, type Samples } from './detector.js';
import { mergeProfiles, withoutPart } from './merge-profiles.js';
import { distributionPoints, type PiecePoints, sharePoints } from './piece-points.js';
import { COLUMN_DETECTORS } from './registry.js';

/** With fewer window-long pieces the reference says too little about how windows differ. */
export const LEAST_PIECES = 10;
/** A column may lack values in some pieces; with fewer than this many its tests stay undecided. */
const LEAST_COLUMN_PIECES = 3;
/** A trend less sure than this is not worth a warning: there are many columns. */
const TREND_LEVEL = 0.01;

export interface Piece {
  readonly window: Window;
  readonly profiles: readonly Profile[];
}

export interface NullModelInput {
  readonly grids: readonly Grid[];
  readonly pieces: readonly Piece[];
  readonly pieceMs: number;
  /** Pieces are compared with others of their phase only, e.g. those of the same hour of the week; all are of one by default. */
  readonly phaseOf?: (window: Window) => number;
}

/**
 * Learns from a reference how much its own windows differ: each window-long piece is compared with the rest of the
 * reference, and per column and test the ratios give a between-piece variance and the shape of its tail. Neighbouring pieces
 * that are alike count for fewer; a trend through the pieces is part of the spread, and told.
 * Pieces with less than half the median rows (a first or last partial day) are left out.
 * `iid` when fewer than ten usable pieces remain: then rows are taken as independent.
 */
export function fitNullModel(input: NullModelInput): NullModel {
  const steps = fitting(input);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same with a pause after each test, some ms: fifty columns in a hundred pieces take seconds. */
export async function fitNullModelInTurns(
  input: NullModelInput,
  pause: () => Promise<void>,
): Promise<NullModel> {
  const steps = fitting(input);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await pause();
  }
}

/** A step for each column and test. */
function* fitting(input: NullModelInput): Generator<void, NullModel> {
  const phases = groupBy(input.pieces, (piece) => input.phaseOf?.(piece.window) ?? 0).map(usablePieces);
  if (phases.flat().length < LEAST_PIECES) return { kind: 'iid', pieceMs: 0, spreads: [] };
  const spreads: TemporalSpread[] = [];
  for (const grid of input.grids) {
    const compared = phases
      .flatMap((pieces, phase) => leaveOneOut(grid, pieces, phase))
      .sort((a, b) => a.startMs - b.startMs);
    if (compared.length < LEAST_COLUMN_PIECES) continue;
    for (const detector of COLUMN_DETECTORS) {
      if (!appliesTo(detector, { name: grid.feature, kind: grid.kind })) continue;
      const spread = fitSpread(grid, detector, compared, phases.length > 1);
      if (spread !== null) spreads.push(spread);
      yield;
    }
  }
  return { kind: 'temporal', pieceMs: input.pieceMs, spreads };
}

/** One column of one piece beside the sum of the others. */
interface ComparedPiece extends Samples {
  readonly startMs: number;
  readonly phase: number;
}

function leaveOneOut(grid: Grid, pieces: readonly Piece[], phase: number): ComparedPiece[] {
  const own = pieces.flatMap(({ window, profiles }) =>
    profiles.filter((p) => p.feature === grid.feature).map((current) => ({ current, window })),
  );
  if (own.length < 2) return [];
  const whole = mergeProfiles(own.map(({ current }) => current));
  return own.map(({ current, window }) => ({
    grid,
    current,
    reference: withoutPart(whole, current),
    startMs: window.startMs,
    phase,
  }));
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
  grid: Grid,
  detector: Detector,
  compared: readonly ComparedPiece[],
  phased: boolean,
): TemporalSpread | null {
  const usable = compared.flatMap((piece) => {
    const measured = detector.measure(piece);
    return typeof measured === 'string' ? [] : [{ piece, measured }];
  });
  if (usable.length < LEAST_COLUMN_PIECES) return null;
  const pieces = usable.length;
  const measured = usable.map((each) => each.measured);
  const ratios = measured.map((m) => ({
    ratio: m.vacuous === null ? m.ratioOf(m.statistic, pieces) : 0,
    information: informationOf(m),
  }));
  const excess = pauleMandelExcess(ratios);
  const normalised = ratios.map((r) => r.ratio / (1 + excess * r.information));
  const degrees = measured.map((m) => m.degreesOfFreedom).sort((a, b) => a - b);
  const most = degrees[Math.floor(degrees.length / 2)] ?? 1;
  const series = pointsOf(
    grid,
    usable.map((each) => each.piece),
    measured,
  );
  const lasting = persistence(phased ? withoutPhases(series, usable) : series);
  // Pieces of one phase lie whole cycles apart: the mean they are compared with is of pieces that are hardly alike.
  const inflation = phased ? 1 : persistenceInflation(pieces, lasting.autocorrelation);
  return {
    feature: grid.feature,
    detector: detector.name,
    pieces,
    excess: excess * inflation,
    shape: cautiousShape(normalised, most),
    effectivePieces: effectivePiecesOfSpread(pieces, lasting),
    autocorrelation: lasting.autocorrelation,
    ...(phased || detector.role !== 'primary' ? {} : trendOf(series, detector)),
  };
}

function trendOf(series: PiecePoints, { minimumEffect }: Detector): Pick<TemporalSpread, 'trend'> {
  const line = linearTrend(series);
  if (line === null) return {};
  const change = series.changeOf(line.start, line.end);
  const { pValue } = line;
  return { trend: { change, pValue, material: pValue < TREND_LEVEL && change >= minimumEffect } };
}

function pointsOf(
  grid: Grid,
  pieces: readonly ComparedPiece[],
  measured: readonly Measurement[],
): PiecePoints {
  const shares = sharePoints(measured);
  if (shares !== null) return shares;
  const profiles = pieces.map(({ current }) => current);
  return distributionPoints(grid.kind, mergeProfiles(profiles), profiles);
}

/** Points about the mean of their phase. */
function withoutPhases(
  series: PieceSeries,
  usable: readonly { readonly piece: ComparedPiece }[],
): PieceSeries {
  const indices = groupBy([...usable.keys()], (i) => usable[i]?.piece.phase ?? 0);
  const points = series.points.map((point) => [...point]);
  for (const own of indices)
    for (let j = 0; j < (points[0]?.length ?? 0); j++) {
      const mean = own.reduce((sum, i) => sum + (points[i]?.[j] ?? 0), 0) / own.length;
      for (const i of own) {
        const point = points[i];
        if (point !== undefined) point[j] = (point[j] ?? 0) - mean;
      }
    }
  return { points, noise: series.noise };
}
