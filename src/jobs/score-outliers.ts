import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ModelVersion } from '../domain/model.js';
import type { FeatureRow, Logger, Store } from '../domain/ports.js';
import type { Reference } from '../domain/reference.js';
import { AppError } from '../errors.js';
import { parseForest } from '../stats/forest-codec.js';
import { type ForestModel, scoreForestRows } from '../stats/forest-model.js';

/** Encoding and scoring so many rows takes a few ms; other work gets its turn in between. */
const SLICE_ROWS = 1_000;
/** Forests kept parsed: a parsed one holds about a megabyte. */
const CACHED_FORESTS = 8;

export interface OutlierScorerDeps {
  readonly store: Pick<Store, 'unscoredRows' | 'saveScores'>;
  readonly logger: Logger;
  /** Rows read and saved at once, 20,000 by default. */
  readonly pageRows?: number;
}

/**
 * Scores the rows that have no score by the reference's forest yet, page by page, and saves which are flagged.
 * Idempotent: what a crash left unsaved is scored again, with the same scores.
 */
export function createOutlierScorer(deps: OutlierScorerDeps) {
  const { store, logger, pageRows = 20_000 } = deps;
  const forests = new Map<string, ForestModel>();

  function forestOf(reference: Reference, text: string): ForestModel {
    const cached = forests.get(reference.hash);
    if (cached !== undefined) return cached;
    const forest = readForest(reference, text);
    const oldest = forests.keys().next();
    if (forests.size >= CACHED_FORESTS && !oldest.done) forests.delete(oldest.value);
    forests.set(reference.hash, forest);
    return forest;
  }

  return {
    /**
     * Resolves when no unscored rows are left. Without a forest nothing is scored.
     * Throws AppError `invalid_reference` when the stored forest cannot be read.
     */
    async score(model: ModelVersion, reference: Reference): Promise<{ scored: number; flagged: number }> {
      const counts = { scored: 0, flagged: 0 };
      if (reference.forest === null) return counts;
      const forest = forestOf(reference, reference.forest);
      const columns = forest.columns.map((column) => column.name);
      let previous: string | null = null;
      for (;;) {
        const page = await store.unscoredRows(model, columns, pageRows);
        const first = page[0];
        if (first === undefined) break;
        const identity = JSON.stringify([first.predictionId, first.rowIndex]);
        if (identity === previous) {
          // A replica that lags behind the insert: the next run goes on where this one ends.
          logger.warn(
            { model: model.model, modelVersion: model.modelVersion, scored: counts.scored },
            'saved scores are not visible yet, scoring goes on with the next run',
          );
          break;
        }
        previous = identity;
        const scores = await scorePage(forest, page);
        const scored = page.map((row, i) => {
          const score = scores[i] as number;
          return { row, score, flagged: score > forest.threshold };
        });
        await store.saveScores(model, reference.hash, scored);
        counts.scored += scored.length;
        counts.flagged += scored.filter((row) => row.flagged).length;
      }
      if (counts.scored > 0)
        logger.debug({ model: model.model, modelVersion: model.modelVersion, ...counts }, 'rows scored');
      return counts;
    },
  };
}

export type OutlierScorer = ReturnType<typeof createOutlierScorer>;

async function scorePage(forest: ForestModel, page: readonly FeatureRow[]): Promise<Float64Array> {
  const scores = new Float64Array(page.length);
  for (let from = 0; from < page.length; from += SLICE_ROWS) {
    const slice = page.slice(from, from + SLICE_ROWS).map((row) => row.values);
    scores.set(scoreForestRows(forest, slice), from);
    await nextTurn();
  }
  return scores;
}

function readForest(reference: Reference, text: string): ForestModel {
  try {
    return parseForest(text);
  } catch (cause) {
    throw new AppError(
      'invalid_reference',
      `the isolation forest of ${reference.model} ${reference.modelVersion} cannot be read: register its reference again`,
      { cause },
    );
  }
}
