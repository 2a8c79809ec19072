import { decideFamily } from '../../src/detectors/judge-window.js';
import { measureColumns } from '../../src/detectors/measure-columns.js';
import { mergeProfiles } from '../../src/detectors/merge-profiles.js';
import { fitNullModel } from '../../src/detectors/null-model.js';
import type { ModelVersion } from '../../src/domain/model.js';
import type { Grid, Profile } from '../../src/domain/profile.js';
import { movingColumns, type NullModel } from '../../src/domain/reference.js';
import { DAY_MS } from '../../src/domain/window.js';
import { createRandom } from '../../src/stats/random.js';
import { standardNormal } from './columns.js';

/** Probability that a drift-free window has any flag. */
export const LEVEL = 0.05;
/** A numeric column x and a categorical one, both moved by the state of their time, and a prediction that is not. */
const MODEL: ModelVersion = {
  model: 'dependence',
  modelVersion: '1',
  schema: {
    task: 'regression',
    features: [
      { name: 'x', kind: 'numeric' },
      { name: 'plan', kind: 'categorical' },
    ],
  },
  registeredAtMs: 0,
};
const CUT_POINTS = Array.from({ length: 121 }, (_, i) => (i - 60) / 12);
const PLANS = ['a', 'b', 'c', 'd'];
const GRIDS: Grid[] = [
  { kind: 'numeric', feature: 'x', cutPoints: CUT_POINTS, quantum: 1 },
  { kind: 'categorical', feature: 'plan', categories: PLANS, headSize: PLANS.length },
  { kind: 'numeric', feature: 'prediction', cutPoints: CUT_POINTS, quantum: 1 },
];
const IID: NullModel = { kind: 'iid', pieceMs: 0, spreads: [] };
/** Windows that each reference judges, each of a state of its own. */
const WINDOWS = 10;
const WEEK = 7;

/** A world: the state of each piece in turn, of a window long after, and how much one row's noise lasts into the next. */
export interface World {
  readonly name: string;
  readonly rowAutocorrelation: number;
  /** `count` states of successive pieces, in units of the rows' standard deviation. */
  readonly states: (count: number, random: () => number) => number[];
  /** The state of a window that follows the pieces by a long time, or by `after` pieces. */
  readonly later: (random: () => number, after: number, pieces: number) => number;
}

const DAY_EFFECT = 0.5;

function chain(autocorrelation: number): World['states'] {
  const rest = Math.sqrt(1 - autocorrelation ** 2);
  return (count, random) => {
    let state = standardNormal(random);
    return Array.from({ length: count }, () => {
      const now = DAY_EFFECT * state;
      state = autocorrelation * state + rest * standardNormal(random);
      return now;
    });
  };
}

const none: World['states'] = (count) => new Array<number>(count).fill(0);
const anyDay: World['later'] = (random) => DAY_EFFECT * standardNormal(random);
const days = (autocorrelation: number): World => ({
  name: `days that last, ρ = ${autocorrelation}`,
  rowAutocorrelation: 0,
  states: chain(autocorrelation),
  later: anyDay,
});
const rows = (rowAutocorrelation: number): World => ({
  name: `rows that last, ρ = ${rowAutocorrelation}`,
  rowAutocorrelation,
  states: none,
  later: () => 0,
});
const weekday = (day: number, random: () => number) =>
  DAY_EFFECT * Math.SQRT2 * Math.sin((2 * Math.PI * day) / WEEK) + 0.2 * standardNormal(random);
/** One standard deviation of rows over the reference, beside ordinary days. */
const trend = (name: string, at: (after: number, pieces: number) => number): World => ({
  name,
  rowAutocorrelation: 0,
  states: (count, random) =>
    chain(0)(count, random).map((state, i) => state + i / Math.max(1, count - 1) - 0.5),
  later: (random, after, pieces) => anyDay(random, after, pieces) + at(after, pieces),
});
const shifted = (shift: number): World => ({
  name: `drift: days move by ${shift} SD`,
  rowAutocorrelation: 0,
  states: chain(0),
  later: (random, after, pieces) => anyDay(random, after, pieces) + shift,
});

