import { createHash } from 'node:crypto';
import {
  type AskedForest,
  DEFAULT_FOREST,
  type ForestSettings,
  isForestTooLarge,
  MAX_FOREST_SIZE,
} from '../domain/outlier.js';
import { AppError } from '../errors.js';

/** Throws AppError `invalid_request` when both together are too large. */
export function forestSettings(
  configured: ForestSettings = DEFAULT_FOREST,
  { trees = configured.trees, sampleSize = configured.sampleSize }: AskedForest = {},
): ForestSettings {
  if (isForestTooLarge({ trees, sampleSize }))
    throw new AppError(
      'invalid_request',
      `a forest of ${trees} trees of ${sampleSize} rows is too large: trees × sampleSize must be at most ${MAX_FOREST_SIZE}`,
    );
  return { trees, sampleSize };
}

/**
 * The hash of a reference by that of its rows: the same where the forest is grown as by default, and another for every other way, as
 * scores of two forests must not be taken for each other's.
 */
export function referenceHash(rowsHash: string, { trees, sampleSize }: ForestSettings): string {
  if (trees === DEFAULT_FOREST.trees && sampleSize === DEFAULT_FOREST.sampleSize) return rowsHash;
  return createHash('sha256').update(`${rowsHash} trees=${trees} sampleSize=${sampleSize}`).digest('hex');
}
