/** What a feature's values are. Booleans are categorical with the values `true` and `false`. */
export type FeatureKind = 'numeric' | 'categorical';
export type Task = 'binary' | 'multiclass' | 'regression';

export interface FeatureSchema {
  readonly name: string;
  readonly kind: FeatureKind;
}

export interface ModelSchema {
  readonly task: Task;
  readonly features: readonly FeatureSchema[];
  /** False where a binary model gives no probability. */
  readonly probability?: boolean;
}

/** The model's own outputs are profiled and judged like features, under these reserved names. */
export const PREDICTION = 'prediction';
export const PREDICTION_PROBA = 'prediction_proba';
export const RESERVED_FEATURES: ReadonlySet<string> = new Set([PREDICTION, PREDICTION_PROBA]);

/** One registered version of a model. */
export interface ModelVersion {
  readonly model: string;
  readonly modelVersion: string;
  readonly schema: ModelSchema;
  readonly registeredAtMs: number;
}

/**
 * Every column that is profiled and judged: the declared features, then the outputs the task has
 * (`prediction` is categorical for classifiers, numeric for regression; a probability exists for binary tasks, unless the schema says otherwise).
 */
export function monitoredColumns(schema: ModelSchema): FeatureSchema[] {
  const outputs: FeatureSchema[] = [
    { name: PREDICTION, kind: schema.task === 'regression' ? 'numeric' : 'categorical' },
  ];
  if (schema.task === 'binary' && schema.probability !== false)
    outputs.push({ name: PREDICTION_PROBA, kind: 'numeric' });
  return [...schema.features, ...outputs];
}

/** Names that become metric labels, file names and table keys: short, printable, no comma, no control characters. */
export const NAME_PATTERN = /^[\w.:/ -]{1,120}$/;
