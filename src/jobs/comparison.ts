import type { ComparedColumn, Comparison, Dataset } from '../domain/comparison.js';

export function datasetOf(columns: readonly ComparedColumn[]): Dataset {
  const drifted = columns.filter((column) => column.status === 'drifted').length;
  const undecided = columns.filter((column) => column.status === 'undecided').length;
  const status = drifted > 0 ? 'drifted' : undecided === columns.length ? 'undecided' : 'stable';
  return { status, drifted, undecided };
}

/** The document of `compare --json`, as docs/compare.md describes it. */
export function comparisonDocument(comparison: Comparison): object {
  const { reference, current, columns, dataset, windows, segments } = comparison;
  return {
    reference: { rows: reference.rows, hash: reference.hash },
    current: { rows: current.rows },
    columns: columns.map(columnDocument),
    dataset,
    ...(windows === null
      ? {}
      : {
          windows: windows.parts.map(({ name, rows, columns: own }) => ({
            window: name,
            rows,
            columns: own.map(columnDocument),
          })),
        }),
    ...(segments === null
      ? {}
      : {
          segments: segments.parts.map(({ name, referenceRows, rows, columns: own }) => ({
            segment: name,
            rows: { reference: referenceRows, current: rows },
            columns: own.map(columnDocument),
          })),
        }),
  };
}

function columnDocument(column: ComparedColumn): object {
  const { column: name, kind, status, material, primary, verdicts, missing, explanation } = column;
  return {
    column: name,
    kind,
    status,
    material,
    primary: primary?.detector ?? null,
    detectors: verdicts.map((verdict) => ({
      detector: verdict.detector,
      statistic: verdict.statistic,
      effect: verdict.effect?.value ?? null,
      pValue: verdict.pValue,
      adjustedPValue: verdict.adjustedPValue,
      threshold: verdict.threshold,
      status: verdict.status,
    })),
    missing,
    explanation,
  };
}
