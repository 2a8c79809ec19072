import type { ModelVersion } from '../domain/model.js';
import type { MeasuredHours, PerformanceSetting } from '../domain/performance.js';
import type { Store } from '../domain/ports.js';
import type { Segment, SegmentSetting } from '../domain/segment.js';

export interface PerformanceMeterDeps {
  readonly store: Pick<Store, 'measurePerformance'>;
  /** The class that a binary model's probability is of. */
  readonly positiveClass: (model: string) => string;
  readonly segmentSetting: (model: string) => SegmentSetting | undefined;
  /** The segments of a version that have figures of their own. */
  readonly segments: (model: ModelVersion) => Promise<Segment[]>;
}

/** Counts predictions against their labels in the hours where either has changed. */
export function createPerformanceMeter({
  store,
  positiveClass,
  segmentSetting,
  segments,
}: PerformanceMeterDeps) {
  return async function measure(model: ModelVersion): Promise<MeasuredHours> {
    const setting: PerformanceSetting = {
      positiveClass: positiveClass(model.model),
      segmentColumns: segmentSetting(model.model)?.by ?? [],
      segments: await segments(model),
    };
    return store.measurePerformance(model, setting);
  };
}
