/**
 * Where the fields of one model's events stand in what its serving system sends, as far as they differ from the usual names. A path names
 * a field, with dots for fields of fields and numbers for places in lists.
 */
export interface ModelMapping {
  /** Names by which serving systems call the model, beside its own. */
  readonly serves: readonly string[];
  /** Of messages that name no version. */
  readonly version?: string | undefined;
  readonly predictionId?: string | undefined;
  readonly timestamp?: string | undefined;
  readonly prediction?: string | undefined;
  readonly probability?: string | undefined;
  readonly label?: string | undefined;
  readonly latencyMs?: string | undefined;
  /** The path of an object, fields by name, or a path for each feature's name. */
  readonly features?: string | readonly string[] | Readonly<Record<string, string>> | undefined;
  /** A path for each tag's name. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Names of the features in rows that are lists. */
  readonly featureNames?: readonly string[] | undefined;
  /** What a single number that the model answers is. */
  readonly output: 'value' | 'probability';
  /** From this probability on the prediction is the second class. */
  readonly threshold: number;
  /** Classes in the order of the model's list of probabilities; their places (0, 1, …) when left out. */
  readonly classes?: readonly (string | number)[] | undefined;
}

/** Of a model whose messages need none. */
export const NO_MAPPING: ModelMapping = { serves: [], output: 'value', threshold: 0.5 };
