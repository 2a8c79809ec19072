import { type PrimaryFamily, primaryFamily } from '../detectors/primary-family.js';
import type { Policy } from '../domain/episode.js';
import type { ModelVersion } from '../domain/model.js';
import type { Store } from '../domain/ports.js';
import { type Reference, referenceBuckets } from '../domain/reference.js';
import { segmentId } from '../domain/segment.js';
import { DAY_MS, type Window, type WindowSpec } from '../domain/window.js';
import type { OpeningRule } from '../stats/count-openings.js';
import type { EpisodeBudget, FamilyModel } from '../stats/episode-budget.js';
import type { SegmentBaselines } from './segments.js';

/** However much a budget allows: a window's own verdict has to be believable too. */
export const MOST_LEVEL = 0.05;
const MONTH_MS = 30 * DAY_MS;
const WEEK_MS = 7 * DAY_MS;
/** Windows whose sizes count as usual: those of the four weeks before the window's week. */
const USUAL_MS = 4 * WEEK_MS;
/** Of a reference without timestamps, before any window: a window of a twentieth of its rows. */
const UNKNOWN_SHARE = 1 / 20;
/** Weeks remembered per version: a backlog is judged in order, late rows touch the last few. */
const WEEKS_KEPT = 60;

/** What a model's windows may flag: a budget of false episodes, or the level itself. */
export interface AlarmSettings {
  readonly window: WindowSpec;
  readonly policy: Policy;
  /** False episodes per 30 days and model version; left out when `level` is set. */
  readonly falseEpisodesPer30Days?: number | undefined;
  readonly level?: number | undefined;
}

export interface LevelChooserDeps {
  readonly store: Pick<Store, 'listGrids' | 'mergedProfiles' | 'listRuns'>;
  readonly settings: (model: string) => AlarmSettings;
  readonly budget: EpisodeBudget;
  /** The segments of a version that are judged as well; none when left out. */
  readonly segments?: SegmentBaselines | undefined;
}

export function openingRule(policy: Policy, stepMs: number): OpeningRule {
  return {
    openCount: policy.openCount,
    openWindows: policy.openWindows,
    closeCount: policy.closeCount,
    ...(policy.closeWindows === undefined ? {} : { closeWindows: policy.closeWindows }),
    cooldownWindows: Math.ceil(policy.cooldownMs / stepMs),
  };
}

/** The simulation's view of a version's windows. */
export function familyModel(
  settings: Pick<AlarmSettings, 'window' | 'policy'>,
  family: PrimaryFamily,
  sizes: { readonly windowRows: number; readonly referenceRows: number },
): FamilyModel {
  const { lengthMs, stepMs } = settings.window;
  return {
    tests: [...family.tests.values()],
    sharedVariance: sizes.windowRows / Math.max(1, sizes.windowRows + sizes.referenceRows),
    overlap: lengthMs / stepMs,
    scaleDegrees: family.scaleDegrees,
    windowsPer30Days: MONTH_MS / stepMs,
    rule: openingRule(settings.policy, stepMs),
  };
}

/** Rows of a window-long piece of the reference, on average. */
export function pieceRows(reference: Reference, lengthMs: number): number {
  const { period, rows } = reference;
  if (period === null) return Math.ceil(rows * UNKNOWN_SHARE);
  return Math.max(1, Math.round((rows * lengthMs) / Math.max(lengthMs, period.endMs - period.startMs)));
}

/**
 * The level at which a version's windows are judged, from its budget of false episodes. It belongs to the week of a window's end and
 * follows from the windows judged in the four weeks before that week (median rows), so judging a window again gives the same verdict.
 */
export function createLevelChooser({ store, settings, budget, segments }: LevelChooserDeps) {
  interface Known {
    readonly basis: string;
    readonly family: PrimaryFamily;
    readonly levels: Map<number, number>;
  }
  const versions = new Map<string, Known>();

  async function knownOf(model: ModelVersion, reference: Reference): Promise<Known> {
    const name = JSON.stringify([model.model, model.modelVersion]);
    const known = versions.get(name);
    // A null learned from production has other scales than the provisional one before.
    const parts = reference.segments?.map(({ segment }) => segmentId(segment));
    const { kind, learned } = reference.nullModel;
    // The same file registered again may have a sample that it had not before.
    const hasSample = reference.multivariate !== undefined;
    // A policy may be changed while the service runs.
    const { policy, falseEpisodesPer30Days, window } = settings(model.model);
    const rule = [openingRule(policy, window.stepMs), falseEpisodesPer30Days];
    const basis = JSON.stringify([reference.hash, kind, learned, parts, hasSample, rule]);
    if (known?.basis === basis) return known;
    const family = primaryFamily({
      model,
      reference,
      grids: await store.listGrids(model.model),
      referenceProfiles: await store.mergedProfiles(
        { model: model.model, modelVersion: model.modelVersion, scope: `reference:${reference.hash}` },
        referenceBuckets(reference),
      ),
      segments: (await segments?.(model, reference)) ?? [],
    });
    const fresh = { basis, family, levels: new Map<number, number>() };
    versions.set(name, fresh);
    return fresh;
  }

  /** Median rows of the windows with rows that ended in the four weeks up to a time; a piece of the reference where there was none. */
  async function usualRows(model: ModelVersion, reference: Reference, untilMs: number): Promise<number> {
    const { lengthMs } = settings(model.model).window;
    const runs = await store.listRuns(model, untilMs - USUAL_MS, untilMs);
    const rows = runs
      .filter(({ window, rows: count }) => count > 0 && window.endMs - window.startMs === lengthMs)
      .map((run) => run.rows)
      .sort((a, b) => a - b);
    return rows[Math.floor(rows.length / 2)] ?? pieceRows(reference, lengthMs);
  }

  return {
    usualRows,
    /** The tests of a version, for those who ask what a budget means. */
    familyOf: async (model: ModelVersion, reference: Reference) => (await knownOf(model, reference)).family,

    async levelFor(model: ModelVersion, reference: Reference, window: Window): Promise<number> {
      const ours = settings(model.model);
      if (ours.level !== undefined) return ours.level;
      const { family, levels } = await knownOf(model, reference);
      const weekMs = Math.floor((window.endMs - 1) / WEEK_MS) * WEEK_MS;
      const known = levels.get(weekMs);
      if (known !== undefined) return known;
      const windowRows = await usualRows(model, reference, weekMs);
      const rates = await budget.ratesOf(
        familyModel(ours, family, { windowRows, referenceRows: reference.rows }),
        MOST_LEVEL,
      );
      const level = rates.levelFor(ours.falseEpisodesPer30Days ?? 1, MOST_LEVEL);
      if (levels.size >= WEEKS_KEPT) levels.clear();
      levels.set(weekMs, level);
      return level;
    },
  };
}

export type LevelChooser = ReturnType<typeof createLevelChooser>;
