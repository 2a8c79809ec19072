import type { Bar, Distribution } from '../domain/distribution.js';
import { cellCount, type Grid, type Profile } from '../domain/profile.js';

const BAR_COUNT = 30;
const TOP_CATEGORIES = 12;
/** The drawn range leaves out at most this share of each side at each end. */
const TAIL = 0.002;

interface Piece {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Below the first cut point or above the last one. */
  readonly outer: boolean;
}

/** The cells of a profile with rows in them, as intervals; outer cells end at the profile's extremes. */
function pieces(cutPoints: readonly number[], profile: Profile): Piece[] {
  const found: Piece[] = [];
  for (const [cell, count] of profile.counts.entries()) {
    if (count <= 0) continue;
    const index = cell >> 1;
    if (cell % 2 === 1) {
      const at = cutPoints[index] ?? 0;
      found.push({ low: at, high: at, count, outer: false });
      continue;
    }
    const low = cutPoints[index - 1] ?? profile.min ?? cutPoints[index] ?? 0;
    const high = cutPoints[index] ?? profile.max ?? low;
    const outer = index === 0 || index === cutPoints.length;
    found.push({ low: Math.min(low, high), high: Math.max(low, high), count, outer });
  }
  return found;
}

function total(parts: readonly Piece[]): number {
  return parts.reduce((sum, piece) => sum + piece.count, 0);
}

/** The value below which `share` of the finite rows lie, linear inside a cell; null without finite rows. */
export function quantile(grid: Grid, profile: Profile, share: number): number | null {
  if (grid.kind !== 'numeric') return null;
  const parts = pieces(grid.cutPoints, profile);
  let left = share * total(parts);
  for (const piece of parts) {
    if (left <= piece.count) return piece.low + (piece.high - piece.low) * (left / piece.count);
    left -= piece.count;
  }
  return parts.at(-1)?.high ?? null;
}

/** Adds the pieces' counts to equal bars over [low, high]; what lies outside goes to the outermost bars. */
function spread(parts: readonly Piece[], low: number, high: number, barCount: number): number[] {
  const counts = new Array<number>(barCount).fill(0);
  const width = (high - low) / barCount;
  const barOf = (value: number) => Math.min(barCount - 1, Math.max(0, Math.floor((value - low) / width)));
  const add = (bar: number, count: number) => {
    counts[bar] = (counts[bar] ?? 0) + count;
  };
  for (const piece of parts) {
    const first = barOf(piece.low);
    const last = barOf(piece.high);
    const length = piece.high - piece.low;
    if (first === last || length <= 0) {
      add(first, piece.count);
      continue;
    }
    for (let bar = first; bar <= last; bar++) {
      const from = bar === first ? piece.low : low + bar * width;
      const to = bar === last ? piece.high : low + (bar + 1) * width;
      add(bar, piece.count * Math.max(0, (to - from) / length));
    }
  }
  return counts;
}

function share(count: number, rows: number): number | null {
  return rows > 0 ? count / rows : null;
}

function numericBars(
  cutPoints: readonly number[],
  reference: Profile | null,
  current: Profile | null,
): { bars: Bar[]; clipped: boolean } {
  const sides = [reference, current].map((profile) => (profile === null ? [] : pieces(cutPoints, profile)));
  const [referenceParts = [], currentParts = []] = sides;
  const all = [...referenceParts, ...currentParts];
  if (all.length === 0) return { bars: [], clipped: false };
  const values = [...new Set(all.flatMap((piece) => [piece.low, piece.high]))].sort((a, b) => a - b);
  const bar = (low: number, high: number, left: number, right: number): Bar => ({
    label: '',
    low,
    high,
    role: 'value',
    reference: share(left, reference?.rows ?? 0),
    current: share(right, current?.rows ?? 0),
  });
  if (values.length <= BAR_COUNT && all.every((piece) => piece.low === piece.high)) {
    const countAt = (parts: readonly Piece[], at: number) =>
      parts.reduce((sum, piece) => sum + (piece.low === at ? piece.count : 0), 0);
    return {
      bars: values.map((at) => bar(at, at, countAt(referenceParts, at), countAt(currentParts, at))),
      clipped: false,
    };
  }
  const grid: Grid = { kind: 'numeric', feature: '', cutPoints, quantum: 1 };
  const known = [reference, current].filter((profile) => profile !== null);
  const ends = (at: number) =>
    known.map((profile) => quantile(grid, profile, at)).filter((value) => value !== null);
  let low = Math.min(...ends(TAIL));
  let high = Math.max(...ends(1 - TAIL));
  if (!(high > low)) [low, high] = [values[0] ?? 0, values.at(-1) ?? 0];
  if (!(high - low > 0) || !Number.isFinite(high - low)) {
    return { bars: [bar(low, high, total(referenceParts), total(currentParts))], clipped: false };
  }
  const left = spread(referenceParts, low, high, BAR_COUNT);
  const right = spread(currentParts, low, high, BAR_COUNT);
  const outer = (parts: readonly Piece[]) =>
    spread(
      parts.filter((piece) => piece.outer && piece.low < piece.high),
      low,
      high,
      BAR_COUNT,
    );
  const [leftBeyond, rightBeyond] = [outer(referenceParts), outer(currentParts)];
  const width = (high - low) / BAR_COUNT;
  const bars = left.map((count, index): Bar => {
    const drawn = bar(low + index * width, low + (index + 1) * width, count, right[index] ?? 0);
    const beyond = {
      reference: share(leftBeyond[index] ?? 0, reference?.rows ?? 0) ?? 0,
      current: share(rightBeyond[index] ?? 0, current?.rows ?? 0) ?? 0,
    };
    return beyond.reference > 0 || beyond.current > 0 ? { ...drawn, beyond } : drawn;
  });
  return { bars, clipped: (values[0] ?? low) < low || (values.at(-1) ?? high) > high };
}

