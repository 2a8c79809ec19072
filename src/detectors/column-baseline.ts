import { type FeatureSchema, LABEL } from '../domain/model.js';
import type { Profile } from '../domain/profile.js';
import type { NullModel, Reference, TemporalSpread } from '../domain/reference.js';
import type { Segment } from '../domain/segment.js';
import type { Verdict } from '../domain/verdict.js';
import type { Detector, Measurement } from './detector.js';
import { IID_NULL, type TestNull, temporalNull } from './test-null.js';

type Parameters = Verdict['parameters'];

/** What columns are compared with: the reference, or something of their own. */
export interface Baselines {
  readonly reference: Reference;
  /** Of the reference, for each column's verdicts to carry. */
  readonly parameters?: Parameters;
  /** Of columns whose baseline is not the reference's. */
  readonly own?: ReadonlyMap<string, { readonly nullModel: NullModel; readonly parameters: Parameters }>;
}

/** One part of a model's rows, and what it is compared with. */
export interface SegmentBaseline extends Pick<Baselines, 'reference'> {
  readonly segment: Segment;
  readonly referenceProfiles: readonly Profile[];
}

/** One part of the window's rows, and what it is compared with. */
export interface SegmentInput extends SegmentBaseline, Pick<Baselines, 'parameters'> {
  readonly currentProfiles: readonly Profile[];
}

export function nullModelOf(
  baselines: Pick<Baselines, 'reference' | 'own'>,
  { name }: FeatureSchema,
): NullModel {
  return baselines.own?.get(name)?.nullModel ?? baselines.reference.nullModel;
}

const knownSpreads = new WeakMap<NullModel, Map<string, Map<string, TemporalSpread>>>();

/** What a null model knows of one test; it has some hundred, and is asked for each of them with every window. */
export function spreadOf(
  nullModel: NullModel,
  feature: string,
  detector: string,
): TemporalSpread | undefined {
  let byFeature = knownSpreads.get(nullModel);
  if (byFeature === undefined) {
    byFeature = new Map();
    for (const spread of nullModel.spreads) {
      const byDetector = byFeature.get(spread.feature) ?? new Map<string, TemporalSpread>();
      if (!byDetector.has(spread.detector)) byDetector.set(spread.detector, spread);
      byFeature.set(spread.feature, byDetector);
    }
    knownSpreads.set(nullModel, byFeature);
  }
  return byFeature.get(feature)?.get(detector);
}

/** The null of one test of a column, or null where nothing is known of how it spreads. */
export function nullOf(
  baselines: Pick<Baselines, 'reference' | 'own'>,
  column: FeatureSchema,
  detector: Detector,
  measured: Pick<Measurement, 'referenceRows' | 'currentRows'>,
): TestNull | null {
  const nullModel = nullModelOf(baselines, column);
  if (nullModel.kind === 'iid') return IID_NULL;
  const spread = spreadOf(nullModel, column.name, detector.name);
  // Taking rows as independent here would page from the first window; saying nothing is honest.
  return spread === undefined ? null : temporalNull(measured, spread);
}

/** Of the column's baseline and its null. */
export function parametersOf(baselines: Baselines, column: FeatureSchema): Parameters {
  return {
    ...baselines.parameters,
    ...baselines.own?.get(column.name)?.parameters,
    ...nullParameters(nullModelOf(baselines, column)),
  };
}

/** Where a null comes from, for a verdict to carry, where the reference itself does not say it. */
export function nullParameters({ learned, provisional }: NullModel): Parameters {
  return {
    ...(provisional === true ? { nullProvisional: true } : {}),
    ...(learned === undefined
      ? {}
      : {
          nullLearnedFrom: new Date(learned.startMs).toISOString(),
          nullLearnedUntil: new Date(learned.endMs).toISOString(),
        }),
  };
}

/** Whether a verdict's null is not known well enough to wake anybody by it. */
export function isProvisional({ parameters }: Pick<Verdict, 'parameters'>): boolean {
  return parameters.nullProvisional === true;
}

/** Labels that come first are not those of any row: with so much fewer of them than the reference has they prove nothing. */
export const LEAST_LABELLED = 0.9;

/** Whether a column waits for labels. */
export function isImmature({ name }: FeatureSchema, reference: Profile, current: Profile): boolean {
  return name === LABEL && labelledShare(current) < LEAST_LABELLED * labelledShare(reference);
}

function labelledShare(labels: Profile): number {
  return labels.rows === 0 ? 0 : 1 - labels.missing / labels.rows;
}
