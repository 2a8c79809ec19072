import { normalSf } from './special.js';

/** The cell whose share moved most: its index, and by how much, in [0, 1]. The first one of several. */
export function largestShareChange(
  reference: readonly number[],
  current: readonly number[],
  sizes: { readonly referenceRows: number; readonly currentRows: number },
): { cell: number; change: number } {
  let cell = 0;
  let change = 0;
  for (let i = 0; i < reference.length; i++) {
    const here = Math.abs(
      (current[i] as number) / sizes.currentRows - (reference[i] as number) / sizes.referenceRows,
    );
    if (here > change) {
      cell = i;
      change = here;
    }
  }
  return { cell, change };
}

interface Group {
  /** Rows of both samples in a cell of this group, at most. */
  readonly count: number;
  readonly cells: number;
}

/** So many of the largest cells are taken as they are; the others count as large as the largest that shares their step. */
const EXACT_CELLS = 16;
const STEPS_PER_OCTAVE = 4;

/**
 * P-values of the largest share change under independent rows: the sum over cells of each one's chance to move so far,
 * given the margins (Bonferroni's bound, which is tight in the tail). A cell's chance is Φ of the signed root of the 2×2
 * table's likelihood ratio, half a row towards the centre: within a fifth of Fisher's where a row or more is expected, and at most
 * thrice too large in thinner cells.
 *
 * @param totals counts of both samples by cell; empty cells may be in it
 */
export function createShareChangeTail(
  totals: readonly number[],
  n: number,
  m: number,
): (change: number) => number {
  const groups = groupsOf(totals);
  const cells = groups.reduce((sum, group) => sum + group.cells, 0);
  return (change) => {
    if (change <= 0) return 1;
    let sum = 0;
    let left = cells;
    for (const { count, cells: alike } of groups) {
      const each = cellTail(count, change, n, m);
      // Larger cells come first and move more easily: the rest adds at most this.
      if (each * left <= sum * 1e-4) return Math.min(1, sum + each * left);
      sum += alike * each;
      left -= alike;
      if (sum >= 1) return 1;
    }
    return sum;
  };
}

function groupsOf(totals: readonly number[]): Group[] {
  const sorted = new Float64Array(totals).sort().reverse();
  const groups: { count: number; cells: number }[] = [];
  let step = Number.NaN;
  sorted.forEach((count, i) => {
    if (count === 0) return;
    const own = Math.floor(Math.log2(count) * STEPS_PER_OCTAVE);
    const last = groups.at(-1);
    if (last !== undefined && (last.count === count || (i >= EXACT_CELLS && own === step))) last.cells++;
    else groups.push({ count, cells: 1 });
    step = own;
  });
  return groups;
}

/** Chance that a cell with `count` of all n + m rows has its shares differ by `change` or more, either way. */
function cellTail(count: number, change: number, n: number, m: number): number {
  const expected = (count * n) / (n + m);
  const distance = (change * n * m) / (n + m);
  const slack = 1e-9 * (1 + distance);
  const upper = expected + distance;
  const lower = expected - distance;
  let tail = 0;
  if (upper <= Math.min(count, n) + slack)
    tail += rootTail(1, Math.min(upper, count, n) - 0.5, expected, count, n, m);
  if (lower >= Math.max(0, count - m) - slack)
    tail += rootTail(-1, Math.max(lower, 0, count - m) + 0.5, expected, count, n, m);
  return Math.min(1, tail);
}

/** Tail beyond `hits` in the given direction; above a half where `hits` lie on the other side of the centre. */
function rootTail(
  direction: 1 | -1,
  hits: number,
  expected: number,
  count: number,
  n: number,
  m: number,
): number {
  const deviance =
    part(hits, expected) +
    part(n - hits, n - expected) +
    part(count - hits, count - expected) +
    part(m - count + hits, m - count + expected);
  const root = Math.sqrt(Math.max(0, 2 * deviance));
  return normalSf(direction * (hits - expected) > 0 ? root : -root);
}

function part(observed: number, expected: number): number {
  return observed <= 0 || expected <= 0 ? 0 : observed * Math.log(observed / expected);
}

/** Nodes of the integral below; the change's root mean square has three good digits from here on. */
const NODES = 48;

/** E[change²] under independent rows, from the tail: ∫ 2x·P(x) dx. */
export function meanSquaredChange(
  tailOf: (change: number) => number,
  totals: readonly number[],
  n: number,
  m: number,
): number {
  const all = n + m;
  const spread = Math.sqrt(
    Math.max(...totals.map((count) => (count / all) * (1 - count / all)), 1 / all) * (all / (n * m)),
  );
  const step = Math.min(1, 7 * spread) / NODES;
  let sum = 0;
  for (let i = 1; i <= NODES; i++) sum += 2 * i * step * tailOf(i * step) * step;
  return sum;
}
