import type { Task } from '../domain/model.js';
import type { PerformanceCounts } from '../domain/performance.js';
import type { Figure, FigureSetting } from '../domain/performance-figures.js';
import type { UndecidedReason } from '../domain/verdict.js';
import { binaryFigures } from './binary.js';
import { maturityOf } from './maturity.js';
import { multiclassFigures } from './multiclass.js';
import { regressionFigures } from './regression.js';

/** Every figure of a task by name; what has no rows to be of is left out. */
export function figuresOf(
  task: Task,
  counts: PerformanceCounts,
  setting: Pick<FigureSetting, 'positiveClass' | 'value' | 'quantiles'>,
): Record<string, Figure> {
  if (task === 'binary') return binaryFigures(counts, setting);
  return task === 'multiclass' ? multiclassFigures(counts) : regressionFigures(counts, setting);
}

/**
 * Why figures of some predictions decide nothing, or null where they do. Labels that come first are not those of any row, so few of
 * them prove nothing.
 */
export function undecidedReason(
  counts: Pick<PerformanceCounts, 'predictions' | 'labelled'>,
  { minimumMaturity }: Pick<FigureSetting, 'minimumMaturity'>,
): UndecidedReason | null {
  if (counts.predictions === 0) return 'no_data';
  return maturityOf(counts) < minimumMaturity ? 'labels_immature' : null;
}
