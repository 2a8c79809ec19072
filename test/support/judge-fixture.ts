import { appliesTo } from '../../src/detectors/detector.js';
import { judgeWindow } from '../../src/detectors/judge-window.js';
import { COLUMN_DETECTORS } from '../../src/detectors/registry.js';
import type { FeatureKind, ModelVersion, Task } from '../../src/domain/model.js';
import { monitoredColumns } from '../../src/domain/model.js';
import type { Grid, Profile } from '../../src/domain/profile.js';
import type { NullModel, Reference } from '../../src/domain/reference.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { createRandom } from '../../src/stats/random.js';
import { gridOf, profileOf, type Value } from './count-profiles.js';

export const WINDOW = { startMs: 1_767_225_600_000, endMs: 1_767_312_000_000 };
export const IID: NullModel = { kind: 'iid', pieceMs: 0, spreads: [] };

/** Column name → values; every column has the same number of rows. */
export type Columns = Readonly<Record<string, readonly Value[]>>;

export function modelOf(
  features: Readonly<Record<string, 'numeric' | 'categorical'>>,
  task: Task = 'regression',
): ModelVersion {
  return {
    model: 'm',
    modelVersion: '1',
    schema: { task, features: Object.entries(features).map(([name, kind]) => ({ name, kind })) },
    registeredAtMs: 0,
  };
}

export function referenceOf(rows: number, nullModel: NullModel = IID): Reference {
  return {
    model: 'm',
    modelVersion: '1',
    hash: 'abc',
    rows,
    period: null,
    provenance: 'test',
    createdAtMs: 0,
    nullModel,
    forest: null,
  };
}

export function gridsOf(model: ModelVersion, columns: Columns): Grid[] {
  return monitoredColumns(model.schema)
    .filter((column) => columns[column.name] !== undefined)
    .map((column) => gridOf(column.name, column.kind, columns[column.name] ?? []));
}

export function profilesOf(grids: readonly Grid[], columns: Columns): Profile[] {
  return grids
    .filter((grid) => columns[grid.feature] !== undefined)
    .map((grid) => profileOf(grid, columns[grid.feature] ?? []));
}

/** Names of the registered detectors for features of a kind, in their order. */
export function detectorsFor(kind: FeatureKind): string[] {
  return COLUMN_DETECTORS.filter((detector) => appliesTo(detector, { name: 'x', kind })).map(
    ({ name }) => name,
  );
}

/** Grids and profiles of references that were judged against, so that many windows of one count it once. */
const prepared = new WeakMap<Columns, { model: ModelVersion; grids: Grid[]; profiles: Profile[] }>();

function prepare(model: ModelVersion, reference: Columns) {
  const known = prepared.get(reference);
  if (known?.model === model) return known;
  const grids = gridsOf(model, reference);
  const made = { model, grids, profiles: profilesOf(grids, reference) };
  prepared.set(reference, made);
  return made;
}

/** Judges one set of columns against another on grids of the reference. */
export function judge(
  model: ModelVersion,
  reference: Columns,
  current: Columns,
  options: { nullModel?: NullModel; level?: number; extra?: Verdict[] } = {},
) {
  const { grids, profiles } = prepare(model, reference);
  const rows = Object.values(reference)[0]?.length ?? 0;
  return judgeWindow({
    model,
    window: WINDOW,
    reference: referenceOf(rows, options.nullModel),
    grids,
    referenceProfiles: profiles,
    currentProfiles: profilesOf(grids, current),
    level: options.level ?? 0.05,
    ...(options.extra === undefined ? {} : { extra: options.extra }),
  });
}

export function find(verdicts: readonly Verdict[], feature: string, detector: string): Verdict {
  const verdict = verdicts.find((v) => v.feature === feature && v.detector === detector);
  if (verdict === undefined) throw new RangeError(`no ${detector} verdict on ${feature}`);
  return verdict;
}

/** `count` standard normals from a seed. */
export function normals(seed: number, count: number, shift = 0, scale = 1): number[] {
  const random = createRandom(seed);
  return Array.from(
    { length: count },
    () => shift + scale * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

/** `count` categories drawn with the given weights. */
export function draws(seed: number, count: number, weights: Readonly<Record<string, number>>): string[] {
  const random = createRandom(seed);
  const names = Object.keys(weights);
  const sum = names.reduce((all, name) => all + (weights[name] ?? 0), 0);
  return Array.from({ length: count }, () => {
    let left = random() * sum;
    for (const name of names) {
      left -= weights[name] ?? 0;
      if (left < 0) return name;
    }
    return names.at(-1) ?? '';
  });
}
