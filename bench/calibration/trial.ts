import { judgeWindow } from '../../src/detectors/judge-window.js';
import { COLUMN_DETECTORS } from '../../src/detectors/registry.js';
import type { ModelVersion } from '../../src/domain/model.js';
import type { Grid, Profile } from '../../src/domain/profile.js';
import type { Reference } from '../../src/domain/reference.js';
import { createRandom } from '../../src/stats/random.js';
import { COLUMNS } from './columns.js';
import { createCounter, drawColumn, drawPartner, gridOf, UNTOUCHED } from './counting.js';
import { SCENARIOS, type Scenario } from './scenarios.js';

export const LEVEL = 0.05;
export const WINDOW_ROWS = [50, 200, 1_000, 5_000, 100_000] as const;
/** Planted drifts are looked for in windows of up to this many rows. */
const MOST_PLANTED_ROWS = 5_000;

const MODEL: ModelVersion = {
  model: 'calibration',
  modelVersion: '1',
  schema: {
    task: 'regression',
    features: COLUMNS.filter((column) => column.name !== 'prediction').map(({ name, kind }) => ({
      name,
      kind,
    })),
  },
  registeredAtMs: 0,
};
/** Only these flag; the others would only take time. */
const PRIMARY = COLUMN_DETECTORS.filter((detector) => detector.role === 'primary');
const WINDOW = { startMs: 0, endMs: 3_600_000 };

/** One judged window. */
export interface WindowResult {
  readonly scenario: string;
  readonly rows: number;
  /** Any primary verdict is drifted, and any is drifted and material. */
  readonly flagged: boolean;
  readonly material: boolean;
  /** A primary verdict on a column that the drift was planted in is drifted. */
  readonly caught: boolean;
  /** `column.detector` of the drifted primary verdicts. */
  readonly flags: readonly string[];
}

interface Counted {
  readonly grids: readonly Grid[];
  readonly counters: readonly ((values: Float64Array) => Profile)[];
  readonly profiles: readonly Profile[];
}

/**
 * One repetition: a fresh reference, a drift-free window of every size, and every planted drift at every size up to 5,000 rows.
 * The columns that a scenario leaves alone are those of the drift-free window of the same size, which is independent of the
 * reference and of the planted columns: rates stay what they are, and far fewer rows have to be drawn.
 */
export function runTrial(seed: number, referenceRows: number, windowRows: readonly number[]): WindowResult[] {
  const random = createRandom(seed);
  const reference = countReference(referenceRows, random);
  const results: WindowResult[] = [];
  for (const rows of windowRows) {
    const clean = drawProfiles(reference, rows, random);
    results.push(judge(reference, referenceRows, clean, 'none', rows, new Set()));
    if (rows > MOST_PLANTED_ROWS) continue;
    for (const scenario of SCENARIOS)
      results.push(plant(reference, referenceRows, clean, scenario, rows, random));
  }
  return results;
}

function countReference(rows: number, random: () => number): Counted {
  const values = drawAll(rows, random);
  const grids = COLUMNS.map((column, i) => gridOf(column, values[i] ?? new Float64Array()));
  const counters = grids.map(createCounter);
  return { grids, counters, profiles: profilesOf(counters, values) };
}

function drawProfiles({ counters }: Counted, rows: number, random: () => number): Profile[] {
  return profilesOf(counters, drawAll(rows, random));
}

function profilesOf(counters: Counted['counters'], values: readonly Float64Array[]): Profile[] {
  return counters.map((count, i) => count(values[i] ?? new Float64Array()));
}

function drawAll(rows: number, random: () => number): Float64Array[] {
  const values = COLUMNS.map((column) => drawColumn(column, rows, random, UNTOUCHED));
  const [first] = values;
  if (first !== undefined) values[1] = drawPartner(first, 1, random);
  return values;
}

function plant(
  reference: Counted,
  referenceRows: number,
  clean: readonly Profile[],
  scenario: Scenario,
  rows: number,
  random: () => number,
): WindowResult {
  const planted = scenario.plant(random);
  const profiles = [...clean];
  const change = (index: number, values: Float64Array) => {
    const count = reference.counters[index];
    if (count !== undefined) profiles[index] = count(values);
  };
  for (const [index, how] of planted) {
    const column = COLUMNS[index];
    if (column !== undefined) change(index, drawColumn(column, rows, random, how));
  }
  if (scenario.flipsCorrelation) {
    const [column] = COLUMNS;
    const first = drawColumn(column as (typeof COLUMNS)[number], rows, random, UNTOUCHED);
    change(0, first);
    change(1, drawPartner(first, -1, random));
  }
  const names = scenario.flipsCorrelation ? [0, 1] : [...planted.keys()];
  const columns = new Set(names.map((index) => COLUMNS[index]?.name ?? ''));
  return judge(reference, referenceRows, profiles, scenario.name, rows, columns);
}

function judge(
  { grids, profiles }: Counted,
  referenceRows: number,
  current: readonly Profile[],
  scenario: string,
  rows: number,
  columns: ReadonlySet<string>,
): WindowResult {
  const { verdicts } = judgeWindow({
    model: MODEL,
    window: WINDOW,
    reference: referenceOf(referenceRows),
    grids,
    referenceProfiles: profiles,
    currentProfiles: current,
    level: LEVEL,
    detectors: PRIMARY,
  });
  const drifted = verdicts.filter((v) => v.role === 'primary' && v.status === 'drifted');
  return {
    scenario,
    rows,
    flagged: drifted.length > 0,
    material: drifted.some((v) => v.material),
    caught: drifted.some((v) => columns.has(v.feature)),
    flags: drifted.map((v) => `${v.feature}.${v.detector}`),
  };
}

function referenceOf(rows: number): Reference {
  return {
    model: MODEL.model,
    modelVersion: MODEL.modelVersion,
    hash: 'calibration',
    rows,
    period: null,
    provenance: 'simulated',
    createdAtMs: 0,
    nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
    forest: null,
  };
}