function categoricalBars(
  grid: Extract<Grid, { kind: 'categorical' }>,
  reference: Profile | null,
  current: Profile | null,
): Bar[] {
  const countOf = (profile: Profile | null, cell: number) => profile?.counts[cell] ?? 0;
  const shares = (left: number, right: number) => ({
    reference: share(left, reference?.rows ?? 0),
    current: share(right, current?.rows ?? 0),
  });
  const special = (label: string, role: Bar['role'], left: number, right: number): Bar => ({
    label,
    low: 0,
    high: 0,
    role,
    ...shares(left, right),
  });
  const heads = Array.from({ length: grid.headSize }, (_, cell) => ({
    cell,
    ...shares(countOf(reference, cell), countOf(current, cell)),
  })).sort(
    (a, b) =>
      Math.max(b.reference ?? 0, b.current ?? 0) - Math.max(a.reference ?? 0, a.current ?? 0) ||
      a.cell - b.cell,
  );
  const shown = heads.slice(0, TOP_CATEGORIES);
  const rest = heads.slice(TOP_CATEGORIES).map((head) => head.cell);
  const sum = (profile: Profile | null) =>
    rest.reduce((count, cell) => count + countOf(profile, cell), countOf(profile, grid.headSize));
  const others = grid.categories.length - shown.length;
  const bars = shown.map((head) => special(grid.categories[head.cell] ?? '', 'value', 0, 0));
  const drawn = bars.map((bar, index) => ({
    ...bar,
    reference: shown[index]?.reference ?? null,
    current: shown[index]?.current ?? null,
  }));
  if (others > 0)
    drawn.push(special(`${others.toLocaleString('en-US')} others`, 'other', sum(reference), sum(current)));
  const unseen = grid.headSize + 1;
  drawn.push(special('unseen', 'unseen', countOf(reference, unseen), countOf(current, unseen)));
  drawn.push(special('missing', 'missing', reference?.missing ?? 0, current?.missing ?? 0));
  return drawn;
}

/** Reference and current shares over the same bars. Profiles must be counts on `grid`; throws RangeError otherwise. */
export function rebin(grid: Grid, reference: Profile | null, current: Profile | null): Distribution {
  for (const profile of [reference, current]) {
    if (profile !== null && profile.counts.length !== cellCount(grid))
      throw new RangeError(
        `profile of ${profile.feature} has ${profile.counts.length} cells, its grid ${cellCount(grid)}: recount it on this grid`,
      );
  }
  const numeric = grid.kind === 'numeric' ? numericBars(grid.cutPoints, reference, current) : null;
  const bars =
    numeric?.bars ?? (grid.kind === 'categorical' ? categoricalBars(grid, reference, current) : []);
  return {
    kind: grid.kind,
    feature: grid.feature,
    referenceRows: reference?.rows ?? 0,
    currentRows: current?.rows ?? 0,
    bars,
    missing: {
      reference: share(reference?.missing ?? 0, reference?.rows ?? 0),
      current: share(current?.missing ?? 0, current?.rows ?? 0),
    },
    clipped: numeric?.clipped ?? false,
  };
}
