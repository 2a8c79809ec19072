import type { ModelVersion } from '../domain/model.js';
import type { Grid, Profile } from '../domain/profile.js';
import type { Segment } from '../domain/segment.js';
import type { UndecidedReason, Verdict, WindowOutcome } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import { holm, taroneFamilySize } from '../stats/holm.js';
import { type Baselines, nullModelOf, parametersOf, type SegmentInput } from './column-baseline.js';
import type { Detector, Measurement } from './detector.js';
import { type Candidate, measureColumns } from './measure-columns.js';
import { criticalOf, type TestNull } from './test-null.js';
import { outcomesOf } from './window-outcomes.js';

export interface JudgeInput extends Baselines {
  readonly model: ModelVersion;
  readonly window: Window;
  readonly grids: readonly Grid[];
  readonly referenceProfiles: readonly Profile[];
  readonly currentProfiles: readonly Profile[];
  /** Probability that a drift-free window has any primary verdict `drifted`. */
  readonly level: number;
  /** Every registered one when left out. */
  readonly detectors?: readonly Detector[];
  /** Verdicts about whole rows, judged elsewhere, with their p-value: primary ones join the corrected family. */
  readonly extra?: readonly Verdict[];
  /** Parts of the window's rows that are judged as well: their tests join the corrected family. */
  readonly segments?: readonly SegmentInput[];
}

/** The rows that a test is about: all of the window's, or a segment's. */
interface Population extends JudgeInput {
  readonly segment?: Segment;
}

interface Test extends Candidate {
  readonly population: Population;
}

/**
 * Judges one window: every detector on every column, Holm over the primary verdicts that could decide.
 * Pure: the same inputs give the same verdicts, byte for byte. Order: columns as declared, detectors as registered, then
 * the segments' in their order, then `extra`. Without current profiles every verdict is `undecided(no_data)`.
 */
export function judgeWindow(input: JudgeInput): { verdicts: Verdict[]; outcomes: WindowOutcome[] } {
  if (!(input.level > 0 && input.level < 1))
    throw new RangeError(`level is ${input.level}: it must lie between 0 and 1`);
  const populations: Population[] = [input, ...(input.segments ?? []).map((part) => ({ ...input, ...part }))];
  const candidates = populations.flatMap((population) =>
    measureColumns(population).map((candidate): Test => ({ ...candidate, population })),
  );
  const extra = input.extra ?? [];
  const decidedExtra = extra.filter(
    (v) => v.role === 'primary' && v.status !== 'undecided' && v.pValue !== null,
  );
  const { family, adjusted, isVisible } = decideFamily(
    candidates,
    [...decidedExtra.map((v) => v.pValue ?? 1), ...waitingOf(extra).map(() => 1)],
    input.level,
  );
  const familySize = adjusted.length;
  const rejected = adjusted.filter((p) => p <= input.level).length;
  // Holm's last step: a test of this window is drifted exactly when its p-value is at most this.
  const share = input.level / Math.max(1, familySize - rejected);

  const verdicts = candidates.map((candidate): Verdict => {
    const { measured } = candidate;
    if (typeof measured === 'string') return undecided(candidate, measured);
    if (measured.vacuous === 'constant') return undecided(candidate, 'constant_column');
    if (candidate.null === null) return undecided(candidate, 'no_reference');
    if (measured.vacuous === null && !isVisible(candidate))
      return undecided(candidate, 'not_visible_at_window_length');
    const member = family.indexOf(candidate);
    const descriptive = candidate.detector.role === 'descriptive';
    const adjustedPValue =
      member >= 0 ? (adjusted[member] ?? 1) : Math.min(1, candidate.pValue * Math.max(1, familySize));
    return decided(candidate, measured, candidate.null, {
      adjustedPValue: measured.vacuous === null ? adjustedPValue : 1,
      share: descriptive ? input.level / Math.max(1, familySize) : share,
      familySize,
    });
  });
  const judgedExtra = extra.map((verdict): Verdict => {
    const member = decidedExtra.indexOf(verdict);
    const ofFamily = member < 0 ? null : (adjusted[family.length + member] ?? 1);
    return decideExtra(verdict, { level: input.level, familySize, adjustedPValue: ofFamily });
  });
  const all = [...verdicts, ...judgedExtra];
  return { verdicts: all, outcomes: outcomesOf(input.model, input.window, all) };
}

/** A verdict about whole rows beside a window's family: as Holm adjusted it, or as a descriptive one where it is left out. */
export function decideExtra(
  verdict: Verdict,
  decision: {
    readonly level: number;
    readonly familySize: number;
    readonly adjustedPValue?: number | null;
  },
): Verdict {
  const { level, familySize } = decision;
  const parameters = { ...verdict.parameters, level, familySize };
  if (verdict.status === 'undecided' || verdict.pValue === null) return { ...verdict, parameters };
  const adjustedPValue = decision.adjustedPValue ?? Math.min(1, verdict.pValue * Math.max(1, familySize));
  const drifted = adjustedPValue <= level;
  return {
    ...verdict,
    adjustedPValue,
    status: drifted ? 'drifted' : 'stable',
    material: drifted && Math.abs(verdict.effect?.value ?? 0) >= verdict.minimumEffect,
    parameters,
  };
}

