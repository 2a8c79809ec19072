import type { ModelVersion } from '../domain/model.js';
import type { MeasuredHours, PerformanceSetting } from '../domain/performance.js';
import type { Store, VersionKey } from '../domain/ports.js';
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
  const nameOf = ({ model, modelVersion }: VersionKey) => JSON.stringify([model, modelVersion]);

  /** Of versions that have labels, in their reference or from production; others have nothing to be measured against. */
  return async function measure(models: readonly ModelVersion[]): Promise<MeasuredVersion[]> {
    const labelled = new Set((await store.labelledVersions()).map(nameOf));
    const measured: MeasuredVersion[] = [];
    for (const model of models) {
      if (model.schema.label !== true && !labelled.has(nameOf(model))) continue;
      const setting: PerformanceSetting = {
        positiveClass: positiveClass(model.model),
        segmentColumns: segmentSetting(model.model)?.by ?? [],
        segments: await segments(model),
        requestId: requestId(model.model),
      };
      measured.push({ model, ...(await store.measurePerformance(model, setting)) });
    }
    return measured;
  };
}
