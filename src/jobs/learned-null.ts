import type { ModelVersion } from '../domain/model.js';
import { type Logger, PRODUCTION, type Store } from '../domain/ports.js';
import type { Grid, Profile } from '../domain/profile.js';
import { movingColumns, type NullModel, type Reference } from '../domain/reference.js';
import { type Segment, segmentScope } from '../domain/segment.js';
import { DAY_MS, type Window } from '../domain/window.js';

/** Days, or windows where those are longer, that are learned from at least: two of each weekday. */
const LEARNED_WINDOWS = 14;
/** Windows whose differences are looked at: their counts are held in memory together. */
const MAX_PIECES = 100;
const CACHED_VERSIONS = 256;

export interface NullLearnerDeps {
  readonly store: Pick<
    Store,
    'listRuns' | 'listGrids' | 'windowProfiles' | 'currentReference' | 'saveReference'
  >;
  readonly fitNullModel: (input: {
    grids: readonly Grid[];
    pieces: readonly { window: Window; profiles: readonly Profile[] }[];
    pieceMs: number;
  }) => NullModel;
  readonly logger: Logger;
}

/**
 * A reference without timestamps cannot say how much ordinary windows differ, and independent rows are no null for production. The
 * first two weeks of production say it: its windows are compared with each other, never with the reference, so that what production
 * and reference differ by is no part of the spread. What was learned is kept with the reference.
 */
export function createNullLearner({ store, fitNullModel, logger }: NullLearnerDeps) {
  const learned = new Map<string, Reference>();
  /** Start of the first window with rows that a reference judged, ms. */
  const firstSeen = new Map<string, number>();

  async function firstWindow(reference: Reference, name: string, untilMs: number): Promise<number | null> {
    const known = firstSeen.get(name);
    if (known !== undefined) return known;
    const runs = await store.listRuns(reference, 0, untilMs);
    const first = runs.find((run) => run.referenceHash === reference.hash && run.rows > 0);
    if (first === undefined) return null;
    keep(firstSeen, name, first.window.startMs);
    return first.window.startMs;
  }

  async function learn(
    model: ModelVersion,
    reference: Reference,
    period: Window,
    pieceMs: number,
  ): Promise<Reference | null> {
    const grids = await store.listGrids(model.model);
    const windows = tilesOf(period, pieceMs);
    const fitTo = async (segment?: Segment): Promise<NullModel> => {
      const scope = segmentScope(PRODUCTION, segment);
      const query = { model: model.model, modelVersion: model.modelVersion, scope };
      return fitNullModel({ grids, pieces: await store.windowProfiles(query, windows), pieceMs });
    };
    const nullModel = await fitTo();
    if (nullModel.kind === 'iid') return null;
    const segments = [];
    for (const part of reference.segments ?? [])
      segments.push({ ...part, nullModel: { ...(await fitTo(part.segment)), learned: period } });
    return {
      ...reference,
      nullModel: { ...nullModel, learned: period },
      ...(reference.segments === undefined ? {} : { segments }),
    };
  }

  return {
    /**
     * The reference with the null that a window is judged by: its own; what was learned, for windows after the time it was learned from;
     * else the provisional one.
     */
    async referenceFor(model: ModelVersion, reference: Reference, window: Window): Promise<Reference> {
      const name = JSON.stringify([
        model.model,
        model.modelVersion,
        reference.hash,
        reference.createdAtMs,
        window.endMs - window.startMs,
      ]);
      const known = learned.get(name) ?? reference;
      if (known.nullModel.learned !== undefined)
        return window.startMs >= known.nullModel.learned.endMs ? known : provisional(reference);
      if (known.nullModel.kind === 'temporal') return known;
      const pieceMs = window.endMs - window.startMs;
      const fromMs = await firstWindow(reference, name, window.startMs);
      if (fromMs === null || window.startMs < fromMs + LEARNED_WINDOWS * Math.max(DAY_MS, pieceMs))
        return provisional(reference);
      // Saving makes a reference the current one: one that is not any more stays as it is.
      if ((await store.currentReference(model))?.hash !== reference.hash) return provisional(reference);
      const period = { startMs: fromMs, endMs: window.startMs };
      const found = await learn(model, reference, period, pieceMs);
      if (found === null) return provisional(reference);
      await store.saveReference(found);
      keep(learned, name, found);
      logger.info(
        {
          model: model.model,
          modelVersion: model.modelVersion,
          from: new Date(period.startMs).toISOString(),
          until: new Date(period.endMs).toISOString(),
          moving: movingColumns(found.nullModel),
        },
        'learned from production how much its windows differ',
      );
      return found;
    },
  };
}

export type NullLearner = ReturnType<typeof createNullLearner>;

/** Rows are taken as independent, and whoever reads the verdicts knows that nothing better is known yet. */
function provisional(reference: Reference): Reference {
  const nullModel: NullModel = { kind: 'iid', pieceMs: 0, spreads: [], provisional: true };
  return {
    ...reference,
    nullModel,
    ...(reference.segments === undefined
      ? {}
      : { segments: reference.segments.map((part) => ({ ...part, nullModel })) }),
  };
}

/** Windows end to end in a period; of more than a hundred so many, evenly spread. */
function tilesOf(period: Window, pieceMs: number): Window[] {
  const count = Math.floor((period.endMs - period.startMs) / pieceMs);
  const step = Math.max(1, count / MAX_PIECES);
  return Array.from({ length: count }, (_, index) => index)
    .filter((index) => index === 0 || Math.floor(index / step) !== Math.floor((index - 1) / step))
    .map((index) => ({
      startMs: period.startMs + index * pieceMs,
      endMs: period.startMs + (index + 1) * pieceMs,
    }));
}

function keep<T>(values: Map<string, T>, name: string, value: T): void {
  const oldest = values.keys().next();
  if (values.size >= CACHED_VERSIONS && !oldest.done) values.delete(oldest.value);
  values.set(name, value);
}
