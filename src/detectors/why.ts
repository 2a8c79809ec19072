import type {
  DriftReason,
  FeatureInfluence,
  Influence,
  TogetherReason,
  WindowExplanation,
} from '../domain/explanation.js';
import {
  type FeatureSchema,
  type ModelVersion,
  monitoredColumns,
  RESERVED_FEATURES,
} from '../domain/model.js';
import type { Grid, Profile } from '../domain/profile.js';
import type { Verdict, WindowOutcome } from '../domain/verdict.js';
import { binCounts, total } from '../stats/cells.js';
import { DOMAIN_CLASSIFIER, togetherWords } from './domain-classifier.js';
import { bySeverity, figureWords, whatMoved } from './explain.js';
import { massMoves } from './mass-moves.js';
import { numberWords, percentWords, shortWords } from './words.js';

/** Of one outcome: they go into episodes and webhook bodies, which are bounded. */
const MAX_REASONS = 3;
const MAX_REASON_LENGTH = 300;

export interface WhyInput {
  readonly model: ModelVersion;
  readonly grids: readonly Grid[];
  readonly referenceProfiles: readonly Profile[];
  readonly currentProfiles: readonly Profile[];
  /** Of one window; those of segments are passed over. */
  readonly verdicts: readonly Verdict[];
  /** Null where the reference has no predictions; undefined where it was registered before they were looked at. */
  readonly influence: Influence | null | undefined;
}

interface Sides {
  readonly grid: Grid;
  readonly reference: Profile;
  readonly current: Profile;
}

interface Column {
  readonly schema: FeatureSchema;
  /** Null where a side's counts are not known. */
  readonly sides: Sides | null;
  /** Its drifted primary verdicts, worst first. */
  readonly drifted: readonly Verdict[];
}

/**
 * Why a window drifted: its drifted features, first the one whose change alone would move the mean prediction most, then by effect.
 * Pure: from stored counts and verdicts, and what the reference says of the prediction.
 */
export function explainWindow(input: WhyInput): WindowExplanation {
  const columns = driftedColumns(input);
  const { influence } = input;
  const reasons = columns.map((column) => reasonOf(column, influence ?? null));
  const size = (reason: DriftReason) => Math.abs(reason.predictionShift ?? 0);
  reasons.sort((a, b) => size(b) - size(a) || (b.severity ?? 0) - (a.severity ?? 0));
  return {
    rankedBy: influence == null ? 'effect' : 'predictionShift',
    note: noteOf(influence),
    prediction: influence == null ? null : predictionOf(input, influence),
    features: reasons.filter(({ feature }) => !RESERVED_FEATURES.has(feature)),
    outputs: reasons.filter(({ feature }) => RESERVED_FEATURES.has(feature)),
    ...togetherOf(input.verdicts),
  };
}

function togetherOf(verdicts: readonly Verdict[]): { together?: TogetherReason } {
  const drifted = verdicts.find(
    ({ detector, status }) => detector === DOMAIN_CLASSIFIER && status === 'drifted',
  );
  if (drifted === undefined) return {};
  const { detector, material, statistic, pairs = [] } = drifted;
  return {
    together: { detector, material, auc: statistic, pairs, sentence: togetherWords(drifted) },
  };
}

/** The outcomes, drifted ones with what happened to their drivers' columns: at most three sentences of at most 300 characters. */
export function withReasons(outcomes: readonly WindowOutcome[], input: WhyInput): WindowOutcome[] {
  if (!outcomes.some(({ state }) => state === 'drifted')) return [...outcomes];
  const { features, outputs, together } = explainWindow(input);
  return outcomes.map((outcome) => {
    const drivers = new Set(outcome.drivers.map(({ feature }) => feature));
    // What no column shows by itself is never crowded out by those that show much.
    const isTogether = outcome.drivers.some(({ detector }) => detector === DOMAIN_CLASSIFIER);
    const whole = together !== undefined && isTogether ? [together] : [];
    const columns = [...features, ...outputs].filter(({ feature }) => drivers.has(feature));
    const why = [...columns.slice(0, MAX_REASONS - whole.length), ...whole].map(({ sentence }) =>
      shortWords(sentence, MAX_REASON_LENGTH),
    );
    return why.length === 0 ? outcome : { ...outcome, why };
  });
}

function noteOf(influence: Influence | null | undefined): string | null {
  if (influence === undefined)
    return 'ranked by effect: this reference was registered before predictions were looked at, register it again';
  if (influence === null) return 'ranked by effect: the reference has no predictions that vary';
  return null;
}

function driftedColumns(input: WhyInput): Column[] {
  const find = <T extends { feature: string }>(all: readonly T[]) =>
    new Map(all.map((each) => [each.feature, each] as const));
  const grids = find(input.grids);
  const reference = find(input.referenceProfiles);
  const current = find(input.currentProfiles);
  return monitoredColumns(input.model.schema).flatMap((schema): Column[] => {
    const drifted = input.verdicts
      .filter((verdict) => verdict.feature === schema.name && verdict.segment === undefined)
      .filter((verdict) => verdict.role === 'primary' && verdict.status === 'drifted')
      .sort(bySeverity);
    if (drifted.length === 0) return [];
    const grid = grids.get(schema.name);
    const was = reference.get(schema.name);
    const is = current.get(schema.name);
    const known = grid !== undefined && was !== undefined && is !== undefined;
    return [{ schema, drifted, sides: known ? { grid, reference: was, current: is } : null }];
  });
}

