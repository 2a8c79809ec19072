import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../domain/clock.js';
import {
  type ErrorStreamState,
  STREAM_DETECTORS,
  type StreamDetection,
  type StreamDetectorName,
} from '../domain/error-stream.js';
import type { ModelVersion } from '../domain/model.js';
import type { Logger, Store, VersionKey } from '../domain/ports.js';
import { ADWIN, type AdwinState, createAdwin } from '../stats/stream/adwin.js';
import { createDdm, DDM, type DdmState } from '../stats/stream/ddm.js';
import { createPageHinkley, PAGE_HINKLEY, type PageHinkleyState } from '../stats/stream/page-hinkley.js';
import type { StreamDetector } from '../stats/stream/stream-detector.js';

const PAGE_ROWS = 50_000;
/** Labels whose insert began so long ago are all there: before, one that began earlier could still come in between. */
const SETTLED_MS = 10_000;
/** Errors whose mean is what a regression's are divided by. */
const SCALE_ERRORS = 100;
/** Updates between which other work gets its turn. */
const SLICE = 2_000;

export interface ErrorStreamDeps {
  readonly store: Pick<
    Store,
    'listModels' | 'labelArrivals' | 'nextErrors' | 'errorStream' | 'saveErrorStream'
  >;
  readonly detected: (model: ModelVersion, detector: StreamDetectorName) => void;
  /** Real time: labels are stamped with it. */
  readonly wallClock: Clock;
  readonly logger: Logger;
  /** Labels at once, 50,000 by default. */
  readonly pageRows?: number;
  readonly settledMs?: number;
}

const CREATE: Record<StreamDetectorName, (state: unknown) => StreamDetector<unknown>> = {
  adwin: (state) => createAdwin(ADWIN, state as AdwinState | undefined),
  pageHinkley: (state) => createPageHinkley(PAGE_HINKLEY, state as PageHinkleyState | undefined),
  ddm: (state) => createDdm(DDM, state as DdmState | undefined),
};

const NOTHING_SEEN: Omit<ErrorStreamState, 'cursor'> = { position: 0, unmatched: 0, scale: 0, detectors: {} };

/** Feeds the errors of labelled predictions, in the order in which their labels came, to detectors that remember. */
export function createErrorStreams({
  store,
  detected,
  wallClock,
  logger,
  pageRows = PAGE_ROWS,
  settledMs = SETTLED_MS,
}: ErrorStreamDeps) {
  /** Of each version, the labels there were at the last look, since when, and whether all of them were taken in. */
  const looked = new Map<string, { labels: string; sinceMs: number; settled: boolean }>();

  async function feedVersion(model: ModelVersion): Promise<number> {
    const { model: name, modelVersion } = model;
    const key = { model: name, modelVersion };
    const regression = model.schema.task === 'regression';
    let state = await store.errorStream(key);
    for (let fed = 0; ; ) {
      const page = await store.nextErrors({ ...key, regression }, state?.cursor ?? null, {
        rows: pageRows,
        settledMs,
      });
      if (page.cursor === null) return fed;
      // A mean of a few errors is no scale: they are looked at again when there are more.
      if (regression && !state?.scale && page.errors.length < SCALE_ERRORS && page.labels < pageRows)
        return fed;
      const before: Omit<ErrorStreamState, 'cursor'> = state ?? NOTHING_SEEN;
      const errors = page.errors.map(({ error }) => error);
      // A classifier's errors are 0 and 1; those of a regression have its unit, and thresholds none.
      const scale: number = regression ? before.scale || meanOf(errors) : 1;
      const detectors = STREAM_DETECTORS.filter((each) => !regression || each !== 'ddm').map(
        (each) => [each, CREATE[each](before.detectors[each])] as const,
      );
      const detections: StreamDetection[] = [];
      let position = before.position;
      for (const { error, labelMs } of page.errors) {
        position += 1;
        const x = scale > 0 ? error / scale : 0;
        for (const [detector, machine] of detectors)
          if (machine.update(x)) detections.push({ detector, position, labelMs });
        if (position % SLICE === 0) await nextTurn();
      }
      const next: ErrorStreamState = {
        cursor: page.cursor,
        position,
        unmatched: before.unmatched + page.unmatched,
        scale,
        detectors: Object.fromEntries(detectors.map(([each, machine]) => [each, machine.state()])),
      };
      await store.saveErrorStream(key, next, detections);
      state = next;
      fed += page.errors.length;
      for (const detection of detections) {
        detected(model, detection.detector);
        logger.info({ ...key, ...detection }, 'errors are unlike those before');
      }
    }
  }

  return {
    /** Takes in every label that has settled since. Returns how many errors that were. Idempotent: a crash repeats a page. */
    async feed(): Promise<number> {
      const nowMs = wallClock.now();
      const arrivals = new Map(
        (await store.labelArrivals()).map(({ labels, newest, ...key }) => [
          nameOf(key),
          `${newest} ${labels}`,
        ]),
      );
      let fed = 0;
      for (const model of await store.listModels()) {
        const name = nameOf(model);
        const labels = arrivals.get(name);
        const last = looked.get(name);
        // Nothing has come since, and what had was settled.
        if (labels === undefined || (last?.labels === labels && last.settled)) continue;
        fed += await feedVersion(model);
        const sinceMs = last?.labels === labels ? last.sinceMs : nowMs;
        looked.set(name, { labels, sinceMs, settled: nowMs >= sinceMs + 2 * settledMs });
      }
      return fed;
    },
  };
}

export type ErrorStreams = ReturnType<typeof createErrorStreams>;

const nameOf = ({ model, modelVersion }: VersionKey) => JSON.stringify([model, modelVersion]);

const meanOf = (values: readonly number[]) =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
