import type { ModelVersion } from '../domain/model.js';
import type { PerformanceCounts } from '../domain/performance.js';
import type { Store } from '../domain/ports.js';
import type { Reference } from '../domain/reference.js';
import { type Segment, segmentScope } from '../domain/segment.js';
import { END_OF_TIME_MS, type Window } from '../domain/window.js';
import { fitBaselines } from '../performance/baseline.js';
import { maturityOf } from '../performance/maturity.js';

/**
 * How good a version was on a reference whose counts are stored, or on a segment of it, and how much window-long pieces of it differ;
 * nothing where it holds no labels.
 */
export async function describePerformance(
  store: Pick<Store, 'performanceCounts'>,
  model: ModelVersion,
  input: {
    readonly hash: string;
    readonly period: Window | null;
    readonly pieceMs: number;
    /** Whether a piece lies inside the reference. */
    readonly covers: (piece: Window) => boolean;
    readonly segment?: Segment;
    /** Share of labels below which production says nothing: more may come, and those that come first are not like the rest. */
    readonly minimumMaturity?: number;
  },
): Promise<Pick<Reference, 'performance'>> {
  const query = {
    model: model.model,
    modelVersion: model.modelVersion,
    task: model.schema.task,
    scope: segmentScope(`reference:${input.hash}`, input.segment),
    window: { startMs: 0, endMs: END_OF_TIME_MS },
  };
  const [whole] = await store.performanceCounts(query, 'all');
  const { minimumMaturity = 0 } = input;
  const isMature = (counts: PerformanceCounts) => maturityOf(counts) >= minimumMaturity;
  if (whole === undefined || whole.labelled === 0 || !isMature(whole)) return {};
  const pieces = input.period === null ? [] : await store.performanceCounts(query, { ms: input.pieceMs });
  const inside = pieces.filter((piece) => input.covers(piece.window) && isMature(piece));
  return { performance: fitBaselines(model.schema.task, whole, inside) };
}
