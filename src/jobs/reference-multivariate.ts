import { type FeatureSchema, type ModelVersion, RESERVED_FEATURES } from '../domain/model.js';
import { DEFAULT_MULTIVARIATE, type MultivariateSettings } from '../domain/multivariate.js';
import type { FeatureRow, Store } from '../domain/ports.js';
import type { Reference } from '../domain/reference.js';
import type { FittedMultivariate, MultivariateInput } from './fit-multivariate.js';

export interface ReferenceMultivariateDeps {
  readonly store: Pick<Store, 'saveReferenceSample'>;
  /** Keeps rows to compare windows with in all features together; none are kept when left out. */
  readonly fitMultivariate?: (input: MultivariateInput) => Promise<FittedMultivariate | null>;
  /** How many rows; 5,000, and 2,000 of a window, when left out. */
  readonly multivariateSettings?: (model: string) => MultivariateSettings;
}

/** Keeps a sample of a reference's rows, and says what is learned of them: before the reference itself is saved. */
export async function keepMultivariate(
  deps: ReferenceMultivariateDeps,
  { model, modelVersion }: Pick<ModelVersion, 'model' | 'modelVersion'>,
  fitted: {
    readonly hash: string;
    /** As a forest's: features, then outputs. */
    readonly columns: readonly FeatureSchema[];
    readonly rows: readonly FeatureRow['values'][];
    /** Whether the rows are production's, which may have to be erased. */
    readonly production: boolean;
    readonly time?: MultivariateInput['time'];
  },
): Promise<Pick<Reference, 'multivariate'>> {
  const { hash, columns, rows, production, time } = fitted;
  const found = await deps.fitMultivariate?.({
    // The first of a row's values.
    columns: columns.filter(({ name }) => !RESERVED_FEATURES.has(name)),
    rows,
    settings: deps.multivariateSettings?.(model) ?? DEFAULT_MULTIVARIATE,
    ...(time === undefined ? {} : { time }),
  });
  if (found == null) return {};
  await deps.store.saveReferenceSample({ model, modelVersion, hash }, { text: found.sample, production });
  return { multivariate: found.baseline };
}