/** Verdicts about whole rows that wait for labels: as tests of columns that do, they keep their share of the level. */
export function waitingOf(extra: readonly Verdict[]): Verdict[] {
  return extra.filter(({ role, reason }) => role === 'primary' && reason === 'labels_immature');
}

export interface FamilyDecision {
  /** The primary tests that share the level. */
  readonly family: readonly Candidate[];
  /** Holm's adjusted p-values of the family, then of the extra tests, then 1 for each test that waits for labels. */
  readonly adjusted: readonly number[];
  /** Whether the window could have shown anything to a test at all. */
  readonly isVisible: (candidate: Candidate) => boolean;
}

/** Shares the level among the primary tests that could reject (Tarone), and adjusts their p-values (Holm). */
export function decideFamily(
  candidates: readonly Candidate[],
  extraPValues: readonly number[],
  level: number,
): FamilyDecision {
  const testable = candidates.filter((c) => isTestable(c) && c.detector.role === 'primary');
  // Tests that wait for labels keep their share, so that no other verdict changes when those come.
  const waiting = candidates.filter(
    ({ measured, detector }) =>
      measured === 'labels_immature' && detector.role === 'primary' && detector.category === 'drift',
  );
  const others = [...extraPValues, ...waiting.map(() => 1)];
  const size = taroneFamilySize([...testable.map((c) => c.leastPValue), ...others.map(() => 0)], level);
  const isVisible = (c: Candidate) => c.leastPValue <= level / size;
  const family = testable.filter(isVisible);
  return { family, adjusted: holm([...family.map((c) => c.pValue), ...others]), isVisible };
}

function isTestable(candidate: Candidate): boolean {
  return (
    typeof candidate.measured !== 'string' && candidate.measured.vacuous === null && candidate.null !== null
  );
}

function decided(
  candidate: Test,
  measured: Measurement,
  testNull: TestNull,
  decision: { adjustedPValue: number; share: number; familySize: number },
): Verdict {
  const { detector, pValue, population: input } = candidate;
  const effect = measured.effectWithInterval(testNull.designEffect);
  const drifted = decision.adjustedPValue <= input.level;
  // A share near 0 cannot fall visibly: what it would take to rise is then the threshold worth telling.
  const threshold =
    criticalOf(testNull, measured, decision.share, measured.statistic) ??
    (measured.opposite && criticalOf(testNull, measured.opposite, decision.share, null));
  return {
    ...frame(candidate),
    status: drifted ? 'drifted' : 'stable',
    material: drifted && Math.abs(effect.value) >= detector.minimumEffect,
    statistic: measured.statistic,
    effect,
    pValue,
    adjustedPValue: decision.adjustedPValue,
    threshold,
    smallestVisibleEffect: threshold === null ? null : measured.effectOf(threshold),
    parameters: {
      ...parametersOf(input, candidate.column),
      ...measured.parameters,
      ...testNull.parameters,
      level: input.level,
      familySize: decision.familySize,
    },
  };
}

function undecided(candidate: Test, reason: UndecidedReason): Verdict {
  const { measured, null: testNull, population: input } = candidate;
  const known = typeof measured === 'string' || reason === 'constant_column' ? null : measured;
  return {
    ...frame(candidate),
    status: 'undecided',
    reason,
    // What was seen is told even when it cannot be judged.
    statistic: known?.statistic ?? null,
    effect: known?.effectWithInterval(testNull?.designEffect ?? 1) ?? null,
    parameters: {
      ...parametersOf(input, candidate.column),
      ...known?.parameters,
      ...testNull?.parameters,
      level: input.level,
    },
  };
}

/** A verdict with what is known before deciding. */
function frame(candidate: Test): Verdict {
  const { column, detector, measured, null: testNull, population: input } = candidate;
  const sizes = typeof measured === 'string' ? profileSizes(input, column.name) : measured;
  const designEffect = testNull?.designEffect ?? 1;
  return {
    model: input.model.model,
    modelVersion: input.model.modelVersion,
    feature: column.name,
    ...(input.segment === undefined ? {} : { segment: input.segment }),
    detector: detector.name,
    category: detector.category,
    role: detector.role,
    window: input.window,
    status: 'undecided',
    reason: null,
    material: false,
    statistic: null,
    effect: null,
    pValue: null,
    adjustedPValue: null,
    threshold: null,
    minimumEffect: detector.minimumEffect,
    referenceRows: sizes.referenceRows,
    currentRows: sizes.currentRows,
    effectiveReferenceRows: sizes.referenceRows / designEffect,
    effectiveCurrentRows: sizes.currentRows / designEffect,
    null: nullModelOf(input, column).kind,
    designEffect,
    resolution: typeof measured === 'string' ? null : measured.resolution,
    smallestVisibleEffect: null,
    referenceHash: input.reference.hash,
    parameters: {},
    seed: null,
  };
}

function profileSizes(input: JudgeInput, feature: string) {
  const rowsIn = (profiles: readonly Profile[]) => profiles.find((p) => p.feature === feature)?.rows ?? 0;
  return { referenceRows: rowsIn(input.referenceProfiles), currentRows: rowsIn(input.currentProfiles) };
}
