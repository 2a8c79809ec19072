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

export interface WindowJudgeDeps {
  readonly store: Pick<
    Store,
    'listGrids' | 'mergedProfiles' | 'outlierCounts' | 'saveVerdicts' | 'saveOutcomes' | 'saveRun'
  >;
  readonly clock: Clock;
}

/** Reads a window's counts, asks the detectors, and stores what they say. */
export function createWindowJudge({ store, clock }: WindowJudgeDeps) {
  // References never change under their hash: their counts and forest are read once. Few versions are live at a time.
  const baselines = new Map<string, { profiles: Profile[]; forest: ForestModel | null }>();

  async function baselineOf(model: ModelVersion, reference: Reference) {
    const key = `${model.model}\n${model.modelVersion}\n${reference.hash}`;
    let baseline = baselines.get(key);
    if (baseline === undefined) {
      const scope = `reference:${reference.hash}`;
      const query = { model: model.model, modelVersion: model.modelVersion, scope };
      baseline = {
        profiles: await store.mergedProfiles(query, referenceBuckets(reference)),
        forest: reference.forest === null ? null : parseForest(reference.forest),
      };
      baselines.set(key, baseline);
    }
    return baseline;
  }

  return {
    async judge(
      model: ModelVersion,
      reference: Reference,
      window: Window,
      level: number,
    ): Promise<{ verdicts: Verdict[]; outcomes: WindowOutcome[] }> {
      const baseline = await baselineOf(model, reference);
      const query = { model: model.model, modelVersion: model.modelVersion, scope: PRODUCTION };
      const currentProfiles = await store.mergedProfiles(query, tile(window));
      const extra: Verdict[] = [];
      if (baseline.forest !== null) {
        const counts = await store.outlierCounts(model, window);
        extra.push(
          judgeOutlierShare({
            model,
            window,
            reference,
            forest: baseline.forest,
            ...counts,
          }),
        );
      }
      const judgement = judgeWindow({
        model,
        window,
        reference,
        grids: await store.listGrids(model.model),
        referenceProfiles: baseline.profiles,
        currentProfiles,
        level,
        extra,
      });
      await store.saveVerdicts(judgement.verdicts);
      await store.saveOutcomes(judgement.outcomes);
      return judgement;
    },

    async record(model: ModelVersion, reference: Reference, window: Window, rows: number): Promise<void> {
      await store.saveRun({
        model: model.model,
        modelVersion: model.modelVersion,
        window,
        referenceHash: reference.hash,
        status: rows === 0 ? 'no_data' : 'judged',
        rows,
        atMs: clock.now(),
      });
    },
  };
}
