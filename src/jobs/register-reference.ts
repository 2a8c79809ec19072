import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { fitInfluence } from '../detectors/influence.js';
import type { Clock } from '../domain/clock.js';
import { type FeatureSchema, forestColumns, type ModelVersion, profiledColumns } from '../domain/model.js';
import type { AskedForest, ForestSettings } from '../domain/outlier.js';
import type { FeatureRow, Logger, Store } from '../domain/ports.js';
import { type Grid, isEmptyGrid, type Profile } from '../domain/profile.js';
import {
  coveredBy,
  movingColumns,
  type NullModel,
  type Reference,
  type ReferenceAuthor,
} from '../domain/reference.js';
import { type SegmentSetting, tagOf } from '../domain/segment.js';
import type { Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import { estimatorColumns, fitEstimator, MAX_ESTIMATOR_ROWS } from '../performance/estimate/fit-estimator.js';
import { forestSettings, referenceHash } from './forest-settings.js';
import { inferSchema } from './infer-schema.js';
import { noteReferenceChange } from './reference-changes.js';
import { keepMultivariate, type ReferenceMultivariateDeps } from './reference-multivariate.js';
import { describePerformance } from './reference-performance.js';
import { describeSegments, segmentsOf } from './segments.js';
import {
  assertSameRules,
  type PrivacySettings,
  type TreatedReference,
  treatedHash,
  withRules,
  withTreatedReference,
} from './treat-reference.js';

/** Rows the forest is fitted on at most; each tree sees a sample of them. */
export const MAX_FOREST_ROWS = 100_000;
export const FOREST_SEED = 1;

export interface RegisterReferenceDeps extends Omit<ReferenceMultivariateDeps, 'store'> {
  readonly store: Pick<
    Store,
    | 'describeFile'
    | 'saveModel'
    | 'listModels'
    | 'deleteModel'
    | 'listGrids'
    | 'buildGrids'
    | 'saveGrids'
    | 'importReference'
    | 'pieceProfiles'
    | 'mergedProfiles'
    | 'segmentsOf'
    | 'readRows'
    | 'saveReference'
    | 'saveReferenceSample'
    | 'currentReference'
    | 'saveReferenceChange'
    | 'listReferenceChanges'
    | 'performanceCounts'
    | 'treatFile'
  >;
  /** Real time: when somebody registered it, also where the service's clock follows old data. */
  readonly wallClock: Clock;
  readonly logger: Logger;
  readonly fitNullModel: (input: {
    grids: readonly Grid[];
    pieces: readonly { window: Window; profiles: readonly Profile[] }[];
    pieceMs: number;
  }) => NullModel | Promise<NullModel>;
  readonly fitForest: (
    columns: readonly FeatureSchema[],
    rows: readonly FeatureRow['values'][],
    options: {
      seed: number;
      trees: number;
      subsample: number;
      time?: { timestampsMs: readonly number[]; pieceMs: number };
    },
  ) => Promise<string>;
  /** How a model's isolation forests are grown; 100 trees of 256 rows when left out. */
  readonly forestSettings?: (model: string) => ForestSettings;
  /** Which segments of a model get verdicts of their own; none when left out. */
  readonly segments?: (model: string) => SegmentSetting | undefined;
  /** The class that a binary model's probability is of; `1` when left out. */
  readonly positiveClass?: (model: string) => string;
  /** How personal values are treated; all are kept when left out. */
  readonly privacy?: PrivacySettings | undefined;
  /** Window length of a model, ms: the reference is cut into pieces of it to learn how much they differ. */
  readonly windowMs: (model: string) => number;
}

export interface RegisterReferenceInput {
  /** Parquet, CSV or NDJSON; the ending tells which. */
  readonly path: string;
  readonly model: string;
  readonly modelVersion: string;
  readonly provenance: string;
  /** Instead of the model's configuration. */
  readonly outliers?: AskedForest | undefined;
  /** Whose doing it is; nobody's in particular by default. */
  readonly author?: ReferenceAuthor;
}

async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** A reference that moves has no one state to compare with, and what it moved by counts as ordinary. */
export function warnOfTrends(logger: Logger, { model, modelVersion, nullModel }: Reference): void {
  const columns = movingColumns(nullModel);
  if (columns.length > 0)
    logger.warn(
      { model, modelVersion, columns },
      'columns move through the reference by as much as a drift that matters: later drift of that size is not told from it; a shorter or later reference is',
    );
}

/**
 * Makes a training baseline the current reference of a model version: schema, grids (the model's own where it has them),
 * counts, null model and forest. Registering the same file again changes nothing but the time.
 */
export function createReferenceRegistrar(deps: RegisterReferenceDeps) {
  const { store } = deps;

  return async function registerReference(
    input: RegisterReferenceInput,
  ): Promise<{ model: ModelVersion; reference: Reference }> {
    const versions = (await store.listModels()).filter((known) => known.model === input.model);
    const { path, model } = input;
    return withTreatedReference(deps, { path, model, versions }, (treated) =>
      register(input, versions, treated),
    );
  };

  async function register(
    input: RegisterReferenceInput,
    versions: readonly ModelVersion[],
    treated: TreatedReference,
  ): Promise<{ model: ModelVersion; reference: Reference }> {
    const { modelVersion } = input;
    const { path } = treated;
    const forest = forestSettings(deps.forestSettings?.(input.model), input.outliers);
    const rowsHash = await fileHash(input.path).catch((cause: unknown) => {
      throw new AppError('file_unreadable', `cannot read the reference ${input.path}`, { cause });
    });
    const hash = referenceHash(treatedHash(rowsHash, treated), forest);
    const {
      schema: inferred,
      timestampColumn,
      leftOut,
      tags,
    } = inferSchema(await store.describeFile(path), input.provenance);
    const schema = { ...inferred, features: withRules(inferred.features, treated.applied) };
    assertSameRules(versions, schema.features, 'invalid_reference');
    const model: ModelVersion = {
      model: input.model,
      modelVersion,
      schema,
      registeredAtMs: deps.wallClock.now(),
    };
    // What a deletion, or a registration that failed, has left behind must not pass for this model's; rows are the senders'.
    if (versions.length === 0) await store.deleteModel(model.model, { keepRows: true });
    const known = new Map((await store.listGrids(model.model)).map((grid) => [grid.feature, grid]));
    const columns = profiledColumns(schema);
    for (const column of columns) {
      const grid = known.get(column.name);
      if (grid !== undefined && !isEmptyGrid(grid) && grid.kind !== column.kind)
        throw new AppError(
          'invalid_reference',
          `${column.name} is ${column.kind} in ${input.provenance} but ${grid.kind} in earlier versions of ${model.model}: give it another name, or convert it`,
        );
    }
    const isNew = (grid: Grid | undefined) => grid === undefined || isEmptyGrid(grid);
    if (columns.some((column) => isNew(known.get(column.name))))
      await store.saveGrids(model.model, await store.buildGrids(path, model));
    const grids = await store.listGrids(model.model);
    const positiveClass = deps.positiveClass?.(model.model);
    const file = {
      path,
      model,
      grids,
      hash,
      timestampColumn,
      ...(positiveClass === undefined ? {} : { positiveClass }),
    };
    const { rows, period } = await store.importReference(file);
    const pieceMs = deps.windowMs(model.model);
    const pieces =
      period === null
        ? []
        : (
            await store.pieceProfiles(
              { model: model.model, modelVersion, scope: `reference:${hash}` },
              pieceMs,
            )
          ).filter((piece) => coveredBy(period, piece.window));
    const fitted = forestColumns(schema);
    const sample = await store.readRows(path, fitted, timestampColumn, MAX_FOREST_ROWS);
    const learned = estimatorColumns(schema);
    const labelled =
      learned.length === 0
        ? []
        : await store.readRows(path, learned, timestampColumn, MAX_ESTIMATOR_ROWS[schema.task]);
    const segments = await segmentsOf(deps, model);
    for (const segment of segments)
      if (tagOf(segment.column) === null) await store.importReference({ ...file, segment });
    const timestampsMs = sample.flatMap((row) => (row.timestampMs === null ? [] : [row.timestampMs]));
    const timed = timestampsMs.length === sample.length && timestampColumn !== null;
    const covers = (piece: Window) => period !== null && coveredBy(period, piece);
    const values = sample.map((row) => row.values);
    const multivariate = await keepMultivariate(deps, model, {
      hash,
      columns: fitted,
      rows: values,
      production: false,
      ...(timed ? { time: { timestampsMs, pieceMs, covers } } : {}),
    });
    const reference: Reference = {
      model: model.model,
      modelVersion,
      hash,
      rows,
      period,
      provenance: input.provenance,
      createdAtMs: deps.wallClock.now(),
      nullModel: await deps.fitNullModel({ grids, pieces, pieceMs }),
      ...(segments.length === 0
        ? {}
        : {
            segments: await describeSegments(deps, model, {
              segments,
              reference: { hash, period },
              grids,
              pieceMs,
              covers,
            }),
          }),
      forest: await deps.fitForest(fitted, values, {
        seed: FOREST_SEED,
        trees: forest.trees,
        subsample: forest.sampleSize,
        ...(timed ? { time: { timestampsMs, pieceMs } } : {}),
      }),
      ...(await describePerformance(store, model, {
        hash,
        period,
        pieceMs,
        covers,
      })),
      influence: fitInfluence({ columns: fitted, grids, rows: values }),
      ...multivariate,
      estimator: fitEstimator({
        schema,
        grids,
        positiveClass: deps.positiveClass?.(model.model) ?? '1',
        columns: learned,
        rows: labelled.map((row) => row.values),
      }),
    };
    const previous = await store.currentReference(model);
    await store.saveReference(reference);
    const author = input.author ?? { by: 'local', reason: '' };
    await noteReferenceChange(deps, model, {
      ...author,
      kind: 'registered',
      hash,
      previousHash: previous?.hash ?? null,
    });
    // Last: rows are accepted, and windows judged, from now on.
    await store.saveModel(model);
    if (leftOut.length > 0)
      deps.logger.warn(
        { model: model.model, modelVersion, columns: leftOut },
        'columns are not monitored: nested values, or times in a reference without timestamps',
      );
    if (tags.length > 0)
      deps.logger.info(
        { model: model.model, modelVersion, columns: tags },
        'columns named like tags are no features',
      );
    warnOfTrends(deps.logger, reference);
    deps.logger.info(
      { model: model.model, modelVersion, rows, hash, nullModel: reference.nullModel.kind },
      'reference registered',
    );
    return { model, reference };
  }
}
