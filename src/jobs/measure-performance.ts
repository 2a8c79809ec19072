import type { ModelVersion } from '../domain/model.js';
import type { MeasuredHours, PerformanceSetting } from '../domain/performance.js';
import type { Store } from '../domain/ports.js';
import type { RequestId } from '../domain/request-rule.js';
import type { Segment, SegmentSetting } from '../domain/segment.js';

export interface PerformanceMeterDeps {
  readonly store: Pick<Store, 'labelledVersions' | 'measurePerformance'>;
  /** The class that a binary model's probability is of. */
  readonly positiveClass: (model: string) => string;
  /** How a model's rows name their requests. */
  readonly requestId: (model: string) => RequestId;
  readonly segmentSetting: (model: string) => SegmentSetting | undefined;
  /** The segments of a version that have figures of their own. */
  readonly segments: (model: ModelVersion) => Promise<Segment[]>;
}

export interface MeasuredVersion extends MeasuredHours {
  readonly model: ModelVersion;
}

/** Counts predictions against their labels in the hours where either has changed. */
export function createPerformanceMeter({
  store,
  positiveClass,
  requestId,
  segmentSetting,
  segments,
}: PerformanceMeterDeps) {
  /**
   * Of models of which a version has labels, in its reference or from production; others have nothing to be measured against. A version
   * without labels is measured too, so that it can be compared with the labelled one before its own have come.
   */
  return async function measure(
    models: readonly ModelVersion[],
    measured: (version: MeasuredVersion) => Promise<void>,
  ): Promise<void> {
    const labelled = new Set(
      [...(await store.labelledVersions()), ...models.filter(({ schema }) => schema.label === true)].map(
        ({ model }) => model,
      ),
    );
    for (const model of models) {
      if (!labelled.has(model.model)) continue;
      const setting: PerformanceSetting = {
        positiveClass: positiveClass(model.model),
        segmentColumns: segmentSetting(model.model)?.by ?? [],
        segments: await segments(model),
        requestId: requestId(model.model),
      };
      await measured({ model, ...(await store.measurePerformance(model, setting)) });
    }
  };
}
