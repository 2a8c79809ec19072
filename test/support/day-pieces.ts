import { fitNullModel } from '../../src/detectors/null-model.js';
import type { NullModel } from '../../src/domain/reference.js';
import { DAY_MS } from '../../src/domain/window.js';
import type { Value } from './count-profiles.js';
import { type Columns, draws, gridsOf, modelOf, normals, profilesOf } from './judge-fixture.js';

export const model = modelOf({ x: 'numeric', plan: 'categorical' });
export const PIECES = 30;
export const ROWS = 200;

/** Days whose numeric column moves by a day effect; each row of `days` is one day. */
export function days(seed: number, count: number, daySpread: number): Columns[] {
  const effects = normals(seed, count, 0, daySpread);
  return effects.map((effect, day) => ({
    x: normals(seed + 1 + day, ROWS, effect),
    plan: draws(seed + 500 + day, ROWS, { a: 5, b: 3, c: 1 }),
    prediction: normals(seed + 900 + day, ROWS),
  }));
}

/** The rows of all days. */
export function concat(list: readonly Columns[]): Columns {
  const of = (name: string): Value[] => list.flatMap((columns) => columns[name] ?? []);
  return { x: of('x'), plan: of('plan'), prediction: of('prediction') };
}

/** The null model of days, each of which is one piece. */
export function learn(list: readonly Columns[]) {
  const grids = gridsOf(model, concat(list));
  const pieces = list.map((columns, i) => ({
    window: { startMs: i * DAY_MS, endMs: (i + 1) * DAY_MS },
    profiles: profilesOf(grids, columns),
  }));
  return fitNullModel({ grids, pieces, pieceMs: DAY_MS });
}

export const spreadOf = (nullModel: NullModel, feature: string, detector: string) => {
  const spread = nullModel.spreads.find((s) => s.feature === feature && s.detector === detector);
  if (spread === undefined) throw new RangeError(`no spread of ${feature}.${detector}`);
  return spread;
};
