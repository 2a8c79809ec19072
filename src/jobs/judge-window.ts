import type { SegmentInput } from '../detectors/column-baseline.js';
import { fitOutlierSpread, judgeOutlierShare } from '../detectors/isolation-forest.js';
import { type JudgeInput, judgeWindow } from '../detectors/judge-window.js';
import { belowMinimumTraffic } from '../detectors/minimum-traffic.js';
import { judgeVolume, volumeHistory } from '../detectors/volume.js';
import { withReasons } from '../detectors/why.js';
import type { Clock } from '../domain/clock.js';
import { LATENCY, type ModelVersion } from '../domain/model.js';
import type { Store } from '../domain/ports.js';
import { PRODUCTION } from '../domain/ports.js';
import type { Profile } from '../domain/profile.js';
import { type Reference, referenceBuckets } from '../domain/reference.js';
import { type Segment, segmentScope } from '../domain/segment.js';
import type { Verdict, WindowOutcome } from '../domain/verdict.js';
import { tile, type Window } from '../domain/window.js';
import { parseForest } from '../stats/forest-codec.js';
import type { ForestModel } from '../stats/forest-model.js';
import type { MultivariateJudge } from './judge-multivariate.js';
import { hasValues, type LatencyBaselines } from './latency-baseline.js';
import type { OutlierSpreads } from './outlier-spread.js';
import type { PerformanceJudge } from './performance-verdicts.js';
import type { Baseline, ReferenceSetting, RollingReferences } from './rolling-reference.js';
import { partOf } from './segments.js';

export interface WindowJudgeDeps {
  readonly store: Pick<
    Store,
    | 'listGrids'
    | 'mergedProfiles'
    | 'outlierCounts'
    | 'profiledRows'
    | 'saveVerdicts'
    | 'saveOutcomes'
    | 'saveRun'
  >;
  readonly clock: Clock;
  /** What a model's windows are compared with; with their registered reference by default. */
  readonly referenceSetting?: (model: string) => ReferenceSetting;
  readonly rolling?: Pick<RollingReferences, 'baselineOf'>;
  readonly latencies: LatencyBaselines;
  /** How much windows differ in outliers; as the forest itself says when left out. */
  readonly outlierSpread?: OutlierSpreads;
  /** Judges realised performance; not judged when left out. */
  readonly performance?: PerformanceJudge;
  /** Judges all features together, against the registered reference; not judged when left out. */
  readonly multivariate?: MultivariateJudge;
  /** The segments of a version that get verdicts of their own. */
  readonly segments?: (model: ModelVersion) => Promise<Segment[]>;
  /** Rows below which a window of the model decides nothing; 0 when left out. */
  readonly minimumRows?: (model: string) => number;
  /** Runs the judging of a window, which takes tens of milliseconds, so that others get their turn; at once when left out. */
  readonly inTurn?: <Result>(work: () => Result) => Promise<Result>;
}

/** Versions whose forest is kept in memory. */
const CACHED_VERSIONS = 256;

interface KnownForest {
  readonly hash: string;
  readonly forest: ForestModel | null;
}

