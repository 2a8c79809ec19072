import { fitOutlierSpread, ISOLATION_FOREST } from '../detectors/isolation-forest.js';
import type { Store } from '../domain/ports.js';
import type { Reference, TemporalSpread } from '../domain/reference.js';
import type { Window } from '../domain/window.js';
import type { ForestModel } from '../stats/forest-model.js';
import { fitShareSpread } from '../stats/outlier-share.js';

const VERDICT_LIMIT = 10_000;
const CACHED_SPREADS = 256;

/**
 * How much the share of outliers differs between ordinary windows: by pieces of the reference, or where it has no times, by the windows
 * that its null was learned from, compared with each other. Null where neither tells.
 */
export function createOutlierSpreads(store: Pick<Store, 'listVerdicts'>) {
  const learned = new Map<string, TemporalSpread>();

  return async function spreadOf(
    reference: Reference,
    forest: ForestModel,
    window: Window,
  ): Promise<TemporalSpread | null> {
    const { learned: from } = reference.nullModel;
    if (from === undefined) return fitOutlierSpread(forest);
    const { model, modelVersion, hash } = reference;
    const lengthMs = window.endMs - window.startMs;
    const key = JSON.stringify([model, modelVersion, hash, from, lengthMs]);
    const known = learned.get(key);
    if (known !== undefined) return known;
    const verdicts = await store.listVerdicts({
      model,
      modelVersion,
      window: from,
      detector: ISOLATION_FOREST,
      limit: VERDICT_LIMIT,
    });
    const pieces = verdicts
      .filter(
        (verdict) =>
          verdict.referenceHash === hash &&
          verdict.window.endMs - verdict.window.startMs === lengthMs &&
          // End to end: windows that overlap are not pieces.
          (verdict.window.startMs - from.startMs) % lengthMs === 0,
      )
      .sort((a, b) => a.window.endMs - b.window.endMs)
      .flatMap(({ statistic, currentRows }) =>
        statistic === null ? [] : [{ rows: currentRows, flagged: Math.round(statistic * currentRows) }],
      );
    const total = { rows: 0, flagged: 0 };
    for (const { rows, flagged } of pieces) {
      total.rows += rows;
      total.flagged += flagged;
    }
    const found = fitShareSpread(pieces, total);
    if (found === null) return null;
    const spread = { feature: '', detector: ISOLATION_FOREST, ...found };
    const oldest = learned.keys().next();
    if (learned.size >= CACHED_SPREADS && !oldest.done) learned.delete(oldest.value);
    learned.set(key, spread);
    return spread;
  };
}

export type OutlierSpreads = ReturnType<typeof createOutlierSpreads>;
