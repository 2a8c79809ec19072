import { judgeOutlierShare } from '../detectors/isolation-forest.js';
import { judgeWindow } from '../detectors/judge-window.js';
import type { Clock } from '../domain/clock.js';
import type { ModelVersion } from '../domain/model.js';
import type { Store } from '../domain/ports.js';
import { PRODUCTION } from '../domain/ports.js';
import type { Profile } from '../domain/profile.js';
import { type Reference, referenceBuckets } from '../domain/reference.js';
import type { Verdict, WindowOutcome } from '../domain/verdict.js';
import { tile, type Window } from '../domain/window.js';
import { parseForest } from '../stats/forest-codec.js';
import type { ForestModel } from '../stats/forest-model.js';
import type { Baseline, ReferenceSetting, RollingReferences } from './rolling-reference.js';

export interface WindowJudgeDeps {
  readonly store: Pick<
    Store,
    'listGrids' | 'mergedProfiles' | 'outlierCounts' | 'saveVerdicts' | 'saveOutcomes' | 'saveRun'
  >;
  readonly clock: Clock;
  /** What a model's windows are compared with; with their registered reference by default. */
  readonly referenceSetting?: (model: string) => ReferenceSetting;
  readonly rolling?: Pick<RollingReferences, 'baselineOf'>;
}

/** Versions whose reference is kept in memory. */
const CACHED_VERSIONS = 256;

/** Reads a window's counts, asks the detectors, and stores what they say. */
export function createWindowJudge(deps: WindowJudgeDeps) {
  const { store, clock } = deps;
  // References never change under their hash: their counts and forest are read once.
  const registered = new Map<string, { hash: string; profiles: Profile[]; forest: ForestModel | null }>();

  async function registeredOf(model: ModelVersion, reference: Reference) {
    const key = JSON.stringify([model.model, model.modelVersion]);
    let known = registered.get(key);
    if (known?.hash !== reference.hash) {
      const scope = `reference:${reference.hash}`;
      const query = { model: model.model, modelVersion: model.modelVersion, scope };
      known = {
        hash: reference.hash,
        profiles: await store.mergedProfiles(query, referenceBuckets(reference)),
        forest: reference.forest === null ? null : parseForest(reference.forest),
      };
      const oldest = registered.keys().next();
      if (registered.size >= CACHED_VERSIONS && !oldest.done) registered.delete(oldest.value);
      registered.set(key, known);
    }
    return known;
  }

  /** What the window is compared with, column by column. */
  async function baselineOf(
    model: ModelVersion,
    reference: Reference,
    window: Window,
    profiles: readonly Profile[],
  ): Promise<Baseline> {
    const setting = deps.referenceSetting?.(model.model) ?? { kind: 'training' };
    if (setting.kind === 'training' || deps.rolling === undefined)
      return { reference, profiles, parameters: {} };
    return deps.rolling.baselineOf(model, reference, window, setting);
  }

  return {
    /** Returns the reference that the verdicts were made with, too: the given one, or one of production. */
    async judge(
      model: ModelVersion,
      reference: Reference,
      window: Window,
      level: number,
    ): Promise<{ verdicts: Verdict[]; outcomes: WindowOutcome[]; referenceHash: string }> {
      const training = await registeredOf(model, reference);
      const baseline = await baselineOf(model, reference, window, training.profiles);
      const query = { model: model.model, modelVersion: model.modelVersion, scope: PRODUCTION };
      const currentProfiles = await store.mergedProfiles(query, tile(window));
      const extra: Verdict[] = [];
      if (training.forest !== null) {
        const counts = await store.outlierCounts(model, window, reference.hash);
        extra.push(
          judgeOutlierShare({
            model,
            window,
            reference,
            forest: training.forest,
            ...counts,
          }),
        );
      }
      const judgement = judgeWindow({
        model,
        window,
        reference: baseline.reference,
        grids: await store.listGrids(model.model),
        referenceProfiles: baseline.profiles,
        currentProfiles,
        level,
        extra,
        parameters: baseline.parameters,
      });
      await store.saveVerdicts(judgement.verdicts);
      await store.saveOutcomes(judgement.outcomes);
      return { ...judgement, referenceHash: baseline.reference.hash };
    },

    async record(model: ModelVersion, referenceHash: string, window: Window, rows: number): Promise<void> {
      await store.saveRun({
        model: model.model,
        modelVersion: model.modelVersion,
        window,
        referenceHash,
        status: rows === 0 ? 'no_data' : 'judged',
        rows,
        atMs: clock.now(),
      });
    },
  };
}
