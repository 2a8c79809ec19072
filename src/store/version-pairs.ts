import { type Moments, mergeMoments } from '../domain/performance.js';
import { PRODUCTION } from '../domain/ports.js';
import {
  type MatchedHour,
  type MatchedMoments,
  type MatchedPlacementHour,
  type PlacementHour,
  type PlacementSums,
  ROW_FIGURES,
  type VersionPair,
  type VersionPairStore,
} from '../domain/version-comparison.js';
import { HOUR_MS } from '../domain/window.js';
import type { StoreClient } from './client.js';
import { MAX_SCORES, pieceOf } from './performance-counts.js';
import { coarse } from './performance-sql.js';
import {
  matchedHoursSql,
  matchedPlacementsSql,
  NAMED_REQUESTS_SQL,
  placementsSql,
} from './version-pairs-sql.js';

/** Rows of both versions that one statement joins, about. */
const MAX_ROWS = 2_000_000;
const TIMEOUT_MS = 600_000;

interface MatchedRow {
  readonly hour: number;
  readonly requests: number;
  readonly classified: number;
  readonly class_names: [champion: string, challenger: string][];
  readonly class_rows: number[];
  readonly labelled: number;
  readonly conflicting: number;
  readonly distance: [rows: number, mean: number, m2: number];
  readonly moments: [
    champion: number,
    challenger: number,
    rows: number,
    mean: number,
    m2: number,
    changed: number,
  ][];
}

type SumsRow = [rows: number, sum: number, squares: number];
interface PlacementRow {
  readonly piece: number;
  readonly hour: number;
  readonly positives: SumsRow;
  readonly negatives: SumsRow;
}

/** Two versions of a model row by row, matched and summed inside the engine. */
export function createVersionPairs(client: StoreClient): VersionPairStore {
  const limits = { timeoutMs: TIMEOUT_MS };

  async function namedRequests(pair: VersionPair, modelVersion: string) {
    const [row] = await client.query<{ predictions: number; unnamed: number; ambiguous: number }>(
      NAMED_REQUESTS_SQL,
      { ...paramsOf(pair), version: modelVersion },
      limits,
    );
    return row ?? { predictions: 0, unnamed: 0, ambiguous: 0 };
  }

  /** In how many parts, by the requests' hashes, the rows are joined. */
  async function partsOf(pair: VersionPair): Promise<number> {
    const champion = await namedRequests(pair, pair.champion);
    const challenger = await namedRequests(pair, pair.challenger);
    return Math.max(1, Math.ceil((champion.predictions + challenger.predictions) / MAX_ROWS));
  }

  return {
    namedRequests,

    async matchedHours(pair) {
      const parts = await partsOf(pair);
      const hours = new Map<number, MatchedHour>();
      for (let part = 0; part < parts; part++) {
        const rows = await client.query<MatchedRow>(
          matchedHoursSql(pair.task),
          { ...paramsOf(pair), positiveClass: pair.positiveClass, parts, part },
          limits,
        );
        for (const row of rows) {
          const found = matchedHour(row, pair);
          const known = hours.get(found.hourMs);
          hours.set(found.hourMs, known === undefined ? found : together(known, found));
        }
      }
      return [...hours.values()].sort((a, b) => a.hourMs - b.hourMs);
    },

    async matchedPlacements(pair, piece, every) {
      const rows = await client.query<PlacementRow & { champion: number; challenger: number }>(
        matchedPlacementsSql(pieceOf(piece)),
        { ...paramsOf(pair), positiveClass: pair.positiveClass, parts: every, part: 0 },
        limits,
      );
      return rows.map(
        (row): MatchedPlacementHour => ({
          ...placementHour(row),
          champion: row.champion,
          challenger: row.challenger,
        }),
      );
    },

    async placements(pair, modelVersion, piece) {
      const params = { ...paramsOf(pair), version: modelVersion, scope: PRODUCTION };
      const [found] = await client.query<{ scores: number; rough: number }>(
        `SELECT sum(length(scores)) AS scores, toUInt8(max(coarse)) AS rough FROM performance_hours FINAL
         WHERE scope = {scope:String} AND model = {model:String} AND version = {version:String}
           AND hour >= {fromHour:Int64} AND hour < {toHour:Int64}`,
        params,
        limits,
      );
      const isRough = (found?.scores ?? 0) > MAX_SCORES || found?.rough === 1;
      const rows = await client.query<PlacementRow>(
        placementsSql(pieceOf(piece), isRough ? coarse('s') : 's'),
        params,
        limits,
      );
      return rows.map(placementHour);
    },
  };
}

const paramsOf = ({ model, champion, challenger, window }: VersionPair) => ({
  model,
  champion,
  challenger,
  fromHour: window.startMs / HOUR_MS,
  toHour: window.endMs / HOUR_MS,
});

const sumsOf = ([rows, sum, squares]: SumsRow): PlacementSums => ({ rows, sum, squares });

const placementHour = ({ piece, hour, positives, negatives }: PlacementRow): PlacementHour => ({
  pieceMs: piece,
  hourMs: hour * HOUR_MS,
  positives: sumsOf(positives),
  negatives: sumsOf(negatives),
});

function matchedHour(row: MatchedRow, { task }: VersionPair): MatchedHour {
  const figures: Record<string, MatchedMoments> = {};
  for (const [place, name] of ROW_FIGURES[task].entries()) {
    const found = row.moments[place];
    if (found === undefined || found[2] === 0) continue;
    const [champion, challenger, rows, mean, m2, changed] = found;
    figures[name] = { champion, challenger, difference: { rows, mean, m2 }, changed };
  }
  const [rows, mean, m2] = row.distance;
  return {
    hourMs: row.hour * HOUR_MS,
    requests: row.requests,
    classified: row.classified,
    classes: row.class_names.map(([champion, challenger], i) => ({
      champion,
      challenger,
      rows: row.class_rows[i] ?? 0,
    })),
    distance: { rows, mean, m2 },
    labelled: row.labelled,
    conflicting: row.conflicting,
    figures,
  };
}

const NONE: Moments = { rows: 0, mean: 0, m2: 0 };

/** Two parts of one hour's requests. */
function together(a: MatchedHour, b: MatchedHour): MatchedHour {
  const figures: Record<string, MatchedMoments> = { ...a.figures };
  for (const [name, other] of Object.entries(b.figures)) {
    const one = figures[name];
    figures[name] = one === undefined ? other : mergeMatched(one, other);
  }
  return {
    hourMs: a.hourMs,
    requests: a.requests + b.requests,
    classified: a.classified + b.classified,
    classes: [...a.classes, ...b.classes],
    distance: mergeMoments([a.distance, b.distance]) ?? NONE,
    labelled: a.labelled + b.labelled,
    conflicting: a.conflicting + b.conflicting,
    figures,
  };
}

function mergeMatched(a: MatchedMoments, b: MatchedMoments): MatchedMoments {
  const difference = mergeMoments([a.difference, b.difference]) ?? NONE;
  const share = b.difference.rows / difference.rows;
  return {
    champion: a.champion + (b.champion - a.champion) * share,
    challenger: a.challenger + (b.challenger - a.challenger) * share,
    difference,
    changed: a.changed + b.changed,
  };
}
