import { createHash } from 'node:crypto';
import type { ModelVersion } from '../domain/model.js';
import { PRODUCTION, type Store, type VersionKey } from '../domain/ports.js';
import type { Grid, Profile } from '../domain/profile.js';
import type { NullModel, Reference } from '../domain/reference.js';
import { type Segment, segmentId, segmentScope } from '../domain/segment.js';
import { type Bucket, DAY_MS, tile, WEEK_MS, type Window } from '../domain/window.js';

/** What a version's windows are compared with: its registered reference, or production itself. */
export type ReferenceSetting =
  | { readonly kind: 'training' }
  | { readonly kind: 'seasonal' | 'trailing'; readonly days: number };

export type RollingSetting = Extract<ReferenceSetting, { readonly days: number }>;

type CountedWindow = Window & { readonly rows: number };

interface Pool {
  /** In order. */
  readonly clean: readonly CountedWindow[];
  /** Windows with rows that were left out. */
  readonly inBreach: number;
}

/** What one window is compared with. */
export interface Baseline {
  readonly reference: Reference;
  /** Empty while there is too little to compare with. */
  readonly profiles: readonly Profile[];
  /** For the verdicts: what the reference was made of. */
  readonly parameters: Readonly<Record<string, number | string | boolean>>;
}

export interface RollingReferenceDeps {
  readonly store: Pick<
    Store,
    'listGrids' | 'mergedProfiles' | 'windowProfiles' | 'profiledRows' | 'breachedWindows'
  >;
  readonly fitNullModel: (input: {
    grids: readonly Grid[];
    pieces: readonly { window: Window; profiles: readonly Profile[] }[];
    pieceMs: number;
    phaseOf?: (window: Window) => number;
  }) => NullModel;
}

/** Pieces that a null model is learned from at most: their counts are held in memory together. */
const MAX_PIECES = 100;
/** Weeks with the same hours that a seasonal reference needs. */
const LEAST_WEEKS = 3;
/** Versions whose null model, and trailing reference, are kept in memory: both stay the same for a day. */
const CACHED_VERSIONS = 256;

const phaseOf = (window: Window) => window.startMs % WEEK_MS;

/**
 * References made of a version's own past, when a window is judged: of the last days (trailing), or of the same hours of the last
 * weeks (seasonal). Windows in breach take no part. What they are made of ends with the day before the window's, so that their
 * null model is learned once a day. Deterministic: the same stored counts and breaches give the same reference, hash included.
 */
export function createRollingReferences({ store, fitNullModel }: RollingReferenceDeps) {
  const nulls = createLatest<NullModel>(CACHED_VERSIONS);
  const built = createLatest<Baseline>(CACHED_VERSIONS);

  /** The windows that may take part, with their rows: no window that overlaps them is in breach. */
  async function usable(key: VersionKey, windows: readonly Window[]): Promise<Pool> {
    const period = { startMs: windows.at(0)?.startMs ?? 0, endMs: windows.at(-1)?.endMs ?? 0 };
    const breached = await store.breachedWindows(key, period);
    const rows = await store.profiledRows(key, windows);
    const withRows = windows
      .map((window, index) => ({ ...window, rows: rows[index] ?? 0 }))
      .filter((window) => window.rows > 0);
    const clean = withRows.filter(
      (window) => !breached.some((other) => other.startMs < window.endMs && window.startMs < other.endMs),
    );
    return { clean, inBreach: withRows.length - clean.length };
  }

  function nullModelOf(
    model: ModelVersion,
    windows: readonly CountedWindow[],
    pieceMs: number,
    seasonal: boolean,
    segment: Segment | undefined,
  ): Promise<NullModel> {
    return nulls.get(nameOf(model, segment), digest([pieceMs, seasonal, windows]), async () =>
      fitNullModel({
        grids: await store.listGrids(model.model),
        pieces: await store.windowProfiles(
          productionOf(model, segment),
          windows.map(({ startMs, endMs }) => ({ startMs, endMs })),
        ),
        pieceMs,
        ...(seasonal ? { phaseOf } : {}),
      }),
    );
  }

  async function build(
    model: ModelVersion,
    registered: Reference,
    setting: RollingSetting,
    {
      pool,
      nullModel,
      enough,
      segment,
    }: { pool: Pool; nullModel: NullModel; enough: boolean; segment: Segment | undefined },
  ): Promise<Baseline> {
    const windows = pool.clean.map(({ startMs, endMs }) => ({ startMs, endMs }));
    const profiles = enough
      ? await store.mergedProfiles(productionOf(model, segment), bucketsOf(windows))
      : [];
    const first = windows[0];
    const last = windows.at(-1);
    return {
      reference: {
        ...registered,
        hash: digest([setting, windows, profiles, nullModel]),
        rows: Math.max(0, ...profiles.map(({ rows }) => rows)),
        period:
          first === undefined || last === undefined ? null : { startMs: first.startMs, endMs: last.endMs },
        provenance: `${setting.kind} reference over ${setting.days} days of production`,
        nullModel,
      },
      profiles,
      parameters: {
        reference: setting.kind,
        referenceDays: setting.days,
        referenceWindows: windows.length,
        referenceWindowsInBreach: pool.inBreach,
      },
    };
  }

  return {
    /** @param window for `seasonal` its length divides a week
     * @param segment whose rows are compared; all when left out */
    async baselineOf(
      model: ModelVersion,
      registered: Reference,
      window: Window,
      setting: RollingSetting,
      segment?: Segment,
    ): Promise<Baseline> {
      const pieceMs = window.endMs - window.startMs;
      const seasonal = setting.kind === 'seasonal';
      const lastMs = Math.floor(window.startMs / DAY_MS) * DAY_MS;
      const spanMs = seasonal ? Math.floor(setting.days / 7) * WEEK_MS : setting.days * DAY_MS;
      const pool = await usable(model, piecesBefore(lastMs, spanMs, pieceMs));
      const chosen = seasonal ? spreadPhases(pool.clean, MAX_PIECES) : spread(pool.clean, MAX_PIECES);
      const nullModel = await nullModelOf(model, chosen, pieceMs, seasonal, segment);
      // Independent rows are no null for production: too few pieces mean that nothing can be said yet.
      const isLearned = nullModel.kind === 'temporal';
      if (seasonal) {
        const weeks = await usable(model, sameHours(window, setting.days));
        const enough = isLearned && weeks.clean.length >= LEAST_WEEKS;
        return build(model, registered, setting, { pool: weeks, nullModel, enough, segment });
      }
      return built.get(nameOf(model, segment), digest([registered.hash, setting, pool]), () =>
        build(model, registered, setting, { pool, nullModel, enough: isLearned, segment }),
      );
    },
  };
}

