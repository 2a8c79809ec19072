import { cellQuantile } from '../detectors/latency-quantile.js';
import { LATENCY } from '../domain/model.js';
import { PRODUCTION, type Store } from '../domain/ports.js';
import type { Grid, Profile } from '../domain/profile.js';
import type { LatencyAnswer, LatencySummary } from '../domain/version-comparison.js';
import { HOUR_MS, tile, WEEK_MS, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';

export interface LatencyReaderDeps {
  readonly store: Pick<Store, 'listModels' | 'watermarks' | 'listGrids' | 'mergedProfiles'>;
}

/** Quantiles of one profile of latencies; null where no row says how long its answer took. */
export function latencyOf(grids: readonly Grid[], profiles: readonly Profile[]): LatencySummary | null {
  const grid = grids.find(({ feature }) => feature === LATENCY);
  const profile = profiles.find(({ feature }) => feature === LATENCY);
  const rows = profile?.counts.reduce((sum, count) => sum + count, 0) ?? 0;
  if (grid === undefined || profile === undefined || rows === 0) return null;
  const at = (quantile: number) => cellQuantile(grid, profile, quantile);
  return { rows, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** How long the answers of each version of a model took, in a period or in the week up to its newest row. */
export function createLatencyReader({ store }: LatencyReaderDeps) {
  /** Throws AppError `unknown_model`, or `invalid_request` for a period that is none. */
  return async function readLatencies(question: {
    readonly model: string;
    readonly from?: number | undefined;
    readonly to?: number | undefined;
  }): Promise<LatencyAnswer> {
    const { model, from, to } = question;
    const versions = (await store.listModels()).filter((known) => known.model === model);
    if (versions.length === 0)
      throw new AppError(
        'unknown_model',
        'this model is not registered: GET /v1/models lists those that are',
      );
    const grids = (await store.listGrids(model)).filter(({ feature }) => feature === LATENCY);
    const marks = (await store.watermarks()).filter((mark) => mark.model === model);
    const found: LatencyAnswer['versions'][number][] = [];
    for (const { modelVersion } of versions) {
      const newest = marks.find((mark) => mark.modelVersion === modelVersion)?.watermarkMs;
      if (newest === undefined) {
        found.push({ modelVersion, period: null, latency: null });
        continue;
      }
      const endMs = to ?? Math.floor(newest / HOUR_MS) * HOUR_MS + HOUR_MS;
      const period: Window = { startMs: from ?? endMs - WEEK_MS, endMs };
      if (period.startMs >= period.endMs) throw new AppError('invalid_request', 'from: must be before to');
      const query = { model, modelVersion, scope: PRODUCTION, features: [LATENCY] };
      const latency = latencyOf(grids, await store.mergedProfiles(query, tile(period)));
      found.push({ modelVersion, period, latency });
    }
    return { model, versions: found };
  };
}
