import { z } from 'zod';
import { DEFAULT_MULTIVARIATE } from './domain/multivariate.js';

/** Windows against the reference in all features together: the `multivariate` section of a model. */
export const multivariateSchema = z.strictObject({
  enabled: z.boolean().default(DEFAULT_MULTIVARIATE.enabled),
  /** Rows kept of references to come. */
  referenceRows: z.int().min(200).max(20_000).default(DEFAULT_MULTIVARIATE.referenceRows),
  /** Rows of a window that are compared at most, with references to come. */
  windowRows: z.int().min(100).max(20_000).default(DEFAULT_MULTIVARIATE.windowRows),
});
