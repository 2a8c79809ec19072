import { type ComparedSide, type Grouping, NO_GROUP } from '../domain/compared-files.js';
import { HOUR_MS, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';

const MAX_WINDOWS = 10_000;
const MAX_SEGMENTS = 20;
/** Pieces of the reference that its null model is learned from, at most: spread evenly, as in the store. */
const MAX_PIECES = 400;

/** One window of the current side, or one segment. */
interface PlannedPart {
  readonly group: number;
  readonly name: string;
  readonly window: Window | null;
  readonly rows: number;
  readonly referenceRows: number;
}

export interface PartsPlan {
  readonly kind: 'none' | 'windows' | 'segments';
  /** The column that makes the parts, which is not judged inside of them. */
  readonly partColumn: string | null;
  readonly referenceGrouping: Grouping | null;
  readonly currentGrouping: Grouping | null;
  readonly parts: readonly PlannedPart[];
  /** Window-long pieces of the reference; null where rows are taken as independent. */
  readonly pieces: {
    readonly lengthMs: number;
    readonly windows: readonly { group: number; window: Window }[];
  } | null;
  readonly steps: number;
  readonly notes: readonly string[];
}

function limitWindows(count: number): void {
  if (count > MAX_WINDOWS)
    throw new AppError(
      'invalid_request',
      `${count} windows are too many (at most ${MAX_WINDOWS}): make them longer`,
    );
}

/** Windows of so many rows each, in the order of the file; a last one that is not full counts from half on. */
export function planRowWindows(current: ComparedSide, windowRows: number): PartsPlan {
  const count = Math.floor(current.rows / windowRows + 0.5);
  limitWindows(count);
  const parts = Array.from({ length: count }, (_, group) => {
    const end = Math.min(current.rows, (group + 1) * windowRows);
    return {
      group,
      name: `${group * windowRows + 1}-${end}`,
      window: null,
      rows: end - group * windowRows,
      referenceRows: 0,
    };
  });
  const notes = count === 0 ? [`No window: ${current.rows} rows are less than half of ${windowRows}.`] : [];
  return {
    kind: 'windows',
    partColumn: null,
    referenceGrouping: null,
    currentGrouping: { by: 'rows', windowRows },
    parts,
    pieces: null,
    steps: parts.length,
    notes,
  };
}

/** Windows of time, aligned to the epoch, of those with rows; a first or last one that the data covers by less than half is left out. */
export async function planTimeWindows(
  reference: ComparedSide,
  current: ComparedSide,
  column: string,
  lengthMs: number,
): Promise<PartsPlan> {
  const extent = await current.timeExtent(column);
  if (extent === null)
    throw new AppError(
      'invalid_request',
      `${column} of ${current.files.join(', ')} holds no readable time in 1970–2199: name another column with --time`,
    );
  const grouping: Grouping = { by: 'time', column, lengthMs };
  const rows = (await current.groupRows(grouping)).filter(({ group }) => group !== NO_GROUP);
  limitWindows(rows.length);
  const covered = ({ group }: { group: number }) =>
    Math.min(extent.lastMs + 1, (group + 1) * lengthMs) - Math.max(extent.firstMs, group * lengthMs);
  const parts = rows
    .filter((each) => covered(each) >= lengthMs / 2)
    .map(({ group, rows: count }) => ({
      group,
      name: `${instant(group * lengthMs)}/${instant((group + 1) * lengthMs)}`,
      window: { startMs: group * lengthMs, endMs: (group + 1) * lengthMs },
      rows: count,
      referenceRows: 0,
    }));
  const notes: string[] = [];
  if (extent.timeless > 0)
    notes.push(`${extent.timeless} rows without a readable ${column} are in no window.`);
  if (parts.length === 0) notes.push(`No window: the data covers less than half of one.`);
  const pieces = await piecesOf(reference, column, lengthMs);
  if (pieces === null)
    notes.push(`Rows are taken as independent: the reference has no readable times in ${column}.`);
  return {
    kind: 'windows',
    partColumn: null,
    referenceGrouping: pieces === null ? null : grouping,
    currentGrouping: grouping,
    parts,
    pieces,
    steps: parts.length,
    notes,
  };
}

/** Whole pieces of the reference: half a day differs from a whole one by more than two days do. */
async function piecesOf(
  reference: ComparedSide,
  column: string,
  lengthMs: number,
): Promise<PartsPlan['pieces']> {
  if (
    !reference.columns.some(
      ({ name, content }) => name === column && content !== 'other' && content !== 'empty',
    )
  )
    return null;
  const extent = await reference.timeExtent(column);
  if (extent === null) return null;
  const from = Math.floor(extent.firstMs / HOUR_MS) * HOUR_MS;
  const to = Math.ceil((extent.lastMs + 1) / HOUR_MS) * HOUR_MS;
  const groups = (await reference.groupRows({ by: 'time', column, lengthMs })).map(({ group }) => group);
  const whole = groups.filter(
    (group) => group !== NO_GROUP && group * lengthMs >= from && (group + 1) * lengthMs <= to,
  );
  const step = Math.max(1, whole.length / MAX_PIECES);
  const some = whole.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
  return {
    lengthMs,
    windows: some.map((group) => ({
      group,
      window: { startMs: group * lengthMs, endMs: (group + 1) * lengthMs },
    })),
  };
}

/** The reference's most frequent values of a column, each compared with itself. */
export async function planSegments(
  reference: ComparedSide,
  current: ComparedSide,
  column: string,
): Promise<PartsPlan> {
  const found = await reference.categories(column, MAX_SEGMENTS + 1);
  const values = found.slice(0, MAX_SEGMENTS).map(({ value }) => value);
  if (values.length === 0)
    throw new AppError(
      'invalid_request',
      `${column} has no value in the reference: choose another --segment`,
    );
  const grouping: Grouping = { by: 'value', column, values };
  const rows = new Map((await current.groupRows(grouping)).map(({ group, rows: count }) => [group, count]));
  const parts = values.map((name, group) => ({
    group,
    name,
    window: null,
    rows: rows.get(group) ?? 0,
    referenceRows: found[group]?.rows ?? 0,
  }));
  const outside = [...rows].reduce((sum, [group, count]) => (group < values.length ? sum : sum + count), 0);
  const notes: string[] = [];
  if (found.length > MAX_SEGMENTS)
    notes.push(`Only the ${MAX_SEGMENTS} most frequent values of ${column} in the reference are segments.`);
  if (outside > 0) notes.push(`${outside} current rows are in no segment of ${column}.`);
  return {
    kind: 'segments',
    partColumn: column,
    referenceGrouping: grouping,
    currentGrouping: grouping,
    parts,
    pieces: null,
    steps: parts.length,
    notes,
  };
}

/** `2013-03-01T00:00Z` */
function instant(ms: number): string {
  const text = new Date(ms).toISOString();
  return ms % 60_000 === 0 ? `${text.slice(0, 16)}Z` : text;
}
