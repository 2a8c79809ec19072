import { judgeOutlierShare } from '../detectors/isolation-forest.js';
import { judgeWindow } from '../detectors/judge-window.js';
import { usualTogether } from '../detectors/usual-together.js';
import { usualWindow } from '../detectors/usual-window.js';
import type { Clock } from '../domain/clock.js';
import type { ModelVersion } from '../domain/model.js';
import type { Store } from '../domain/ports.js';
import { type Reference, referenceBuckets } from '../domain/reference.js';
import type { TunedBudget, TunedTest, Tuning } from '../domain/tuning.js';
import type { EpisodeCategory, Verdict } from '../domain/verdict.js';
import { AppError } from '../errors.js';
import type { EpisodeBudget } from '../stats/episode-budget.js';
import { parseForest } from '../stats/forest-codec.js';
import { type AlarmSettings, familyModel, type LevelChooser, MOST_LEVEL } from './false-alarm-level.js';
import type { SegmentBaselines } from './segments.js';

export interface TunerDeps {
  readonly store: Pick<Store, 'currentReference' | 'listGrids' | 'mergedProfiles'>;
  readonly settings: (model: string) => AlarmSettings;
  readonly levels: Pick<LevelChooser, 'usualRows' | 'familyOf'>;
  readonly budget: EpisodeBudget;
  /** The segments of a version that are judged as well; none when left out. */
  readonly segments?: SegmentBaselines | undefined;
  /** The service's clock: usual windows are the last ones before it. */
  readonly clock: Clock;
}

/** Says what budgets of false episodes mean for a model version: levels, thresholds, the smallest drift that an ordinary window shows. */
export function createTuner(deps: TunerDeps) {
  const { store, budget } = deps;

  async function referenceOf(model: ModelVersion): Promise<Reference> {
    const reference = await store.currentReference(model);
    if (reference !== null) return reference;
    throw new AppError('not_found', 'this model version has no reference yet: PUT …/reference');
  }

  /** @param budgets false episodes per 30 days to show beside the policy in force */
  return async function tune(model: ModelVersion, budgets: readonly number[]): Promise<Tuning> {
    const reference = await referenceOf(model);
    const settings = deps.settings(model.model);
    const { lengthMs, stepMs } = settings.window;
    const family = await deps.levels.familyOf(model, reference);
    const windowRows = await deps.levels.usualRows(model, reference, deps.clock.now());
    const categories = [...family.tests.keys()];
    const sizes = { windowRows, referenceRows: reference.rows };
    const rates = await budget.ratesOf(
      familyModel(settings, family, sizes),
      Math.max(MOST_LEVEL, settings.level ?? 0),
    );

    const tunedAt = (level: number, falseEpisodesPer30Days: number | null): TunedBudget => {
      const expected = rates.byCategory(level);
      return {
        falseEpisodesPer30Days,
        configured:
          falseEpisodesPer30Days === null || falseEpisodesPer30Days === settings.falseEpisodesPer30Days,
        level,
        expected: expected.reduce((all, rate) => all + rate, 0),
        byCategory: Object.fromEntries(categories.map((category, i) => [category, expected[i] ?? 0])),
      };
    };
    const configured = settings.falseEpisodesPer30Days;
    const asked = [...new Set([...budgets, ...(configured === undefined ? [] : [configured])])];
    const tuned = asked
      .sort((a, b) => a - b)
      .map((allowed) => tunedAt(rates.levelFor(allowed, MOST_LEVEL), allowed));
    if (settings.level !== undefined) tuned.push(tunedAt(settings.level, null));

    const tests = [...family.tests.values()].reduce((all, count) => all + count, 0);
    const verdictsAt = await usualVerdicts(model, reference, windowRows, tests);
    return {
      model: model.model,
      modelVersion: model.modelVersion,
      referenceHash: reference.hash,
      referenceRows: reference.rows,
      windowRows,
      minimumRows: settings.policy.minimumRows ?? 0,
      windowMs: lengthMs,
      stepMs,
      tests: Object.fromEntries(family.tests),
      budgets: tuned,
      columns: sideBySide(tuned.map(({ level }) => verdictsAt(level))),
    };
  };

  /** The verdicts on a window that is distributed like the reference, at any level. */
  async function usualVerdicts(model: ModelVersion, reference: Reference, windowRows: number, tests: number) {
    const grids = await store.listGrids(model.model);
    const referenceProfiles = await store.mergedProfiles(
      { model: model.model, modelVersion: model.modelVersion, scope: `reference:${reference.hash}` },
      referenceBuckets(reference),
    );
    const currentProfiles = usualWindow(referenceProfiles, windowRows);
    const segments = ((await deps.segments?.(model, reference)) ?? []).map((part) => ({
      ...part,
      currentProfiles: usualWindow(
        part.referenceProfiles,
        Math.round((windowRows * part.reference.rows) / Math.max(1, reference.rows)),
      ),
    }));
    const endMs = deps.clock.now();
    const window = { startMs: endMs - deps.settings(model.model).window.lengthMs, endMs };
    const forest = reference.forest === null ? null : parseForest(reference.forest);
    return (level: number): Verdict[] => {
      const extra: Verdict[] = [];
      if (forest !== null) {
        const flagged = Math.round((windowRows * forest.flagged) / Math.max(1, forest.rows));
        const counts = { scored: windowRows, flagged, level: level / tests };
        extra.push(judgeOutlierShare({ model, window, reference, forest, ...counts }));
      }
      extra.push(...usualTogether({ model, window, reference, level: level / tests }, windowRows));
      const counted = { grids, referenceProfiles, currentProfiles };
      return judgeWindow({ model, window, reference, ...counted, level, extra, segments }).verdicts;
    };
  }
}

export type Tuner = ReturnType<typeof createTuner>;

/** One row for each test from its verdicts at several levels, which come in the same order. */
function sideBySide(byBudget: readonly (readonly Verdict[])[]): TunedTest[] {
  const [first = []] = byBudget;
  return first.map((verdict, i): TunedTest => {
    const all = byBudget.map((verdicts) => verdicts[i] ?? verdict);
    const decided = all.find((other) => other.status !== 'undecided');
    const { feature, segment, detector, role, minimumEffect } = verdict;
    const category: EpisodeCategory = verdict.category;
    return {
      feature,
      ...(segment === undefined ? {} : { segment }),
      detector,
      category,
      role,
      minimumEffect,
      undecided: decided === undefined ? verdict.reason : null,
      budgets: all.map(({ threshold, smallestVisibleEffect }) => ({
        threshold,
        smallestVisibleEffect,
        alarmsFrom:
          smallestVisibleEffect === null ? null : Math.max(Math.abs(smallestVisibleEffect), minimumEffect),
      })),
    };
  });
}
