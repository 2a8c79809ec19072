import type { ModelVersion } from '../domain/model.js';
import type { DirtyBuckets, Store, VersionKey } from '../domain/ports.js';
import { firstWholeEndMs, runFinder } from './due-windows.js';
import type { CycleDeps } from './run-cycle.js';
import { MODELS_AT_ONCE, sideBySide } from './side-by-side.js';
import { endsTo, type VersionStates } from './version-states.js';

/** What the store told about all versions at the beginning of a pass. */
export interface Found {
  readonly watermarks: Awaited<ReturnType<Store['watermarks']>>;
  /** Asked for later than the watermarks. */
  readonly dirtyBuckets: readonly DirtyBuckets[];
}

/**
 * Of a version, the first and the newest row: as the store told before it said which hours are to be counted, and these hours, whose rows may
 * have come in between.
 */
export function spanOf(
  key: VersionKey,
  { watermarks, dirtyBuckets }: Found,
): { firstEventMs: number; watermarkMs: number } | undefined {
  const isOwn = (other: VersionKey) => other.model === key.model && other.modelVersion === key.modelVersion;
  const mark = watermarks.find(isOwn);
  const hours = dirtyBuckets.find(isOwn)?.hourStartsMs ?? [];
  if (mark === undefined && hours.length === 0) return undefined;
  return {
    firstEventMs: Math.min(mark?.firstEventMs ?? Number.POSITIVE_INFINITY, ...hours.slice(0, 1)),
    watermarkMs: Math.max(mark?.watermarkMs ?? 0, ...hours.slice(-1)),
  };
}

/** Counts what changed of some models' versions, and remembers which windows that touches. Returns the number of hours. */
export function createChangeCounter(
  deps: Pick<CycleDeps, 'store' | 'settings' | 'record' | 'profileSegments' | 'measurePerformance'>,
  states: VersionStates,
) {
  const { store } = deps;

  /**
   * Windows of the past that were never judged are recorded as empty, as they were, before late rows for them are counted: what was counted
   * and not judged is then found after a crash, too.
   */
  async function recordEmpty(
    model: ModelVersion,
    hourStartsMs: readonly number[],
    firstEventMs = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { window: spec } = deps.settings(model.model);
    const ends = endsTo((await states.of(model)).frontierMs, hourStartsMs, spec);
    const firstEndMs = firstWholeEndMs(spec, firstEventMs);
    const windows = ends
      .filter((endMs) => endMs >= firstEndMs)
      .map((endMs) => ({ startMs: endMs - spec.lengthMs, endMs }));
    if (windows.length === 0) return;
    const runOf = runFinder(await store.listRuns(model, (ends[0] ?? 0) - 1, ends.at(-1) ?? 0));
    const missing = windows.filter((window) => runOf(window) === undefined);
    const reference = missing.length === 0 ? null : await store.currentReference(model);
    if (reference === null) return;
    await Promise.all(
      missing.map((window) => deps.record(model, reference.hash, window, { rows: 0, labels: 0 })),
    );
  }

  return async function countChanges(
    models: readonly ModelVersion[],
    { watermarks, dirtyBuckets }: Found,
  ): Promise<number> {
    let hours = 0;
    const find = (key: VersionKey) =>
      models.find((m) => m.model === key.model && m.modelVersion === key.modelVersion);
    await sideBySide(dirtyBuckets, MODELS_AT_ONCE, async (dirty) => {
      const model = find(dirty);
      if (model === undefined) return;
      await recordEmpty(model, dirty.hourStartsMs, spanOf(model, { watermarks, dirtyBuckets })?.firstEventMs);
      await deps.profileSegments?.(model, dirty.hourStartsMs);
      await store.profileHours(model, dirty.hourStartsMs);
      hours += dirty.hourStartsMs.length;
      await states.touch(model, dirty.hourStartsMs);
    });
    for (const relabelled of await store.profileLabels(models)) {
      const model = find(relabelled);
      if (model === undefined) continue;
      hours += relabelled.hourStartsMs.length;
      await states.touch(model, relabelled.hourStartsMs);
    }
    await deps.measurePerformance?.(models, async (measured) => {
      hours += measured.hourStartsMs.length;
      await states.touch(measured.model, measured.hourStartsMs, measured.correctedMs);
    });
    return hours;
  };
}
