import type { AppliedRule } from './privacy.js';

/** What a feature's values are. Booleans are categorical with the values `true` and `false`. */
export type FeatureKind = 'numeric' | 'categorical';
export type Task = 'binary' | 'multiclass' | 'regression';

export interface FeatureSchema {
  readonly name: string;
  readonly kind: FeatureKind;
  /**
   * Numeric only: the values are times, counted as their age in seconds at the time of the event. A clock that moves on always
   * "drifts"; how old a time is when it is used stays put.
   */
  readonly time?: true;
  /** How its values are treated before they are stored; left out where they are kept, and where they are dropped there is no feature. */
  readonly privacy?: AppliedRule;
}

export interface ModelSchema {
  readonly task: Task;
  readonly features: readonly FeatureSchema[];
  /** False where a binary model gives no probability; true where a multiclass reference has one for the predicted class. */
  readonly probability?: boolean;
  /** True where the reference has labels: those of production are then compared with them. */
  readonly label?: boolean;
  /** True where the reference, or production, says how long answers took. */
  readonly latency?: boolean;
  /** Event time, ms, from which on production had latencies that the reference has not: they are learned from there. */
  readonly latencyFromMs?: number;
}

/** The model's own outputs are profiled and judged like features, under these reserved names. */
export const PREDICTION = 'prediction';
export const PREDICTION_PROBA = 'prediction_proba';
/** Ground truth by the prediction's event time. A row without a label counts as missing. */
export const LABEL = 'label';
/** How long answers took, ms. */
export const LATENCY = 'latency_ms';
export const RESERVED_FEATURES: ReadonlySet<string> = new Set([PREDICTION, PREDICTION_PROBA, LABEL, LATENCY]);

/** One registered version of a model. */
export interface ModelVersion {
  readonly model: string;
  readonly modelVersion: string;
  readonly schema: ModelSchema;
  readonly registeredAtMs: number;
}

/**
 * What the model sees and says: the declared features, then the outputs the task has (`prediction` is categorical for
 * classifiers, numeric for regression; a probability is that of the positive class, of several classes that of the predicted one).
 */
export function modelColumns(schema: ModelSchema): FeatureSchema[] {
  const outputs: FeatureSchema[] = [{ name: PREDICTION, kind: outcomeKind(schema) }];
  const scored = schema.probability ?? schema.task === 'binary';
  if (scored && schema.task !== 'regression') outputs.push({ name: PREDICTION_PROBA, kind: 'numeric' });
  return [...schema.features, ...outputs];
}

/** The columns an isolation forest sees: the model's, less times, which rows hold in other forms than their ages. */
export function forestColumns(schema: ModelSchema): FeatureSchema[] {
  return modelColumns(schema).filter((column) => column.time !== true);
}

/** Every column that is judged: the model's, then the labels and latencies where there are any. */
export function monitoredColumns(schema: ModelSchema): FeatureSchema[] {
  return profiledColumns(schema).filter(({ name }) => name !== LATENCY || schema.latency === true);
}

/** Every column that is counted: latencies are, before anybody knows that there will be some. */
export function profiledColumns(schema: ModelSchema): FeatureSchema[] {
  return [
    ...modelColumns(schema),
    ...(schema.label === true ? [{ name: LABEL, kind: outcomeKind(schema) }] : []),
    { name: LATENCY, kind: 'numeric' },
  ];
}

function outcomeKind({ task }: ModelSchema): FeatureKind {
  return task === 'regression' ? 'numeric' : 'categorical';
}

/** Names that become metric labels, file names and table keys: short, printable, no comma, no control characters. */
export const NAME_PATTERN = /^[\w.:/ -]{1,120}$/;
