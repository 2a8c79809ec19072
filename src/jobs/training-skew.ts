import { explainColumn } from '../detectors/explain.js';
import { judgeWindow } from '../detectors/judge-window.js';
import { LATENCY, type ModelVersion, monitoredColumns } from '../domain/model.js';
import { PRODUCTION, type Store, type VersionKey } from '../domain/ports.js';
import type { Grid, Profile } from '../domain/profile.js';
import { coveredBy, type NullModel, type Reference, referenceBuckets } from '../domain/reference.js';
import type { SkewedColumn, TrainingSkew } from '../domain/training-skew.js';
import type { Verdict } from '../domain/verdict.js';
import { DAY_MS, HOUR_MS, tile, WEEK_MS, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import { alarmRatio, combine, type Look } from '../views/severity.js';
import { datasetOf } from './comparison.js';

/** All columns of a week together. */
const LEVEL = 0.05;
const LOOK_ORDER: readonly Look[] = ['material', 'minor', 'undecided', 'no_data', 'stable'];

export interface TrainingSkewDeps {
  readonly store: Pick<
    Store,
    'listModels' | 'watermarks' | 'currentReference' | 'listGrids' | 'mergedProfiles' | 'pieceProfiles'
  >;
  readonly fitNullModel: (input: {
    grids: readonly Grid[];
    pieces: readonly { window: Window; profiles: readonly Profile[] }[];
    pieceMs: number;
  }) => NullModel;
}

export interface SkewQuestion extends VersionKey {
  /** Start of the week, ms, a whole hour; that of the first production row when left out. */
  readonly from?: number | undefined;
}

/** Whether what a version sees in production is what it was trained on: its reference against its first week of production. */
export function createSkewReader({ store, fitNullModel }: TrainingSkewDeps) {
  async function weekOf(key: VersionKey, from: number | undefined) {
    const mark = (await store.watermarks()).find(
      ({ model, modelVersion }) => model === key.model && modelVersion === key.modelVersion,
    );
    if (mark === undefined)
      throw new AppError('not_found', 'this model version has no predictions yet: ask again later');
    const startMs = from ?? Math.floor(mark.firstEventMs / HOUR_MS) * HOUR_MS;
    const newestMs = Math.floor(mark.watermarkMs / HOUR_MS) * HOUR_MS + HOUR_MS;
    const endMs = startMs + WEEK_MS;
    const until = Math.max(startMs + HOUR_MS, Math.min(endMs, newestMs));
    return { week: { startMs, endMs: until }, complete: newestMs > endMs };
  }

  /**
   * How much the reference's weeks differ, or where it has too few of them its days: a week differs from the whole at most as much as its days
   * do, so their spread is on the careful side.
   */
  async function nullOf(
    model: ModelVersion,
    reference: Reference,
    grids: readonly Grid[],
  ): Promise<NullModel> {
    const { period } = reference;
    const scope = `reference:${reference.hash}`;
    for (const pieceMs of period === null ? [] : [WEEK_MS, DAY_MS]) {
      const pieces = (
        await store.pieceProfiles({ model: model.model, modelVersion: model.modelVersion, scope }, pieceMs)
      ).filter(({ window }) => period !== null && coveredBy(period, window));
      const fitted = fitNullModel({ grids, pieces, pieceMs });
      if (fitted.kind === 'temporal') return fitted;
    }
    return { kind: 'iid', pieceMs: 0, spreads: [] };
  }

  /** Throws AppError `unknown_model`, or `not_found` without a reference or predictions. */
  return async function readSkew({ model: name, modelVersion, from }: SkewQuestion): Promise<TrainingSkew> {
    const key = { model: name, modelVersion };
    const model = (await store.listModels()).find(
      (known) => known.model === name && known.modelVersion === modelVersion,
    );
    if (model === undefined)
      throw new AppError(
        'unknown_model',
        'this model version is not registered: GET /v1/models lists those that are',
      );
    const reference = await store.currentReference(key);
    if (reference === null)
      throw new AppError('not_found', 'this model version has no reference yet: PUT …/reference');
    const { week, complete } = await weekOf(key, from);
    // Latencies of training say nothing about those of serving.
    const features = monitoredColumns(model.schema).filter((column) => column.name !== LATENCY);
    const asked = features.map((column) => column.name);
    const grids = (await store.listGrids(name)).filter(({ feature }) => asked.includes(feature));
    const nullModel = await nullOf(model, reference, grids);
    const referenceProfiles = await store.mergedProfiles(
      { ...key, scope: `reference:${reference.hash}`, features: asked },
      referenceBuckets(reference),
    );
    const currentProfiles = await store.mergedProfiles(
      { ...key, scope: PRODUCTION, features: asked },
      tile(week),
    );
    const { verdicts } = judgeWindow({
      model: { ...model, schema: { ...model.schema, latency: false } },
      window: week,
      reference: { ...reference, nullModel },
      grids,
      referenceProfiles,
      currentProfiles,
      level: LEVEL,
    });
    const columns = ranked(
      features.map(({ name: feature, kind }) =>
        columnOf(
          { feature, kind },
          verdicts.filter((verdict) => verdict.feature === feature),
          {
            grid: grids.find((grid) => grid.feature === feature),
            reference: referenceProfiles.find((profile) => profile.feature === feature),
            current: currentProfiles.find((profile) => profile.feature === feature),
          },
        ),
      ),
    );
    const { status, drifted, undecided } = datasetOf(columns);
    return {
      ...key,
      referenceHash: reference.hash,
      referenceRows: reference.rows,
      week,
      complete,
      rows: Math.max(0, ...currentProfiles.map((profile) => profile.rows)),
      pieceMs: nullModel.kind === 'iid' ? null : nullModel.pieceMs,
      level: LEVEL,
      status,
      drifted,
      undecided,
      columns,
    };
  };
}

export type SkewReader = ReturnType<typeof createSkewReader>;

function columnOf(
  column: Pick<SkewedColumn, 'feature' | 'kind'>,
  verdicts: readonly Verdict[],
  sides: { grid: Grid | undefined; reference: Profile | undefined; current: Profile | undefined },
): SkewedColumn {
  const { look, worst } = combine(verdicts);
  const { grid, reference, current } = sides;
  const sentence =
    grid === undefined || reference === undefined || current === undefined
      ? `${column.feature} is undecided: ${reference === undefined ? 'the reference has no values' : 'there are no current values'}.`
      : explainColumn({ name: column.feature, grid, reference, current, verdicts });
  const status =
    look === 'material' || look === 'minor' ? 'drifted' : look === 'stable' ? 'stable' : 'undecided';
  return { ...column, status, material: look === 'material', verdict: worst, sentence };
}

/** Material drifts, others, columns that nothing can be said of, then stable ones; each by how near its alarm it is. */
function ranked(columns: readonly SkewedColumn[]): SkewedColumn[] {
  const order = ({ verdict, status, material }: SkewedColumn) =>
    LOOK_ORDER.indexOf(
      status === 'drifted' ? (material ? 'material' : 'minor') : verdict === null ? 'no_data' : status,
    );
  const ratio = ({ verdict }: SkewedColumn) => (verdict === null ? 0 : (alarmRatio(verdict) ?? 0));
  return [...columns].sort((a, b) => order(a) - order(b) || ratio(b) - ratio(a));
}
