import { decideEpisode } from '../../src/alerts/policy.js';
import { judgeWindow } from '../../src/detectors/judge-window.js';
import { judgePerformance } from '../../src/detectors/performance-drop.js';
import { primaryFamily } from '../../src/detectors/primary-family.js';
import type { QuickOutcome } from '../../src/detectors/quick-judgement.js';
import type { ModelVersion, Task } from '../../src/domain/model.js';
import type { PerformanceCounts, ScoreRanking } from '../../src/domain/performance.js';
import type { Reference } from '../../src/domain/reference.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { DAY_MS, type Window } from '../../src/domain/window.js';
import { familyModel, MOST_LEVEL } from '../../src/jobs/false-alarm-level.js';
import { createPolicyReplay } from '../../src/jobs/policy-replay.js';
import { fitBaselines } from '../../src/performance/baseline.js';
import { performanceSamples } from '../../src/performance/samples.js';
import type { EpisodeBudget } from '../../src/stats/episode-budget.js';
import { createRandom } from '../../src/stats/random.js';
import { rankAuc } from '../../src/stats/rank-auc.js';
import { standardNormal } from './columns.js';
import type { Row, World } from './performance-worlds.js';

const KEY = { model: 'performance', modelVersion: '1' };
/** The service's defaults: a budget of one false episode in 30 days, two windows of two open, two close. */
const BUDGET = 1;
const POLICY = { openCount: 2, openWindows: 2, closeCount: 2, cooldownMs: 0 };

export interface TrialResult {
  readonly level: number;
  readonly windows: number;
  /** Windows of which any performance test could decide. */
  readonly decided: number;
  readonly drifted: number;
  readonly material: number;
  /** False performance episodes per 30 days, and what they would be if every loss mattered. */
  readonly episodes: number;
  readonly anyEpisodes: number;
}

/** One fresh reference, and windows from the same stream long after it. */
export async function runPerformance(
  world: World,
  seed: number,
  budget: EpisodeBudget,
): Promise<TrialResult> {
  const random = createRandom(seed);
  const { task, rows, pieces, windowMs, timed } = world;
  const model: ModelVersion = { ...KEY, registeredAtMs: 0, schema: { task, features: [] } };
  const states = statesOf(world, random);
  const parts = Array.from({ length: pieces }, () => drawRows(world, states(), random));
  const countedPieces = parts.map((part) => countRows(task, part));
  const reference: Reference = {
    ...KEY,
    hash: 'simulated',
    rows: rows * pieces,
    period: null,
    provenance: 'simulated',
    createdAtMs: 0,
    nullModel: { kind: timed ? 'temporal' : 'iid', pieceMs: timed ? windowMs : 0, spreads: [] },
    forest: null,
    performance: fitBaselines(task, countRows(task, parts.flat()), timed ? countedPieces : []),
  };
  const family = primaryFamily({ model, reference, grids: [], referenceProfiles: [] });
  const settings = { window: { lengthMs: windowMs, stepMs: windowMs, latenessMs: 0 }, policy: POLICY };
  const sizes = { windowRows: rows, referenceRows: reference.rows };
  const level = (await budget.ratesOf(familyModel(settings, family, sizes), MOST_LEVEL)).levelFor(
    BUDGET,
    MOST_LEVEL,
  );
  const later = statesOf(world, random);
  const replays = [0, 1].map(() => createPolicyReplay(KEY, POLICY, windowMs, decideEpisode));
  const result = { level, windows: world.windows, decided: 0, drifted: 0, material: 0 };
  for (let at = 0; at < world.windows; at++) {
    const window = { startMs: at * windowMs, endMs: (at + 1) * windowMs };
    const counts = countRows(task, drawRows(world, later(), random));
    const verdicts = judge(model, reference, window, counts, level);
    const strict = outcomeOf(verdicts, ({ material }) => material);
    const any = outcomeOf(verdicts, ({ status }) => status === 'drifted');
    if (any.state === 'undecided') continue;
    result.decided += 1;
    if (any.state === 'drifted') result.drifted += 1;
    if (strict.state === 'drifted') result.material += 1;
    for (const [i, each] of [strict, any].entries()) replays[i]?.next(window, [each]);
  }
  const months = (world.windows * windowMs) / (30 * DAY_MS);
  const [episodes = 0, anyEpisodes = 0] = replays.map((replay) => replay.result().opened / months);
  return { ...result, episodes, anyEpisodes };
}

/** Successive states: stationary from the first. */
function statesOf({ stateSd, lasting }: World, random: () => number): () => number {
  let state = standardNormal(random);
  return () => {
    const now = stateSd * state;
    state = lasting * state + Math.sqrt(1 - lasting ** 2) * standardNormal(random);
    return now;
  };
}

function drawRows({ rows, draw }: World, state: number, random: () => number): Row[] {
  return Array.from({ length: rows }, () => draw(random, state));
}

/** What the store counts of rows, as far as verdicts look at it. */
function countRows(task: Task, rows: readonly Row[]): PerformanceCounts {
  const correct = rows.filter(({ label, prediction }) => label === prediction).length;
  return {
    window: { startMs: 0, endMs: 0 },
    predictions: rows.length,
    labelled: rows.length,
    delays: [],
    confusion: [],
    classified: task === 'regression' ? 0 : rows.length,
    correct: task === 'regression' ? 0 : correct,
    ranking: task === 'binary' ? rankingOf(rows) : null,
    calibration: [],
    moments:
      task === 'regression'
        ? {
            under: momentsOf(rows.map(({ label, prediction }) => Math.max(label - prediction, 0))),
            over: momentsOf(rows.map(({ label, prediction }) => Math.max(prediction - label, 0))),
          }
        : {},
  };
}

function rankingOf(rows: readonly Row[]): ScoreRanking {
  const scores = (wanted: number) => rows.filter(({ label }) => label === wanted).map(({ score }) => score);
  const [up, down] = [scores(1), scores(0)];
  const known = up.length >= 2 && down.length >= 2 ? rankAuc(up, down) : null;
  return {
    positives: up.length,
    negatives: down.length,
    auc: known?.auc ?? null,
    aucVariance: known?.variance ?? null,
    averagePrecision: null,
    aucResolution: 0,
  };
}

function momentsOf(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { rows: values.length, mean, m2: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) };
}

function judge(
  model: ModelVersion,
  reference: Reference,
  window: Window,
  counts: PerformanceCounts,
  level: number,
): Verdict[] {
  const extra = judgePerformance({
    model,
    window,
    reference,
    baselines: reference.performance ?? [],
    samples: performanceSamples(model.schema.task, counts),
    reason: null,
    level,
    counts,
  });
  const { verdicts } = judgeWindow({
    model,
    window,
    reference,
    grids: [],
    referenceProfiles: [],
    currentProfiles: [],
    level,
    extra,
  });
  return verdicts.filter(({ category }) => category === 'performance');
}

/** What the window's performance verdicts come to, of those that matter. */
function outcomeOf(verdicts: readonly Verdict[], matters: (verdict: Verdict) => boolean): QuickOutcome {
  const drivers = verdicts.filter(matters).map(({ feature, detector, effect, minimumEffect }) => ({
    feature,
    detector,
    effect: effect?.value ?? 0,
    minimumEffect,
  }));
  const isDecided = verdicts.some(({ status }) => status !== 'undecided');
  const state = drivers.length > 0 ? 'drifted' : isDecided ? 'clean' : 'undecided';
  return { category: 'performance', state, drivers };
}
