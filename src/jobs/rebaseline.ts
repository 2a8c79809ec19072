import { fitInfluence } from '../detectors/influence.js';
import { forestColumns, type ModelVersion } from '../domain/model.js';
import type { AskedForest, ForestSettings } from '../domain/outlier.js';
import type { Store, VersionKey } from '../domain/ports.js';
import type { Grid } from '../domain/profile.js';
import type { Reference, ReferenceAuthor } from '../domain/reference.js';
import { HOUR_MS, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import { forestSettings, referenceHash } from './forest-settings.js';
import { noteReferenceChange } from './reference-changes.js';
import { keepMultivariate } from './reference-multivariate.js';
import { describePerformance } from './reference-performance.js';
import {
  FOREST_SEED,
  MAX_FOREST_ROWS,
  type RegisterReferenceDeps,
  warnOfTrends,
} from './register-reference.js';
import { describeSegments, segmentsOf } from './segments.js';

export interface RebaselineDeps extends Omit<RegisterReferenceDeps, 'store'> {
  readonly store: Pick<
    Store,
    | 'listModels'
    | 'listGrids'
    | 'currentReference'
    | 'findReference'
    | 'saveReference'
    | 'saveReferenceSample'
    | 'saveReferenceChange'
    | 'listReferenceChanges'
    | 'dirtyBuckets'
    | 'freezePeriod'
    | 'sampleRows'
    | 'pieceProfiles'
    | 'mergedProfiles'
    | 'segmentsOf'
    | 'performanceCounts'
  >;
  /** Share of production that must be labelled before its performance is a baseline; any when left out. */
  readonly minimumMaturity?: (model: string) => number;
}

/**
 * Makes a past production period, or an earlier reference, the current reference of a version. Windows judged before keep their
 * verdicts; those to come are compared with the new one. Nothing is deleted, so every change can be taken back.
 */
export function createRebaseliner(deps: RebaselineDeps) {
  const { store, wallClock, logger } = deps;

  async function registered({ model, modelVersion }: VersionKey): Promise<ModelVersion> {
    const found = (await store.listModels()).find(
      (known) => known.model === model && known.modelVersion === modelVersion,
    );
    if (found === undefined)
      throw new AppError(
        'unknown_model',
        'this model version is not registered: register it with a reference',
      );
    return found;
  }

  async function assertCounted(model: ModelVersion, period: Window): Promise<void> {
    const dirty = (await store.dirtyBuckets(wallClock.now())).find(
      (known) => known.model === model.model && known.modelVersion === model.modelVersion,
    );
    const open = dirty?.hourStartsMs.filter((ms) => ms >= period.startMs && ms < period.endMs) ?? [];
    if (open.length > 0)
      throw new AppError(
        'overloaded',
        `${open.length} hours of this period hold rows that are not counted yet: ask again after the next detection cycle`,
        { retryable: true },
      );
  }

  /**
   * Fits the forest, how the prediction goes with each feature, and how the features go together, on the period's raw rows while all of
   * them are there; else keeps what there is.
   */
  async function fitRows(
    model: ModelVersion,
    {
      period,
      rows,
      pieceMs,
      grids,
      hash,
      forest: { trees, sampleSize },
    }: {
      period: Window;
      rows: number;
      hash: string;
      pieceMs: number;
      grids: readonly Grid[];
      forest: ForestSettings;
    },
    previous: Reference | null,
  ): Promise<Pick<Reference, 'forest' | 'influence' | 'multivariate'> & { note: string }> {
    const columns = forestColumns(model.schema);
    const sample = await store.sampleRows(model, columns, period, MAX_FOREST_ROWS);
    if (sample.stored >= rows) {
      const forest = await deps.fitForest(
        columns,
        sample.rows.map((row) => row.values),
        {
          seed: FOREST_SEED,
          trees,
          subsample: sampleSize,
          time: { timestampsMs: sample.rows.map((row) => row.timestampMs), pieceMs },
        },
      );
      const influence = fitInfluence({ columns, grids, rows: sample.rows.map((row) => row.values) });
      const multivariate = await keepMultivariate(deps, model, {
        hash,
        columns,
        rows: sample.rows.map((row) => row.values),
        production: true,
        time: {
          timestampsMs: sample.rows.map((row) => row.timestampMs),
          pieceMs,
          covers: (piece) => piece.startMs >= period.startMs && piece.endMs <= period.endMs,
        },
      });
      return { forest, influence, ...multivariate, note: '' };
    }
    return previous === null
      ? { forest: null, note: '; no isolation forest: its raw rows have expired' }
      : {
          forest: previous.forest,
          ...(previous.influence === undefined ? {} : { influence: previous.influence }),
          note: `; isolation forest of ${previous.hash.slice(0, 12)}: raw rows have expired`,
        };
  }

  async function makeCurrent(
    model: ModelVersion,
    reference: Reference,
    change: ReferenceAuthor & { kind: 'rebaselined' | 'restored'; previousHash: string | null },
  ): Promise<void> {
    await store.saveReference(reference);
    warnOfTrends(logger, reference);
    await noteReferenceChange(deps, model, { ...change, hash: reference.hash });
    logger.info(
      {
        model: model.model,
        modelVersion: model.modelVersion,
        hash: reference.hash,
        previousHash: change.previousHash,
        by: change.by,
        reason: change.reason,
      },
      `reference ${change.kind}`,
    );
  }

  return {
    /**
     * @param input.period whole hours of production that are over
     * Throws AppError `unknown_model`, `invalid_reference` (no rows, no grids), `overloaded` (rows not counted yet).
     */
    async rebaseline(
      input: VersionKey & ReferenceAuthor & { period: Window; outliers?: AskedForest | undefined },
    ): Promise<{ model: ModelVersion; reference: Reference }> {
      const { period, by, reason } = input;
      if (period.startMs % HOUR_MS !== 0 || period.endMs % HOUR_MS !== 0 || period.startMs >= period.endMs)
        throw new AppError('invalid_request', 'a period is whole hours long, and from comes before to');
      const model = await registered(input);
      const grids = await store.listGrids(model.model);
      if (grids.length === 0)
        throw new AppError(
          'invalid_reference',
          'this model has no grids to count production on yet: register a first reference from a file',
        );
      const settings = forestSettings(deps.forestSettings?.(model.model), input.outliers);
      await assertCounted(model, period);
      const previous = await store.currentReference(model);
      const { hash, rows } = await store.freezePeriod(model, period, (counts) =>
        referenceHash(counts, settings),
      );
      if (rows === 0)
        throw new AppError('invalid_reference', 'no row is counted in this period: choose another');
      const pieceMs = deps.windowMs(model.model);
      const pieces = await store.pieceProfiles(
        { model: model.model, modelVersion: model.modelVersion, scope: `reference:${hash}` },
        pieceMs,
      );
      const { note, ...fitted } = await fitRows(
        model,
        { period, rows, hash, pieceMs, grids, forest: settings },
        previous,
      );
      const covers = (window: Window) => window.startMs >= period.startMs && window.endMs <= period.endMs;
      const segments = await segmentsOf(deps, model);
      const minimumMaturity = deps.minimumMaturity?.(model.model) ?? 0;
      const reference: Reference = {
        model: model.model,
        modelVersion: model.modelVersion,
        hash,
        rows,
        period,
        provenance: `production from ${hourOf(period.startMs)} to ${hourOf(period.endMs)}${note}`,
        createdAtMs: wallClock.now(),
        nullModel: await deps.fitNullModel({
          grids,
          pieces: pieces.filter(({ window }) => covers(window)),
          pieceMs,
        }),
        ...(segments.length === 0
          ? {}
          : {
              segments: await describeSegments(deps, model, {
                segments,
                reference: { hash, period },
                grids,
                pieceMs,
                covers,
                minimumMaturity,
              }),
            }),
        ...(await describePerformance(store, model, { hash, period, pieceMs, covers, minimumMaturity })),
        ...fitted,
        // How labels go with scores is the model's, whatever period it is compared with.
        ...(previous?.estimator === undefined ? {} : { estimator: previous.estimator }),
      };
      await makeCurrent(model, reference, {
        kind: 'rebaselined',
        previousHash: previous?.hash ?? null,
        by,
        reason,
      });
      return { model, reference };
    },

    /** Goes back to one of the version's earlier references. Throws `unknown_model`, or `not_found` for an unknown hash. */
    async restore(
      input: VersionKey & ReferenceAuthor & { hash: string },
    ): Promise<{ model: ModelVersion; reference: Reference }> {
      const model = await registered(input);
      const { modelVersion, hash, by, reason } = input;
      const reference = await store.findReference({ model: model.model, modelVersion, hash });
      if (reference === null)
        throw new AppError(
          'not_found',
          `version ${modelVersion} of ${model.model} never had the reference ${hash.slice(0, 12)}: GET …/references lists those it had`,
        );
      const previous = await store.currentReference(model);
      await makeCurrent(model, reference, {
        kind: 'restored',
        previousHash: previous?.hash ?? null,
        by,
        reason,
      });
      return { model, reference };
    },
  };
}

export type Rebaseliner = ReturnType<typeof createRebaseliner>;

const hourOf = (ms: number) => `${new Date(ms).toISOString().slice(0, 16)}Z`;
