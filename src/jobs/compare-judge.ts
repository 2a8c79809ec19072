import { explainColumn } from '../detectors/explain.js';
import { judgeWindow } from '../detectors/judge-window.js';
import type { ComparedColumn } from '../domain/comparison.js';
import type { FeatureSchema, ModelVersion } from '../domain/model.js';
import type { Profile } from '../domain/profile.js';
import type { NullModel, Reference } from '../domain/reference.js';
import type { Verdict, VerdictStatus } from '../domain/verdict.js';
import { HOUR_MS } from '../domain/window.js';
import type { PlannedColumn } from './compare-columns.js';
import type { CountedColumn } from './compare-counts.js';

export const IID: NullModel = { kind: 'iid', pieceMs: 0, spreads: [] };
/** Files have no windows of their own: all their rows count for this hour. */
export const WINDOW = { startMs: 0, endMs: HOUR_MS };

/** A column with its counts, or with what keeps it from being compared. */
export type JudgedColumn = PlannedColumn & { readonly counted: CountedColumn | null };

export interface JudgeSides {
  readonly columns: readonly JudgedColumn[];
  readonly referenceHash: string;
  readonly referenceOf: (column: CountedColumn) => Profile;
  readonly currentOf: (column: CountedColumn) => Profile;
  readonly nullModel: NullModel;
  readonly level: number;
  /** Verdicts about whole rows, which join the columns' family. */
  readonly extra?: readonly Verdict[];
}

/** The model that a verdict of files is of. */
export function comparedModel(features: readonly FeatureSchema[]): ModelVersion {
  return { model: 'compare', modelVersion: '1', schema: { task: 'regression', features }, registeredAtMs: 0 };
}

/** The reference side as a verdict names it. */
export function comparedReference(hash: string, rows: number, nullModel: NullModel): Reference {
  return {
    model: 'compare',
    modelVersion: '1',
    hash,
    rows,
    period: null,
    provenance: '',
    createdAtMs: 0,
    nullModel,
    forest: null,
  };
}

/** Judges the columns together, as one window of a service would be, and says for each what happened. */
export function judgeColumns(sides: JudgeSides): { columns: ComparedColumn[]; extra: Verdict[] } {
  const { columns, nullModel, level, referenceHash: hash } = sides;
  const counted = columns.flatMap((column) => (column.counted === null ? [] : [column.counted]));
  const referenceProfiles = counted.map(sides.referenceOf);
  const currentProfiles = counted.map(sides.currentOf);
  const features: FeatureSchema[] = counted.map(({ id, grid }) => ({ name: id, kind: grid.kind }));
  const rows = Math.max(0, ...referenceProfiles.map((profile) => profile.rows));
  const { verdicts } = judgeWindow({
    model: comparedModel(features),
    window: WINDOW,
    reference: comparedReference(hash, rows, nullModel),
    grids: counted.map(({ grid }) => grid),
    referenceProfiles,
    currentProfiles,
    level,
    extra: sides.extra ?? [],
  });
  const own = new Map<string, Verdict[]>(counted.map(({ id }) => [id, []]));
  for (const verdict of verdicts) own.get(verdict.feature)?.push(verdict);
  const profiles = new Map(
    counted.map(({ id }, i) => [id, { reference: referenceProfiles[i], current: currentProfiles[i] }]),
  );
  const judged = columns.map((column) => {
    const sidesOf = profiles.get(column.counted?.id ?? '');
    if (column.counted === null || sidesOf?.reference === undefined || sidesOf.current === undefined)
      return uncompared(column);
    return compared(
      column,
      column.counted,
      sidesOf.reference,
      sidesOf.current,
      own.get(column.counted.id) ?? [],
    );
  });
  return { columns: judged, extra: verdicts.filter(({ feature }) => feature === '') };
}

function compared(
  column: JudgedColumn,
  counted: CountedColumn,
  reference: Profile,
  current: Profile,
  verdicts: readonly Verdict[],
): ComparedColumn {
  const primaries = verdicts.filter((verdict) => verdict.role === 'primary');
  const drifted = primaries.filter((verdict) => verdict.status === 'drifted');
  const primary = primaries.find((verdict) => verdict.category === 'drift') ?? null;
  return {
    column: column.name,
    kind: column.kind,
    status: statusOf(primary, drifted),
    material: drifted.some((verdict) => verdict.material),
    primary,
    verdicts: verdicts.map((verdict) => ({ ...verdict, feature: column.name })),
    missing: { reference: missingShare(reference), current: missingShare(current) },
    explanation: explainColumn({ name: column.name, grid: counted.grid, reference, current, verdicts }),
    counts: { grid: counted.grid, reference, current },
  };
}

/** A column whose shape could not be judged is not stable because it lacks no values. */
function statusOf(primary: Verdict | null, drifted: readonly Verdict[]): VerdictStatus {
  if (drifted.length > 0) return 'drifted';
  return primary?.status === 'stable' ? 'stable' : 'undecided';
}

function missingShare(profile: Profile): number | null {
  return profile.rows === 0 ? null : profile.missing / profile.rows;
}

function uncompared({ name, kind, obstacle }: JudgedColumn): ComparedColumn {
  return {
    column: name,
    kind,
    status: 'undecided',
    material: false,
    primary: null,
    verdicts: [],
    missing: { reference: null, current: null },
    explanation: `${name} is undecided: ${obstacle ?? 'it was not counted'}.`,
    counts: null,
  };
}
