import {
  type ComparedSide,
  type GroupCount,
  type Grouping,
  NO_GROUP,
  type NumberChunk,
} from '../domain/compared-files.js';
import type { FeatureKind } from '../domain/model.js';
import { cellCount, type Grid, type Profile, quantumFor } from '../domain/profile.js';
import {
  type CellSums,
  createCellCounter,
  cutPointsOf,
  gatherGroups,
  sortedFinite,
} from '../stats/value-cells.js';
import type { CountChunks } from './compare-chunks.js';
import { areTooLong, isCounter, MAX_CATEGORIES, type PlannedColumn } from './compare-columns.js';

/** As in the service's grids, so that both give the same figures. */
const MAX_CUT_POINTS = 1_000;
const MAX_HEAD = 1_000;

/** A profile of which only the cells with rows are listed: one of thousands of windows. */
interface SparseProfile extends Omit<Profile, 'feature' | 'kind' | 'counts' | 'offsets'> {
  readonly cells: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
  readonly offsets: ArrayLike<number>;
}

export interface SideCounts {
  readonly whole: Profile;
  /** The profile of a group, or of no rows. */
  readonly group: (group: number) => Profile;
  readonly groups: readonly number[];
}

export interface CountedColumn {
  readonly id: string;
  readonly grid: Grid;
  readonly reference: SideCounts;
  readonly current: SideCounts;
}

export interface CountInput {
  readonly reference: ComparedSide;
  readonly current: ComparedSide;
  readonly referenceGrouping: Grouping | null;
  readonly currentGrouping: Grouping | null;
  /** Counts the current side where it has no groups. */
  readonly countChunks: CountChunks;
}

/** A column that is read but not yet counted, so that the engine reads the next one meanwhile. */
export type ReadColumn = () => Promise<CountedColumn | { readonly obstacle: string }>;

/** Reads one column of both sides; the counting is left to the returned function. Names the column `id` in its profiles. */
export async function readColumn(input: CountInput, column: PlannedColumn, id: string): Promise<ReadColumn> {
  return column.kind === 'numeric' ? readNumbers(input, column, id) : readCategories(input, column, id);
}

async function readNumbers(input: CountInput, { name }: PlannedColumn, id: string): Promise<ReadColumn> {
  const side = async (from: ComparedSide, grouping: Grouping | null, ascending: boolean) => ({
    chunks: await from.numbers(name, grouping, ascending),
    mistyped: await from.mistyped(name, grouping),
    rows: from.rows,
    grouped: grouping !== null,
  });
  const reference = await side(input.reference, input.referenceGrouping, true);
  const current = await side(input.current, input.currentGrouping, false);
  return async () => {
    const whole = join(reference);
    const sorted = sortedFinite(whole.values);
    const known = input.reference.columns.find((column) => column.name === name);
    if (known !== undefined && isCounter(name, known, sorted))
      return {
        obstacle:
          'every row has its own whole number: a counter or identifier has no distribution to compare',
      };
    if (known !== undefined && areTooLong(known, sorted))
      return {
        obstacle:
          'its whole numbers have more than 15 digits, as identifiers and times in nanoseconds have: if it is an amount, write it with a decimal point',
      };
    const cutPoints = cutPointsOf(sorted, MAX_CUT_POINTS);
    const low = cutPoints[0] ?? 0;
    const grid: NumericGrid = {
      kind: 'numeric',
      feature: id,
      cutPoints,
      quantum: quantumFor(low, cutPoints.at(-1) ?? low),
    };
    return {
      id,
      grid,
      reference: countNumbers(grid, { ...reference, chunks: [whole] }),
      current: current.grouped
        ? countNumbers(grid, current)
        : ungrouped(grid, current, await input.countChunks(grid, current.chunks)),
    };
  };
}

type NumericGrid = Extract<Grid, { kind: 'numeric' }>;

interface NumberSide {
  readonly chunks: Iterable<NumberChunk>;
  readonly mistyped: readonly GroupCount[];
  readonly rows: number;
  readonly grouped: boolean;
}

/** All chunks as one. */
function join({ chunks, rows, grouped }: Pick<NumberSide, 'chunks' | 'rows' | 'grouped'>): NumberChunk {
  const values = new Float64Array(rows);
  const groups = new Uint32Array(grouped ? rows : 0);
  let at = 0;
  for (const chunk of chunks) {
    values.set(chunk.values, at);
    if (grouped) groups.set(chunk.groups, at);
    at += chunk.values.length;
  }
  return { values: values.subarray(0, at), groups: groups.subarray(0, at) };
}

function ungrouped(grid: NumericGrid, { rows, mistyped }: NumberSide, sums: CellSums): SideCounts {
  return sideCounts(grid, profileOf(sums, rows, totalRows(mistyped)), new Map());
}

