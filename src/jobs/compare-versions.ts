import { COLUMN_DETECTORS } from '../detectors/registry.js';
import { LATENCY, type ModelVersion, PREDICTION, PREDICTION_PROBA } from '../domain/model.js';
import type { PieceLength } from '../domain/performance.js';
import type { FigureSetting } from '../domain/performance-figures.js';
import { PRODUCTION, type Store } from '../domain/ports.js';
import type { Grid, Profile } from '../domain/profile.js';
import type { RequestId } from '../domain/request-rule.js';
import type {
  FigureDifference,
  MatchedHour,
  VersionComparison,
  VersionDistribution,
  VersionFigure,
  VersionPair,
  VersionQuestion,
  VersionSide,
} from '../domain/version-comparison.js';
import { HOUR_MS, pieceEnd, tile, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import { agreementOf } from '../performance/agreement.js';
import { judgeDifference, MINIMUM_DAYS, singleLook, usualMargin } from '../performance/canary.js';
import { type DifferenceEstimate, designEffectOf } from '../performance/difference.js';
import { differencesOf, figuresOfTask } from '../performance/version-differences.js';
import { mcNemarExact } from '../stats/mc-nemar.js';
import { bucketFor } from '../views/load-performance.js';
import { rebin } from '../views/rebin.js';
import { canarySentence } from '../views/version-words.js';
import { latencyOf } from './read-latencies.js';

/** Rows are compared one by one where this share of the labelled rows of the version with fewer of them match. */
const LEAST_MATCHED = 0.8;
/** Probability that the verdict on one figure is ever wrong. */
const LEVEL = 0.05;
const SHOWN = [PREDICTION, PREDICTION_PROBA];

export interface VersionComparerDeps {
  readonly store: Pick<
    Store,
    | 'listModels'
    | 'watermarks'
    | 'listGrids'
    | 'mergedProfiles'
    | 'performanceCounts'
    | 'namedRequests'
    | 'matchedHours'
    | 'matchedPlacements'
    | 'placements'
  >;
  readonly setting: (model: string) => FigureSetting & { readonly requestId: RequestId };
}

/** Champion and challenger over the same time: what they predict, whether they agree, and which is better. */
export function createVersionComparer({ store, setting }: VersionComparerDeps) {
  async function registered({ model, champion, challenger }: VersionQuestion): Promise<ModelVersion[]> {
    if (champion === challenger)
      throw new AppError('invalid_request', 'challenger: must be another version than champion');
    const models = await store.listModels();
    return [champion, challenger].map((version) => {
      const found = models.find((known) => known.model === model && known.modelVersion === version);
      if (found === undefined)
        throw new AppError(
          'unknown_model',
          `version ${version} of this model is not registered: GET /v1/models lists those that are`,
        );
      return found;
    });
  }

  /** The time asked for, else from when on both versions have rows until one has no more. */
  async function periodOf(question: VersionQuestion): Promise<Window> {
    const marks = (await store.watermarks()).filter(
      ({ model, modelVersion }) =>
        model === question.model && [question.champion, question.challenger].includes(modelVersion),
    );
    if (marks.length < 2 && (question.from === undefined || question.to === undefined))
      throw new AppError('not_found', 'one of the versions has no predictions yet: ask again later');
    const first = Math.max(...marks.map(({ firstEventMs }) => firstEventMs));
    const last = Math.min(...marks.map(({ watermarkMs }) => watermarkMs));
    const period = {
      startMs: question.from ?? Math.floor(first / HOUR_MS) * HOUR_MS,
      endMs: question.to ?? Math.floor(last / HOUR_MS) * HOUR_MS + HOUR_MS,
    };
    if (period.startMs >= period.endMs)
      throw new AppError(
        'invalid_request',
        'from, to: the versions have no predictions at the same time, or from is not before to',
      );
    return period;
  }

  async function sideOf(pair: VersionPair, modelVersion: string, grids: readonly Grid[]) {
    const { model, task, window } = pair;
    const key = { model, modelVersion };
    const profiles = await store.mergedProfiles(
      { ...key, scope: PRODUCTION, features: [...SHOWN, LATENCY] },
      tile(window),
    );
    const [counts] = await store.performanceCounts({ ...key, task, scope: PRODUCTION, window }, 'all');
    const side: VersionSide = {
      modelVersion,
      ...(await store.namedRequests(pair, modelVersion)),
      labelled: counts?.labelled ?? 0,
      latency: latencyOf(grids, profiles),
    };
    return { side, profiles };
  }

  /** Throws AppError `unknown_model`, `not_found` before any rows, or `invalid_request`. */
  return async function compareVersions(question: VersionQuestion): Promise<VersionComparison> {
    const [version] = await registered(question);
    if (version === undefined) throw new RangeError('no version was looked for');
    const { task } = version.schema;
    const { positiveClass, minimumMaturity, requestId } = setting(question.model);
    const asked = figuresOfTask(task).find((name) => name === question.figure);
    if (question.figure !== undefined && asked === undefined)
      throw new AppError(
        'invalid_request',
        `figure: of a ${task} model it is one of ${figuresOfTask(task).join(', ')}`,
      );
    const { model, champion, challenger } = question;
    const pair: VersionPair = {
      ...{ model, champion, challenger, task, positiveClass },
      window: await periodOf(question),
    };
    const bucket = question.bucket ?? bucketFor(pair.window);
    const grids = await store.listGrids(model);
    const one = await sideOf(pair, champion, grids);
    const other = await sideOf(pair, challenger, grids);
    const hours = await store.matchedHours(pair);
    const requests = requestsOf(hours);
    const fewest = Math.min(one.side.labelled, other.side.labelled);
    const paired = requests.labelled > 0 && requests.labelled >= LEAST_MATCHED * fewest;
    const immatureBy = paired
      ? Math.ceil(minimumMaturity * requests.matched) - requests.labelled
      : Math.max(
          ...[one.side, other.side].map(
            ({ predictions, labelled }) => Math.ceil(minimumMaturity * predictions) - labelled,
          ),
        );
    const figures: Partial<Record<VersionFigure, FigureDifference>> = {};
    for (const name of figuresOfTask(task)) {
      const estimate = (await differencesOf(store, pair, name, { hours, paired, piece: 'all' })).get(0);
      if (estimate === undefined) continue;
      // The figure asked for decides, else the first that the rows can say.
      const decides = asked === undefined ? Object.keys(figures).length === 0 : name === asked;
      const margin = (decides ? question.margin : undefined) ?? usualMargin(name, estimate.champion);
      figures[name] = {
        ...judgeDifference(name, estimate, {
          margin,
          level: LEVEL,
          immatureBy,
          minimumDays: question.minimumDays ?? MINIMUM_DAYS,
        }),
        ...(paired && name === 'accuracy' ? { mcNemar: mcNemarOf(estimate) } : {}),
      };
    }
    const figure = asked ?? figuresOfTask(task).find((name) => figures[name] !== undefined) ?? null;
    const deciding = figure === null ? undefined : figures[figure];
    const comparison = {
      model,
      task,
      period: pair.window,
      requestId,
      champion: one.side,
      challenger: other.side,
      requests,
      agreement: agreementOf(task, hours),
      distributions: SHOWN.flatMap((feature) => distributionOf(feature, grids, one.profiles, other.profiles)),
      paired,
      figure,
      verdict: deciding?.verdict ?? 'undecided',
      reason: deciding === undefined ? (fewest === 0 ? 'no_labels' : 'too_few_rows') : deciding.reason,
      level: LEVEL,
      figures,
      bucket,
      periods: figure === null ? [] : await periods(pair, figure, { hours, paired, bucket }),
    } satisfies Omit<VersionComparison, 'summary'>;
    return { ...comparison, summary: canarySentence(comparison) };
  };

  async function periods(
    pair: VersionPair,
    figure: VersionFigure,
    { hours, paired, bucket }: { hours: readonly MatchedHour[]; paired: boolean; bucket: PieceLength },
  ): Promise<VersionComparison['periods']> {
    const found = await differencesOf(store, pair, figure, { hours, paired, piece: bucket });
    return [...found]
      .sort(([a], [b]) => a - b)
      .map(([startMs, estimate]) => ({
        window: {
          startMs: Math.max(startMs, pair.window.startMs),
          endMs: Math.min(
            bucket === 'all' ? pair.window.endMs : pieceEnd(startMs, bucket),
            pair.window.endMs,
          ),
        },
        difference: singleLook(estimate, designEffectOf(estimate)),
        champion: estimate.champion,
        challenger: estimate.challenger,
      }));
  }
}

export type VersionComparer = ReturnType<typeof createVersionComparer>;

function requestsOf(hours: readonly MatchedHour[]): VersionComparison['requests'] {
  const sum = (of: (hour: MatchedHour) => number) => hours.reduce((total, hour) => total + of(hour), 0);
  const conflictingLabels = sum((hour) => hour.conflicting);
  return {
    matched: sum((hour) => hour.requests),
    labelled: sum((hour) => hour.labelled) - conflictingLabels,
    conflictingLabels,
  };
}

/** Differences of hits are −1, 0 or 1. */
function mcNemarOf({ difference, rows, telling }: DifferenceEstimate) {
  const balance = Math.round(difference * rows);
  const challengerOnly = (telling + balance) / 2;
  const championOnly = telling - challengerOnly;
  return { championOnly, challengerOnly, pValue: mcNemarExact(championOnly, challengerOnly) };
}

function distributionOf(
  feature: string,
  grids: readonly Grid[],
  champion: readonly Profile[],
  challenger: readonly Profile[],
): VersionDistribution[] {
  const grid = grids.find((each) => each.feature === feature);
  const reference = champion.find((each) => each.feature === feature);
  const current = challenger.find((each) => each.feature === feature);
  if (grid === undefined || reference === undefined || current === undefined) return [];
  const detector = COLUMN_DETECTORS.find(({ name }) => name === 'jensenShannon');
  const measured = detector?.measure({ grid, reference, current });
  return [
    {
      feature,
      distance: measured === undefined || typeof measured === 'string' ? null : measured.statistic,
      distribution: rebin(grid, reference, current),
    },
  ];
}
