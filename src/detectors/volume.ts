import type { ModelVersion } from '../domain/model.js';
import type { Reference } from '../domain/reference.js';
import { type UndecidedReason, type Verdict, VOLUME } from '../domain/verdict.js';
import { DAY_MS, type Window } from '../domain/window.js';
import { type CountPrediction, countPValue, predictCount } from '../stats/count-prediction.js';
import { criticalStatistic } from '../stats/invert.js';

/** A rise by half, or a fall to half. */
const MINIMUM_EFFECT = 0.5;
/** How far back the expectation looks, ms, and in windows at least. */
const HISTORY_MS = 28 * DAY_MS;
const LEAST_HISTORY = 12;
/** Earlier windows of the same hour of week, or of day, that make a group of their own. */
const LEAST_GROUP = 3;
const LEAST_DEGREES = 9;
const PERIODS_MS = [7 * DAY_MS, DAY_MS];
/** e^7: a thousandfold. */
const LARGEST = 7;

/** How far before a window of such a length its history begins, ms. */
export function volumeReachMs(lengthMs: number): number {
  return lengthMs * Math.max(LEAST_HISTORY, Math.floor(HISTORY_MS / lengthMs));
}

/** The windows before one that its row count is compared with, oldest first, one after the other. */
export function volumeHistory(window: Window): Window[] {
  const lengthMs = window.endMs - window.startMs;
  const count = volumeReachMs(lengthMs) / lengthMs;
  const windows: Window[] = [];
  for (let back = count; back >= 1; back--) {
    const startMs = window.startMs - back * lengthMs;
    if (startMs >= 0) windows.push({ startMs, endMs: startMs + lengthMs });
  }
  return windows;
}

export interface VolumeInput {
  readonly model: Pick<ModelVersion, 'model' | 'modelVersion'>;
  readonly reference: Pick<Reference, 'hash'>;
  readonly window: Window;
  /** Rows of the window, and of its history. */
  readonly rows: number;
  readonly history: readonly { readonly window: Window; readonly rows: number }[];
  readonly level: number;
}

/**
 * Rows of a window against production's own last weeks: a reference is mostly a sample, whose counts say nothing about traffic.
 * Windows without rows are no evidence, and neither is the first with any, which the service's start may have cut.
 */
export function judgeVolume(input: VolumeInput): Verdict {
  const { rows, window } = input;
  const first = input.history.findIndex((piece) => piece.rows > 0);
  const usable = first < 0 ? [] : input.history.slice(first + 1).filter((piece) => piece.rows > 0);
  const history = usable.reduce((sum, piece) => sum + piece.rows, 0);
  if (rows === 0) return undecided(input, 'no_data', history);
  const grouping = groupsOf(window, usable);
  const prediction = grouping === null ? null : predictCount(grouping.groups);
  if (grouping === null || prediction === null) return undecided(input, 'no_reference', history);
  const { mean, dispersion } = prediction;
  const ratio = rows / mean;
  const statistic = Math.abs(Math.log(ratio));
  const pValue = countPValue(rows, prediction);
  const half = 1.96 * Math.sqrt(dispersion + 1 / rows);
  const threshold = criticalRise(prediction, input.level);
  const value = ratio - 1;
  return {
    ...frame(input, history),
    status: pValue <= input.level ? 'drifted' : 'stable',
    material: pValue <= input.level && Math.abs(value) >= MINIMUM_EFFECT,
    statistic,
    effect: { value, low: ratio * Math.exp(-half) - 1, high: ratio * Math.exp(half) - 1 },
    pValue,
    threshold,
    smallestVisibleEffect: threshold === null ? null : Math.exp(threshold) - 1,
    parameters: {
      expectedRows: mean,
      dispersion,
      windows: usable.length,
      sameHour: grouping.periodMs === null ? 'none' : grouping.periodMs === DAY_MS ? 'day' : 'week',
    },
  };
}

/** The history in groups by the hour of the week, else of the day, else in one, that of the window first; null when it is short. */
function groupsOf(window: Window, history: VolumeInput['history']) {
  const lengthMs = window.endMs - window.startMs;
  for (const periodMs of PERIODS_MS) {
    if (periodMs <= lengthMs) continue;
    const phaseOf = (startMs: number) => startMs % periodMs;
    const byPhase = new Map<number, number[]>([[phaseOf(window.startMs), []]]);
    for (const piece of history) {
      const phase = phaseOf(piece.window.startMs);
      const group = byPhase.get(phase) ?? [];
      group.push(piece.rows);
      byPhase.set(phase, group);
    }
    const groups = [...byPhase.values()];
    const enough = (groups[0]?.length ?? 0) >= LEAST_GROUP && history.length - groups.length >= LEAST_DEGREES;
    if (enough) return { periodMs, groups };
  }
  if (history.length <= LEAST_DEGREES) return null;
  return { periodMs: null, groups: [history.map((piece) => piece.rows)] };
}

function criticalRise(prediction: CountPrediction, level: number): number | null {
  return criticalStatistic((s) => countPValue(prediction.mean * Math.exp(s), prediction), LARGEST, level);
}

function undecided(input: VolumeInput, reason: UndecidedReason, history: number): Verdict {
  return { ...frame(input, history), status: 'undecided', reason };
}

function frame(input: VolumeInput, historyRows: number): Verdict {
  return {
    model: input.model.model,
    modelVersion: input.model.modelVersion,
    feature: '',
    detector: VOLUME,
    category: 'dataQuality',
    role: 'descriptive',
    window: input.window,
    status: 'undecided',
    reason: null,
    material: false,
    statistic: null,
    effect: null,
    pValue: null,
    adjustedPValue: null,
    threshold: null,
    minimumEffect: MINIMUM_EFFECT,
    referenceRows: historyRows,
    currentRows: input.rows,
    effectiveReferenceRows: historyRows,
    effectiveCurrentRows: input.rows,
    null: 'temporal',
    designEffect: 1,
    resolution: null,
    smallestVisibleEffect: null,
    referenceHash: input.reference.hash,
    parameters: {},
    seed: null,
  };
}