function countNumbers(grid: NumericGrid, side: NumberSide): SideCounts {
  const counter = createCellCounter(grid.cutPoints, grid.quantum);
  if (!side.grouped) {
    for (const { values } of side.chunks) counter.add(values);
    return ungrouped(grid, side, counter.take());
  }
  const whole = join(side);
  counter.add(whole.values);
  const all = profileOf(counter.take(), side.rows, totalRows(side.mistyped));
  const wrong = new Map(side.mistyped.map(({ group, rows }) => [group, rows]));
  const gathered = gatherGroups(whole.values, whole.groups, NO_GROUP);
  const groups = new Map<number, SparseProfile>();
  for (const [group, { start, end }] of gathered.spans) {
    counter.add(gathered.values, start, end);
    groups.set(group, profileOf(counter.take(), end - start, wrong.get(group) ?? 0));
  }
  return sideCounts(grid, all, groups);
}

function profileOf(sums: CellSums, rows: number, mistyped: number): SparseProfile {
  return { ...sums, rows, missing: sums.missing - mistyped, nonFinite: sums.infinite, mistyped };
}

const totalRows = (counts: readonly GroupCount[]) => counts.reduce((sum, { rows }) => sum + rows, 0);

async function readCategories(input: CountInput, { name }: PlannedColumn, id: string): Promise<ReadColumn> {
  const found = await input.reference.categories(name, MAX_CATEGORIES);
  const categories = found.map(({ value }) => value);
  const present = found.reduce((sum, { rows }) => sum + rows, 0);
  const grid: Grid = {
    kind: 'categorical',
    feature: id,
    categories,
    headSize: Math.min(categories.length, MAX_HEAD),
    // Without it, the new values that rare categories always bring would read as drift.
    singletonShare: present === 0 ? 0 : found.filter(({ rows }) => rows === 1).length / present,
  };
  const side = async (from: ComparedSide, grouping: Grouping | null): Promise<SideCounts> => {
    const rows = await from.categoryCounts(name, categories, grouping);
    const members = new Map<number, typeof rows>();
    for (const row of rows) {
      const known = members.get(row.group);
      if (known === undefined) members.set(row.group, [row]);
      else known.push(row);
    }
    const byGroup = new Map([...members].map(([group, own]) => [group, categoryProfile(grid, own)]));
    if (grouping === null) byGroup.clear();
    byGroup.delete(NO_GROUP);
    return sideCounts(grid, categoryProfile(grid, rows), byGroup);
  };
  const reference = await side(input.reference, input.referenceGrouping);
  const current = await side(input.current, input.currentGrouping);
  return async () => ({ id, grid, reference, current });
}

function categoryProfile(
  grid: Extract<Grid, { kind: 'categorical' }>,
  rows: readonly (GroupCount & { readonly position: number })[],
): SparseProfile {
  const counts = new Map<number, number>();
  let missing = 0;
  let all = 0;
  for (const { position, rows: count } of rows) {
    all += count;
    if (position === NO_GROUP) {
      missing += count;
      continue;
    }
    const cell =
      position < grid.headSize
        ? position
        : position < grid.categories.length
          ? grid.headSize
          : grid.headSize + 1;
    counts.set(cell, (counts.get(cell) ?? 0) + count);
  }
  return {
    rows: all,
    missing,
    nonFinite: 0,
    mistyped: 0,
    min: null,
    max: null,
    cells: [...counts.keys()],
    counts: [...counts.values()],
    offsets: [],
  };
}

const NO_ROWS: SparseProfile = {
  rows: 0,
  missing: 0,
  nonFinite: 0,
  mistyped: 0,
  min: null,
  max: null,
  cells: [],
  counts: [],
  offsets: [],
};

function sideCounts(
  grid: Grid,
  whole: SparseProfile,
  groups: ReadonlyMap<number, SparseProfile>,
): SideCounts {
  return {
    whole: dense(grid, whole),
    group: (group) => dense(grid, groups.get(group) ?? NO_ROWS),
    groups: [...groups.keys()],
  };
}

function dense(grid: Grid, sparse: SparseProfile): Profile {
  const size = cellCount(grid);
  const counts = new Array<number>(size).fill(0);
  const offsets = grid.kind === 'numeric' ? new Array<number>(size).fill(0) : [];
  for (let i = 0; i < sparse.cells.length; i++) {
    const cell = sparse.cells[i] as number;
    counts[cell] = sparse.counts[i] as number;
    if (grid.kind === 'numeric') offsets[cell] = sparse.offsets[i] as number;
  }
  const kind: FeatureKind = grid.kind;
  const { rows, missing, nonFinite, mistyped, min, max } = sparse;
  return { feature: grid.feature, kind, rows, missing, nonFinite, mistyped, counts, offsets, min, max };
}