function reasonOf({ schema, sides, drifted }: Column, influence: Influence | null): DriftReason {
  const lead = drifted[0] as Verdict;
  const moves = sides === null ? null : massMoves(sides.grid, sides.reference.counts, sides.current.counts);
  const own = influence?.features.find(({ feature }) => feature === schema.name);
  const shift =
    own === undefined || influence === null || sides === null ? null : shiftOf(sides, own, influence);
  const effect = lead.effect?.value ?? null;
  const happened = drifted.map((verdict) =>
    sides === null
      ? figureWords(verdict)
      : whatMoved({ name: schema.name, ...sides, verdicts: drifted }, verdict),
  );
  return {
    feature: schema.name,
    kind: schema.kind,
    detector: lead.detector,
    category: lead.category,
    material: lead.material,
    effect,
    severity: effect === null || lead.minimumEffect === 0 ? null : Math.abs(effect) / lead.minimumEffect,
    explains: own?.explains ?? null,
    predictionShift: shift?.size ?? null,
    shiftClass: shift?.class ?? null,
    moved: moves?.moved ?? null,
    moves: moves?.moves ?? [],
    sentence: `${schema.name}: ${happened.join('; ')}${shift === null ? '' : `; ${shiftWords(shift, own?.explains ?? 0, influence)}`}.`,
  };
}

interface Shift {
  readonly size: number;
  readonly class: string | null;
}

/** Σ over bins of (current share − reference share) × the prediction's mean there; new values say nothing of it. */
function shiftOf({ reference, current }: Sides, own: FeatureInfluence, influence: Influence): Shift | null {
  if (reference.rows === 0 || current.rows === 0) return null;
  const change = (part: (profile: Profile) => number) =>
    part(current) / current.rows - part(reference) / reference.rows;
  const was = binCounts(reference.counts, own.ends);
  const is = binCounts(current.counts, own.ends);
  const absent = change((profile) => profile.rows - total(profile.counts));
  const shifts = influence.means.map((overall, k) =>
    own.ends.reduce(
      (sum, _, bin) =>
        sum +
        ((is[bin] ?? 0) / current.rows - (was[bin] ?? 0) / reference.rows) *
          ((own.means[bin]?.[k] ?? overall) - overall),
      absent * ((own.missing[k] ?? overall) - overall),
    ),
  );
  let best = 0;
  for (let k = 1; k < shifts.length; k++)
    if (Math.abs(shifts[k] ?? 0) > Math.abs(shifts[best] ?? 0)) best = k;
  return { size: shifts[best] ?? 0, class: influence.classes[best] ?? null };
}

function shiftWords(shift: Shift, explains: number, influence: Influence | null): string {
  const what =
    shift.class === null
      ? `the mean ${influence?.column ?? 'prediction'}`
      : `the share of ${JSON.stringify(shift.class)}`;
  const way = shift.size < 0 ? 'lower' : 'raise';
  const by =
    shift.class === null
      ? numberWords(Math.abs(shift.size))
      : `${numberWords(Math.abs(shift.size) * 100)} points`;
  const share = `it explains ${percentWords(explains)} of the prediction`;
  if (Math.abs(shift.size) < 1e-9) return `alone it would not move ${what} (${share})`;
  return `alone it would ${way} ${what} by ${by} (${share})`;
}

/** The mean of both sides: exact where the prediction is a number, from the cells' sums. */
function predictionOf(input: WhyInput, influence: Influence): WindowExplanation['prediction'] {
  const grid = input.grids.find(({ feature }) => feature === influence.column);
  const side = (profiles: readonly Profile[]) => {
    const profile = profiles.find(({ feature }) => feature === influence.column);
    return profile === undefined || grid === undefined ? null : meansOf(grid, profile, influence.classes);
  };
  const was = side(input.referenceProfiles);
  const is = side(input.currentProfiles);
  if (was === null || is === null) return null;
  let best = 0;
  for (let k = 1; k < was.length; k++)
    if (Math.abs((is[k] ?? 0) - (was[k] ?? 0)) > Math.abs((is[best] ?? 0) - (was[best] ?? 0))) best = k;
  return {
    column: influence.column,
    class: influence.classes[best] ?? null,
    reference: was[best] ?? 0,
    current: is[best] ?? 0,
  };
}

function meansOf(grid: Grid, profile: Profile, classes: readonly string[]): number[] | null {
  const values = total(profile.counts);
  if (values === 0) return null;
  if (grid.kind === 'categorical')
    return classes.map((each) => {
      const cell = grid.categories.indexOf(each);
      return cell < 0 || cell >= grid.headSize ? 0 : (profile.counts[cell] ?? 0) / values;
    });
  const sum = profile.counts.reduce(
    (all, count, cell) =>
      all +
      count * (grid.cutPoints[Math.max(0, (cell - 1) >> 1)] ?? 0) +
      (profile.offsets[cell] ?? 0) * grid.quantum,
    0,
  );
  return [sum / values];
}
