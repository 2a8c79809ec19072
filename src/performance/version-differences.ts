import type { PerformanceCounts, PerformanceStore, PieceLength } from '../domain/performance.js';
import { PRODUCTION } from '../domain/ports.js';
import {
  type MatchedHour,
  type PlacementHour,
  ROW_FIGURES,
  type RowFigure,
  type VersionFigure,
  type VersionPair,
  type VersionPairStore,
} from '../domain/version-comparison.js';
import { pieceStart } from '../domain/window.js';
import {
  type DifferenceEstimate,
  type HourMoments,
  pairedAreas,
  pairedMeans,
  unpairedAreas,
  unpairedMeans,
} from './difference.js';
import { absoluteError } from './regression.js';

/** Requests whose scores are put in order: of more, every k-th by its hash. */
const MAX_ORDERED = 1_000_000;

export type DifferenceStore = Pick<VersionPairStore, 'matchedPlacements' | 'placements'> &
  Pick<PerformanceStore, 'performanceCounts'>;

/** Estimates by the start of their piece, ms; one piece at 0 for all the time. */
export type Differences = Map<number, DifferenceEstimate>;

/** One figure in each piece of the period, of matched requests or of all labelled rows; pieces that cannot say it are left out. */
export async function differencesOf(
  store: DifferenceStore,
  pair: VersionPair,
  figure: VersionFigure,
  {
    hours,
    paired,
    piece,
  }: { readonly hours: readonly MatchedHour[]; readonly paired: boolean; readonly piece: PieceLength },
): Promise<Differences> {
  if (figure === 'rocAuc')
    return paired ? pairedAreasOf(store, pair, hours, piece) : unpairedAreasOf(store, pair, piece);
  if (paired)
    return mapped(
      groupBy(hours, ({ hourMs }) => pieceStart(hourMs, piece)),
      (own) => pairedMeans(own, figure),
    );
  const [champion, challenger] = await Promise.all(
    [pair.champion, pair.challenger].map(async (modelVersion) =>
      groupBy(momentsOf(figure, await countsOf(store, pair, modelVersion)), ({ hourMs }) =>
        pieceStart(hourMs, piece),
      ),
    ),
  );
  return mapped(champion, (own, start) => unpairedMeans(own, challenger?.get(start) ?? []));
}

/** The figures that a task can have. */
export function figuresOfTask(task: VersionPair['task']): VersionFigure[] {
  return [...(task === 'binary' ? (['rocAuc'] as const) : []), ...ROW_FIGURES[task]];
}

async function pairedAreasOf(
  store: DifferenceStore,
  pair: VersionPair,
  hours: readonly MatchedHour[],
  piece: PieceLength,
): Promise<Differences> {
  const labelled = hours.reduce((sum, hour) => sum + hour.labelled, 0);
  const every = Math.max(1, Math.ceil(labelled / MAX_ORDERED));
  const found = await store.matchedPlacements(pair, piece, every);
  return mapped(
    groupBy(found, ({ pieceMs }) => pieceMs),
    pairedAreas,
  );
}

async function unpairedAreasOf(
  store: DifferenceStore,
  pair: VersionPair,
  piece: PieceLength,
): Promise<Differences> {
  const of = async (modelVersion: string) =>
    groupBy<PlacementHour>(await store.placements(pair, modelVersion, piece), ({ pieceMs }) => pieceMs);
  const challenger = await of(pair.challenger);
  return mapped(await of(pair.champion), (own, start) => unpairedAreas(own, challenger.get(start) ?? []));
}

function countsOf(store: DifferenceStore, { model, task, window }: VersionPair, modelVersion: string) {
  return store.performanceCounts({ model, modelVersion, task, scope: PRODUCTION, window }, 'hour');
}

/** What every hour's labelled rows say of a figure. */
function momentsOf(figure: RowFigure, counts: readonly PerformanceCounts[]): HourMoments[] {
  return counts.flatMap((hour) => {
    const moments = momentsOfHour(figure, hour);
    return moments === null || moments === undefined || moments.rows === 0
      ? []
      : [{ ...moments, hourMs: hour.window.startMs }];
  });
}

function momentsOfHour(figure: RowFigure, counts: PerformanceCounts) {
  const { moments, correct, classified } = counts;
  switch (figure) {
    case 'accuracy': {
      const mean = classified === 0 ? 0 : correct / classified;
      return { rows: classified, mean, m2: classified * mean * (1 - mean) };
    }
    case 'logLoss':
      return moments.logLoss;
    case 'brier':
      return moments.brier;
    case 'meanAbsoluteError':
      return absoluteError(counts);
    case 'meanSquaredError':
      return moments.squaredError;
  }
}

function groupBy<T>(values: readonly T[], keyOf: (value: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

function mapped<T>(
  groups: ReadonlyMap<number, T[]> | undefined,
  estimate: (values: T[], start: number) => DifferenceEstimate | null,
): Differences {
  const found: Differences = new Map();
  for (const [start, values] of groups ?? []) {
    const one = estimate(values, start);
    if (one !== null) found.set(start, one);
  }
  return found;
}
