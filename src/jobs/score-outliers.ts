import type { ModelVersion } from '../domain/model.js';
import type { OutlierReason } from '../domain/outlier.js';
import type { ScoredRow } from '../domain/outlier-ports.js';
import type { FeatureRow, Logger, Store } from '../domain/ports.js';
import type { Reference } from '../domain/reference.js';
import { AppError } from '../errors.js';
import { parseForest } from '../stats/forest-codec.js';
import { encodeRows } from '../stats/forest-encoding.js';
import type { ForestModel } from '../stats/forest-model.js';
import type { ScoreInput } from '../stats/forest-parts.js';

/** Values encoded at once, for one thread to score: a few ms, other work gets its turn in between. */
const SLICE_VALUES = 40_000;
/** Values read and saved at once: the engine's client reads a page's text in one go, which takes some 20 ms. */
const PAGE_VALUES = 150_000;
const MOST_PAGE_ROWS = 8_000;
/** Kept with a row. */
const MOST_REASONS = 5;
/** Forests kept parsed: a parsed one holds about a megabyte. */
const CACHED_FORESTS = 8;

export interface OutlierScorerDeps {
  readonly store: Pick<Store, 'unscoredRows' | 'saveScores'>;
  readonly logger: Logger;
  /** Scores encoded rows, in any thread; the input is made when a thread is free. */
  readonly scoreForest: (input: () => ScoreInput) => Promise<Float64Array>;
  /** Contributions of the model's columns to the scores of encoded rows, rows × columns, in any thread too. */
  readonly explainForest: (input: () => ScoreInput) => Promise<Float64Array>;
  /** Rows read and saved at once; as many as hold 150,000 values, at most 8,000, by default. */
  readonly pageRows?: number;
}

/**
 * Scores the rows that have no score by the reference's forest yet, page by page, and saves which are flagged.
 * Idempotent: what a crash left unsaved is scored again, with the same scores.
 */
export function createOutlierScorer(deps: OutlierScorerDeps) {
  const { store, logger } = deps;
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
      const pageRows = deps.pageRows ?? Math.min(MOST_PAGE_ROWS, Math.ceil(PAGE_VALUES / columns.length));
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
        const scores = await inSlices(forest, page, reference.forest, 1, deps.scoreForest);
        const flagged = page.filter((_, i) => (scores[i] as number) > forest.threshold);
        const parts = await inSlices(forest, flagged, reference.forest, columns.length, deps.explainForest);
        let explained = 0;
        const scored = page.map((row, i): ScoredRow => {
          const score = scores[i] as number;
          if (!(score > forest.threshold)) return { row, score, flagged: false, reasons: [] };
          const from = explained++ * columns.length;
          const reasons = reasonsOf(columns, parts.subarray(from, from + columns.length));
          return { row, score, flagged: true, reasons };
        });
        await store.saveScores(model, reference.hash, scored);
        counts.scored += scored.length;
        counts.flagged += flagged.length;
      }
      if (counts.scored > 0)
        logger.debug({ model: model.model, modelVersion: model.modelVersion, ...counts }, 'rows scored');
      return counts;
    },
  };
}

export type OutlierScorer = ReturnType<typeof createOutlierScorer>;

/** Runs rows through a task in slices, as many at once as there are threads; `width` numbers come of each row. */
async function inSlices(
  { encoding }: ForestModel,
  rows: readonly FeatureRow[],
  forest: string,
  width: number,
  run: (input: () => ScoreInput) => Promise<Float64Array>,
): Promise<Float64Array> {
  const results = new Float64Array(rows.length * width);
  const sliceRows = Math.ceil(SLICE_VALUES / encoding.length);
  const starts = Array.from({ length: Math.ceil(rows.length / sliceRows) }, (_, i) => i * sliceRows);
  await Promise.all(
    starts.map(async (from) => {
      const values = rows.slice(from, from + sliceRows).map((row) => row.values);
      const result = await run(() => ({ forest, matrix: encodeRows(encoding, values), rows: values.length }));
      results.set(result, from * width);
    }),
  );
  return results;
}

/** The features that make the row odd, the largest contribution first. */
function reasonsOf(columns: readonly string[], contributions: Float64Array): OutlierReason[] {
  return columns
    .map((feature, i) => ({ feature, contribution: contributions[i] as number }))
    .filter(({ contribution }) => contribution > 0)
    .sort((a, b) => b.contribution - a.contribution)
    .slice(0, MOST_REASONS);
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
