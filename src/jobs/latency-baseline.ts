import { LATENCY, type ModelVersion } from '../domain/model.js';
import { PRODUCTION, type Store } from '../domain/ports.js';
import type { Grid, Profile } from '../domain/profile.js';
import type { NullModel } from '../domain/reference.js';
import { DAY_MS, tile, type Window } from '../domain/window.js';

/** Days, or windows where those are longer, that latencies are learned from. */
const LEARNED_WINDOWS = 14;
/** Windows whose differences are looked at: their counts are held in memory together. */
const MAX_PIECES = 100;
const CACHED_VERSIONS = 256;

export interface LatencyBaseline {
  readonly profile: Profile;
  readonly nullModel: NullModel;
  /** For the verdicts: the time it was learned from. */
  readonly parameters: Readonly<Record<string, number | string>>;
}

export interface LatencyBaselineDeps {
  readonly store: Pick<Store, 'mergedProfiles' | 'windowProfiles' | 'listGrids' | 'saveModel'>;
  readonly fitNullModel: (input: {
    grids: readonly Grid[];
    pieces: readonly { window: Window; profiles: readonly Profile[] }[];
    pieceMs: number;
  }) => NullModel;
}

export function hasValues(profile: Profile | undefined): boolean {
  return profile !== undefined && profile.rows > profile.missing + profile.mistyped;
}

/**
 * How long answers take is mostly not in a training set: production's first fourteen days with latencies are then what later ones are
 * compared with.
 */
export function createLatencyBaselines({ store, fitNullModel }: LatencyBaselineDeps) {
  const learned = new Map<string, LatencyBaseline>();
  /** Per registration: a cycle goes on with the versions it has read. */
  const firstSeen = new Map<string, number>();

  async function learn(
    model: ModelVersion,
    period: Window,
    pieceMs: number,
  ): Promise<LatencyBaseline | null> {
    const query = {
      model: model.model,
      modelVersion: model.modelVersion,
      scope: PRODUCTION,
      features: [LATENCY],
    };
    const [profile] = await store.mergedProfiles(query, tile(period));
    if (profile === undefined) return null;
    const count = Math.floor((period.endMs - period.startMs) / pieceMs);
    const windows = Array.from({ length: count }, (_, index) => ({
      startMs: period.startMs + index * pieceMs,
      endMs: period.startMs + (index + 1) * pieceMs,
    }));
    const step = Math.max(1, count / MAX_PIECES);
    const pieces = await store.windowProfiles(
      query,
      windows.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step)),
    );
    const grids = (await store.listGrids(model.model)).filter((grid) => grid.feature === LATENCY);
    const nullModel = fitNullModel({ grids, pieces, pieceMs });
    // Independent rows are no null for production: too few windows mean that nothing can be said.
    if (nullModel.kind === 'iid') return null;
    return {
      profile,
      nullModel,
      parameters: {
        reference: 'learned',
        referenceFrom: new Date(period.startMs).toISOString(),
        referenceUntil: new Date(period.endMs).toISOString(),
      },
    };
  }

  return {
    /** The version as it is from now on: with latencies, if a window of a version that had none has some. */
    async seen(model: ModelVersion, window: Window, profiles: readonly Profile[]): Promise<ModelVersion> {
      if (model.schema.latency === true) return model;
      const key = JSON.stringify([model.model, model.modelVersion, model.registeredAtMs]);
      const known = firstSeen.get(key);
      if (known === undefined && !hasValues(profiles.find((profile) => profile.feature === LATENCY)))
        return model;
      const latencyFromMs = known ?? window.startMs;
      const withLatency = { ...model, schema: { ...model.schema, latency: true, latencyFromMs } };
      if (known === undefined) {
        await store.saveModel(withLatency);
        firstSeen.set(key, latencyFromMs);
      }
      return withLatency;
    },

    /** Null while the window lies in the days that are learned from, or these had too few windows. */
    async baselineOf(model: ModelVersion, window: Window): Promise<LatencyBaseline | null> {
      const fromMs = model.schema.latencyFromMs;
      if (fromMs === undefined) return null;
      const pieceMs = window.endMs - window.startMs;
      const period = { startMs: fromMs, endMs: fromMs + LEARNED_WINDOWS * Math.max(DAY_MS, pieceMs) };
      if (window.startMs < period.endMs) return null;
      const key = JSON.stringify([model.model, model.modelVersion, fromMs, pieceMs]);
      const known = learned.get(key);
      if (known !== undefined) return known;
      const baseline = await learn(model, period, pieceMs);
      const oldest = learned.keys().next();
      if (learned.size >= CACHED_VERSIONS && !oldest.done) learned.delete(oldest.value);
      if (baseline !== null) learned.set(key, baseline);
      return baseline;
    },
  };
}

export type LatencyBaselines = ReturnType<typeof createLatencyBaselines>;