/** Reads a window's counts, asks the detectors, and stores what they say. */
export function createWindowJudge(deps: WindowJudgeDeps) {
  const { store, clock, inTurn = async (work) => work() } = deps;
  const forests = new Map<string, KnownForest>();

  /** References never change under their hash: their forest is parsed once. */
  function forestOf(reference: Reference): ForestModel | null {
    const key = JSON.stringify([reference.model, reference.modelVersion]);
    const known = forests.get(key);
    if (known?.hash === reference.hash) return known.forest;
    const forest = reference.forest === null ? null : parseForest(reference.forest);
    const oldest = forests.keys().next();
    if (forests.size >= CACHED_VERSIONS && !oldest.done) forests.delete(oldest.value);
    forests.set(key, { hash: reference.hash, forest });
    return forest;
  }

  async function countsOf(reference: Reference, segment?: Segment): Promise<Profile[]> {
    const { model, modelVersion } = reference;
    const scope = segmentScope(`reference:${reference.hash}`, segment);
    return store.mergedProfiles({ model, modelVersion, scope }, referenceBuckets(reference));
  }

  /** Every segment with what it is compared with; without a row in the reference all its columns are undecided. */
  async function segmentInputs(
    model: ModelVersion,
    reference: Reference,
    window: Window,
    segments: readonly Segment[],
  ): Promise<SegmentInput[]> {
    const setting = deps.referenceSetting?.(model.model) ?? { kind: 'training' };
    const inputs: SegmentInput[] = [];
    for (const segment of segments) {
      const scope = segmentScope(PRODUCTION, segment);
      const currentProfiles = await store.mergedProfiles(
        { model: model.model, modelVersion: model.modelVersion, scope },
        tile(window),
      );
      const { profiles, ...baseline } =
        setting.kind === 'training' || deps.rolling === undefined
          ? await segmentBaselineOf(reference, segment)
          : await deps.rolling.baselineOf(model, reference, window, setting, segment);
      inputs.push({ segment, ...baseline, referenceProfiles: profiles, currentProfiles });
    }
    return inputs;
  }

  async function segmentBaselineOf(reference: Reference, segment: Segment): Promise<Baseline> {
    const part = partOf(reference, segment);
    if (part === null) return { reference, profiles: [], parameters: {} };
    return { reference: part, profiles: await countsOf(reference, segment), parameters: {} };
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

  /** Latencies that the reference lacks come from production. */
  async function withLatencies(
    model: ModelVersion,
    window: Window,
    profiles: readonly Profile[],
  ): Promise<Pick<JudgeInput, 'referenceProfiles' | 'own'>> {
    const inReference = hasValues(profiles.find((profile) => profile.feature === LATENCY));
    const latency = inReference ? null : await deps.latencies.baselineOf(model, window);
    if (latency === null) return { referenceProfiles: profiles };
    const others = profiles.filter((profile) => profile.feature !== LATENCY);
    return { referenceProfiles: [...others, latency.profile], own: new Map([[LATENCY, latency]]) };
  }

  async function volumeOf(
    model: ModelVersion,
    reference: Reference,
    window: Window,
    { rows, level }: { rows: number; level: number },
  ): Promise<Verdict> {
    const windows = volumeHistory(window);
    const counted = await store.profiledRows(model, windows);
    const history = windows.map((each, index) => ({ window: each, rows: counted[index] ?? 0 }));
    return judgeVolume({ model, reference, window, rows, history, level });
  }

  return {
    /** Returns the reference that the verdicts were made with, too: the given one, or one of production. */
    async judge(
      registered: ModelVersion,
      reference: Reference,
      window: Window,
      level: number,
    ): Promise<{ verdicts: Verdict[]; outcomes: WindowOutcome[]; referenceHash: string }> {
      const forest = forestOf(reference);
      const training = await countsOf(reference);
      const { modelVersion } = registered;
      const query = { model: registered.model, modelVersion, scope: PRODUCTION };
      const currentProfiles = await store.mergedProfiles(query, tile(window));
      const model = await deps.latencies.seen(registered, window, currentProfiles);
      const baseline = await baselineOf(model, reference, window, training);
      const segments = (await deps.segments?.(model)) ?? [];
      const extra: Verdict[] = [];
      if (forest !== null) {
        const counts = await store.outlierCounts(model, window, reference.hash);
        const spread = await (deps.outlierSpread?.(reference, forest, window) ?? fitOutlierSpread(forest));
        extra.push(judgeOutlierShare({ model, window, reference, forest, ...counts, spread }));
      }
      const rows = Math.max(0, ...currentProfiles.map((profile) => profile.rows));
      // Past production as a reference has no sample.
      if (baseline.reference === reference)
        extra.push(...((await deps.multivariate?.(model, reference, window, { rows, level })) ?? []));
      extra.push(...((await deps.performance?.(model, reference, window, level, segments)) ?? []));
      extra.push(await volumeOf(model, baseline.reference, window, { rows, level }));
      const counted = {
        model,
        grids: await store.listGrids(model.model),
        ...(await withLatencies(model, window, baseline.profiles)),
        currentProfiles,
      };
      const parts = await segmentInputs(model, reference, window, segments);
      const isQuiet = rows < (deps.minimumRows?.(model.model) ?? 0);
      const { verdicts, outcomes } = await inTurn(() => {
        const all = judgeWindow({
          ...counted,
          window,
          reference: baseline.reference,
          level,
          extra,
          parameters: baseline.parameters,
          segments: parts,
        });
        const judged = isQuiet ? belowMinimumTraffic(all) : all;
        const why = { ...counted, verdicts: judged.verdicts, influence: reference.influence };
        return { verdicts: judged.verdicts, outcomes: withReasons(judged.outcomes, why) };
      });
      await store.saveVerdicts(verdicts);
      await store.saveOutcomes(outcomes);
      return { verdicts, outcomes, referenceHash: baseline.reference.hash };
    },

    async record(
      model: ModelVersion,
      referenceHash: string,
      window: Window,
      { rows, labels }: { rows: number; labels: number },
    ): Promise<void> {
      await store.saveRun({
        model: model.model,
        modelVersion: model.modelVersion,
        window,
        referenceHash,
        status: rows === 0 ? 'no_data' : 'judged',
        rows,
        labels,
        atMs: clock.now(),
      });
    },
  };
}
