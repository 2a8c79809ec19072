import { z } from 'zod';
import { DEFAULT_FOREST, isForestTooLarge, MAX_FOREST_SIZE } from './domain/outlier.js';

/** The isolation forest that is fitted when a reference is registered: the `outliers` section of a model. */
export const outliersSchema = z
  .strictObject({
    trees: z.int().min(10).max(1_000).default(DEFAULT_FOREST.trees),
    /** Reference rows that each tree is grown on. */
    sampleSize: z.int().min(16).max(4_096).default(DEFAULT_FOREST.sampleSize),
  })
  .refine((given) => !isForestTooLarge(given), `trees × sampleSize must be at most ${MAX_FOREST_SIZE}`);
