import type { PerformanceCounts } from '../domain/performance.js';
import type { ClassFigures, Figure } from '../domain/performance-figures.js';
import { f1, present } from './binary.js';
import { mean, share } from './interval.js';

/** Precision, recall and F1 of every class that is a label or was predicted, in the order of their names. */
export function classFigures({ confusion }: Pick<PerformanceCounts, 'confusion'>): ClassFigures[] {
  const totals = new Map<string, { actual: number; predicted: number; correct: number }>();
  const of = (name: string) => {
    const total = totals.get(name) ?? { actual: 0, predicted: 0, correct: 0 };
    totals.set(name, total);
    return total;
  };
  for (const { actual, predicted, rows } of confusion) {
    of(actual).actual += rows;
    of(predicted).predicted += rows;
    if (actual === predicted) of(actual).correct += rows;
  }
  return [...totals]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { actual, predicted, correct }]) => ({
      class: name,
      rows: actual,
      figures: present({
        precision: share(correct, predicted),
        recall: share(correct, actual),
        f1: f1(correct, actual + predicted - 2 * correct),
      }),
    }));
}

/**
 * Figures of a classifier of several classes by name. Macro averages are over the classes that are a label or were predicted; a class
 * without a precision or a recall counts as 0, as in scikit-learn with `zero_division=0`. Micro-averaged precision, recall and F1
 * are the accuracy.
 */
export function multiclassFigures(counts: PerformanceCounts): Record<string, Figure> {
  const classes = classFigures(counts);
  const rows = counts.confusion.reduce((sum, pair) => sum + pair.rows, 0);
  const macro = (name: string): Figure | null =>
    classes.length === 0
      ? null
      : {
          value: classes.reduce((sum, { figures }) => sum + (figures[name]?.value ?? 0), 0) / classes.length,
          low: null,
          high: null,
          rows,
        };
  return present({
    accuracy: share(counts.correct, counts.classified),
    precisionMacro: macro('precision'),
    recallMacro: macro('recall'),
    f1Macro: macro('f1'),
    f1Micro: share(counts.correct, counts.classified),
    logLoss: mean(counts.moments.logLoss),
  });
}
