import type {
  ErrorStreamAnswer,
  ErrorStreamQuestion,
  ErrorStreamState,
  StreamDetectorSummary,
} from '../domain/error-stream.js';
import type { Store } from '../domain/ports.js';
import { AppError } from '../errors.js';
import type { AdwinState } from '../stats/stream/adwin.js';
import type { DdmState } from '../stats/stream/ddm.js';
import type { PageHinkleyState } from '../stats/stream/page-hinkley.js';

/** States as `createErrorStreams` keeps them; a regression has no DDM. */
interface KnownStates {
  readonly adwin?: AdwinState;
  readonly pageHinkley?: PageHinkleyState;
  readonly ddm?: DdmState;
}

/** Where detectors over the stream of errors have seen a change, and what they compare the next errors with. */
export function createConceptDriftReader({
  store,
}: {
  readonly store: Pick<Store, 'listModels' | 'errorStream' | 'streamDetections'>;
}) {
  /** Throws AppError `unknown_model`. */
  return async function readConceptDrift(question: ErrorStreamQuestion): Promise<ErrorStreamAnswer> {
    const { model, modelVersion } = question;
    const known = await store.listModels();
    if (!known.some((each) => each.model === model && each.modelVersion === modelVersion))
      throw new AppError(
        'unknown_model',
        'this model version is not registered: GET /v1/models lists those that are',
      );
    const state = await store.errorStream({ model, modelVersion });
    return {
      model,
      modelVersion,
      errors: state?.position ?? 0,
      unmatched: state?.unmatched ?? 0,
      detectors: state === null ? [] : summariesOf(state),
      detections: await store.streamDetections(question),
    };
  };
}

/** Means are given back the unit that a regression's errors were freed of. */
function summariesOf({ detectors, scale }: ErrorStreamState): StreamDetectorSummary[] {
  const { adwin, pageHinkley, ddm } = detectors as KnownStates;
  const summary = (
    detector: StreamDetectorSummary['detector'],
    { detected }: { readonly detected: boolean },
    errors: number,
    mean: number,
  ): StreamDetectorSummary =>
    // After a detection nothing is kept: the next error is the first.
    detected || errors === 0
      ? { detector, errors: 0, meanError: null }
      : { detector, errors, meanError: mean * scale };
  return [
    ...(adwin === undefined ? [] : [summary('adwin', adwin, adwin.width, adwin.total / adwin.width)]),
    ...(pageHinkley === undefined
      ? []
      : [summary('pageHinkley', pageHinkley, pageHinkley.n, pageHinkley.mean)]),
    ...(ddm === undefined ? [] : [summary('ddm', ddm, ddm.n, ddm.p)]),
  ];
}

export type ConceptDriftReader = ReturnType<typeof createConceptDriftReader>;