export type RollingReferences = ReturnType<typeof createRollingReferences>;

const nameOf = ({ model, modelVersion }: VersionKey, segment?: Segment) =>
  JSON.stringify([model, modelVersion, segment === undefined ? null : segmentId(segment)]);

/** The last value of each name, made anew when its key changes. */
function createLatest<T>(limit: number) {
  const values = new Map<string, { key: string; value: T }>();
  return {
    async get(name: string, key: string, make: () => Promise<T>): Promise<T> {
      const known = values.get(name);
      if (known?.key === key) return known.value;
      const value = await make();
      values.delete(name);
      const oldest = values.keys().next();
      if (values.size >= limit && !oldest.done) values.delete(oldest.value);
      values.set(name, { key, value });
      return value;
    },
  };
}

const productionOf = ({ model, modelVersion }: VersionKey, segment?: Segment) => ({
  model,
  modelVersion,
  scope: segmentScope(PRODUCTION, segment),
});

const digest = (content: unknown) => createHash('sha256').update(JSON.stringify(content)).digest('hex');

/** Windows of one length, end to end, that end by `lastMs` and start within the span before it; in order. */
function piecesBefore(lastMs: number, spanMs: number, pieceMs: number): Window[] {
  const count = Math.floor(spanMs / pieceMs);
  return Array.from({ length: count }, (_, index) => {
    const startMs = lastMs - (count - index) * pieceMs;
    return { startMs, endMs: startMs + pieceMs };
  });
}

/** The window in each of the weeks before, oldest first. */
function sameHours(window: Window, days: number): Window[] {
  const weeks = Math.floor(days / 7);
  return Array.from({ length: weeks }, (_, index) => {
    const shiftMs = (weeks - index) * WEEK_MS;
    return { startMs: window.startMs - shiftMs, endMs: window.endMs - shiftMs };
  });
}

/** At most `limit` of the values, evenly spread, the first and the last among them. */
function spread<T>(values: readonly T[], limit: number): T[] {
  if (values.length <= limit) return [...values];
  return Array.from(
    { length: limit },
    (_, index) => values[Math.round((index * (values.length - 1)) / (limit - 1))] as T,
  );
}

/** Whole phases of the week, evenly spread, so that each window has its like among them; about `limit` windows, in order. */
function spreadPhases(windows: readonly CountedWindow[], limit: number): CountedWindow[] {
  const phases = new Map<number, CountedWindow[]>();
  for (const window of windows) {
    const own = phases.get(phaseOf(window));
    if (own === undefined) phases.set(phaseOf(window), [window]);
    else own.push(window);
  }
  const full = [...phases.values()].filter((own) => own.length >= LEAST_WEEKS);
  const longest = Math.max(1, ...full.map((own) => own.length));
  return spread(full, Math.max(2, Math.floor(limit / longest)))
    .flat()
    .sort((a, b) => a.startMs - b.startMs);
}

/** The coarsest buckets that tile windows in order; those that meet are taken as one. */
function bucketsOf(windows: readonly Window[]): Bucket[] {
  const runs: { startMs: number; endMs: number }[] = [];
  for (const window of windows) {
    const last = runs.at(-1);
    if (last !== undefined && last.endMs === window.startMs) last.endMs = window.endMs;
    else runs.push({ ...window });
  }
  return runs.flatMap(tile);
}
