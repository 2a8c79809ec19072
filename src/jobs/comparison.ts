import type {
  ComparedColumn,
  ComparedPart,
  ComparedTogether,
  Comparison,
  Dataset,
} from '../domain/comparison.js';

export function datasetOf(
  columns: readonly Pick<ComparedColumn, 'status'>[],
  together: ComparedTogether | null = null,
): Dataset {
  const drifted = columns.filter((column) => column.status === 'drifted').length;
  const undecided = columns.filter((column) => column.status === 'undecided').length;
  const status =
    drifted > 0 || together?.verdict.status === 'drifted'
      ? 'drifted'
      : undecided === columns.length
        ? 'undecided'
        : 'stable';
  return { status, drifted, undecided };
}

/**
 * The windows or segments with a drift at the level of all of them together. Segments share the level as they are; windows are
 * judged at the level each, so a window counts where its least p-value does after multiplication by their number (Bonferroni).
 */
export function driftedParts({
  windows,
  segments,
  level,
}: Pick<Comparison, 'windows' | 'segments' | 'level'>): ComparedPart[] {
  const ofSegments = (segments?.parts ?? []).filter(({ columns }) =>
    columns.some((column) => column.status === 'drifted'),
  );
  const each = level / Math.max(1, windows?.parts.length ?? 0);
  const ofWindows = (windows?.parts ?? []).filter(({ columns }) =>
    columns.some(({ verdicts }) =>
      verdicts.some(
        ({ role, status, adjustedPValue }) =>
          role === 'primary' && status === 'drifted' && (adjustedPValue ?? 1) <= each,
      ),
    ),
  );
  return [...ofWindows, ...ofSegments];
}

/** The document of `compare --json`, as docs/compare.md describes it. */
export function comparisonDocument(comparison: Comparison): object {
  const { reference, current, columns, dataset, together, windows, segments } = comparison;
  const drifted = new Set(driftedParts(comparison));
  return {
    reference: { rows: reference.rows, hash: reference.hash },
    current: { rows: current.rows },
    columns: columns.map(columnDocument),
    dataset,
    ...(together === null ? {} : { together: togetherDocument(together) }),
    ...(windows === null
      ? {}
      : {
          windows: windows.parts.map((part) => ({
            window: part.name,
            rows: part.rows,
            drifted: drifted.has(part),
            columns: part.columns.map(columnDocument),
          })),
        }),
    ...(segments === null
      ? {}
      : {
          segments: segments.parts.map((part) => ({
            segment: part.name,
            rows: { reference: part.referenceRows, current: part.rows },
            drifted: drifted.has(part),
            columns: part.columns.map(columnDocument),
          })),
        }),
  };
}

function togetherDocument({ verdict, explanation }: ComparedTogether): object {
  const { status, reason, material, detector, statistic, effect, pValue, adjustedPValue, threshold } =
    verdict;
  const { smallestVisibleEffect, pairs = [] } = verdict;
  return {
    status,
    reason,
    material,
    detector,
    statistic,
    effect: effect?.value ?? null,
    pValue,
    adjustedPValue,
    threshold,
    smallestVisibleEffect,
    rows: { reference: verdict.referenceRows, current: verdict.currentRows },
    pairs,
    explanation,
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
      smallestVisibleEffect: verdict.smallestVisibleEffect,
      resolution: verdict.resolution,
      status: verdict.status,
    })),
    missing,
    explanation,
  };
}