export const WORLDS: readonly World[] = [
  { name: 'independent rows', rowAutocorrelation: 0, states: none, later: () => 0 },
  rows(0.3),
  rows(0.6),
  rows(0.9),
  { ...days(0), name: 'days of their own' },
  days(0.3),
  days(0.6),
  days(0.9),
  {
    name: 'a weekly cycle',
    rowAutocorrelation: 0,
    states: (count, random) => Array.from({ length: count }, (_, day) => weekday(day, random)),
    later: (random, after) => weekday(after, random),
  },
  trend('a trend that has ended', () => 0.5),
  trend('a trend that goes on', (after, pieces) => 0.5 + after / pieces),
  shifted(1),
  shifted(2),
];

export interface DependenceResult {
  /** Windows with any primary test drifted, of WINDOWS: with the reference's own null, and with independent rows. */
  readonly temporal: number;
  readonly iid: number;
  readonly windows: number;
  /** Whether the reference was told to move: a trend of x with p below 0.01 and a change of the minimum effect. */
  readonly trended: boolean;
}

/** One fresh reference of so many pieces of so many rows, and ten windows that it judges. */
export function runDependence(
  world: World,
  pieces: number,
  pieceRows: number,
  seed: number,
): DependenceResult {
  const random = createRandom(seed);
  const states = world.states(pieces, random);
  const list = states.map((state, i) => ({
    window: { startMs: i * DAY_MS, endMs: (i + 1) * DAY_MS },
    profiles: drawPiece(world, state, pieceRows, random),
  }));
  const nullModel = fitNullModel({ grids: GRIDS, pieces: list, pieceMs: DAY_MS });
  const referenceProfiles = GRIDS.map((_, column) =>
    mergeProfiles(list.flatMap(({ profiles }) => profiles[column] ?? [])),
  );
  let temporal = 0;
  let iid = 0;
  for (let after = 0; after < WINDOWS; after++) {
    const window = drawPiece(world, world.later(random, after, pieces), pieceRows, random);
    if (isFlagged(nullModel, referenceProfiles, window)) temporal += 1;
    if (isFlagged(IID, referenceProfiles, window)) iid += 1;
  }
  const trended = movingColumns(nullModel).includes('x');
  return { temporal, iid, windows: WINDOWS, trended };
}

function isFlagged(nullModel: NullModel, referenceProfiles: Profile[], currentProfiles: Profile[]): boolean {
  const candidates = measureColumns(
    {
      model: MODEL,
      reference: {
        model: MODEL.model,
        modelVersion: MODEL.modelVersion,
        hash: 'simulated',
        rows: referenceProfiles[0]?.rows ?? 0,
        period: null,
        provenance: 'simulated',
        createdAtMs: 0,
        nullModel,
        forest: null,
      },
      grids: GRIDS,
      referenceProfiles,
      currentProfiles,
    },
    'primary',
  );
  return decideFamily(candidates, [], LEVEL).adjusted.some((p) => p <= LEVEL);
}

function drawPiece(world: World, state: number, count: number, random: () => number): Profile[] {
  const { rowAutocorrelation: last } = world;
  const rest = Math.sqrt(1 - last ** 2);
  const noise = () => {
    let value = standardNormal(random);
    return () => {
      const now = value;
      value = last * value + rest * standardNormal(random);
      return now;
    };
  };
  const [x, plan] = [noise(), noise()];
  const drawn = {
    x: new Array<number>(2 * CUT_POINTS.length + 1).fill(0),
    plan: new Array<number>(PLANS.length + 2).fill(0),
    prediction: new Array<number>(2 * CUT_POINTS.length + 1).fill(0),
  };
  const add = (counts: number[], cell: number) => {
    counts[cell] = (counts[cell] ?? 0) + 1;
  };
  for (let row = 0; row < count; row++) {
    add(drawn.x, cellOf(state + x()));
    // Quarters of a normal column: categories move as numbers do.
    const value = state + plan();
    add(drawn.plan, value < -0.6745 ? 0 : value < 0 ? 1 : value < 0.6745 ? 2 : 3);
    add(drawn.prediction, cellOf(standardNormal(random)));
  }
  return GRIDS.map(({ feature, kind }) => ({
    feature,
    kind,
    rows: count,
    missing: 0,
    nonFinite: 0,
    mistyped: 0,
    counts: drawn[feature as keyof typeof drawn],
    offsets: [],
    min: null,
    max: null,
  }));
}

/** Between two cut points: no drawn number equals one. */
function cellOf(value: number): number {
  const above = Math.ceil((value + 5) * 12);
  return 2 * Math.max(0, Math.min(CUT_POINTS.length, above));
}
