import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { fitNullModel, LEAST_PIECES } from '../detectors/null-model.js';
import type { ComparedSide, FileComparer } from '../domain/compared-files.js';
import type { ComparedPart, Comparison } from '../domain/comparison.js';
import type { NullModel } from '../domain/reference.js';
import { columnOfRole } from '../domain/reference-columns.js';
import { AppError } from '../errors.js';
import { type CountInThread, createChunkCounter } from './compare-chunks.js';
import { type PlannedColumn, planColumns } from './compare-columns.js';
import { type CountInput, type ReadColumn, readColumn } from './compare-counts.js';
import { IID, type JudgedColumn, judgeColumns } from './compare-judge.js';
import { type PartsPlan, planRowWindows, planSegments, planTimeWindows } from './compare-parts.js';
import { compareTogether, explainTogether } from './compare-together.js';
import { datasetOf } from './comparison.js';

export interface CompareRequest {
  /** Files or patterns, one side each. */
  readonly reference: readonly string[];
  readonly current: readonly string[];
  /** Probability that a drift-free window has any column drifted. */
  readonly level: number;
  /** Left out of the comparison; windows follow it. */
  readonly timeColumn: string | null;
  /** Whether rows are also compared by how their columns go together. */
  readonly together?: boolean;
  readonly parts:
    | null
    | { readonly by: 'rows'; readonly windowRows: number }
    | { readonly by: 'time'; readonly lengthMs: number }
    | { readonly by: 'segment'; readonly column: string };
}

export interface CompareDeps {
  readonly files: FileComparer;
  readonly countInThread: CountInThread;
  readonly onProgress: (done: number, total: number, note: string) => void;
}

/**
 * Compares the rows of two sides, column by column. Throws AppError `file_unreadable` for files that cannot be read, `invalid_request`
 * for a time or segment column that is not there. What cannot be compared is `undecided` with a reason in its explanation.
 */
export async function compareFiles(
  { files, countInThread, onProgress }: CompareDeps,
  request: CompareRequest,
): Promise<Comparison> {
  onProgress(0, 1, 'opening');
  const reference = await files.open(request.reference);
  const hashing = hashOf(reference.files);
  // Waited for below; what goes wrong before that is told first.
  hashing.catch(() => undefined);
  const current = await files.open(request.current);
  if (request.timeColumn !== null) requireColumn([current], request.timeColumn);
  const timeColumn = request.timeColumn ?? likelyTimeColumn([reference, current]);
  const planned = await planColumns(reference, current, timeColumn);
  const plan = await partsPlan(reference, current, request);
  const input: CountInput = {
    reference,
    current,
    referenceGrouping: plan.referenceGrouping,
    currentGrouping: plan.currentGrouping,
    countChunks: createChunkCounter(countInThread, current.rows),
  };
  const columns = await countColumns(input, planned, plan.steps, onProgress);
  const notes = [...plan.notes];
  if (timeColumn !== request.timeColumn)
    notes.push(`${timeColumn} is taken for the rows' time and not compared.`);
  const nullModel = plan.pieces === null ? IID : nullModelOf(columns, plan.pieces, notes);
  const hash = await hashing;
  const judge = { columns, referenceHash: hash, level: request.level };
  const found = request.together === true ? await compareTogether({ reference, current, ...judge }) : null;
  const { columns: whole, extra } = judgeColumns({
    ...judge,
    extra: found === null ? [] : [found],
    nullModel: IID,
    referenceOf: (column) => column.reference.whole,
    currentOf: (column) => column.current.whole,
  });
  const [verdict] = extra;
  const together = verdict === undefined ? null : { verdict, explanation: explainTogether(verdict) };
  const parts: ComparedPart[] = [];
  for (const [index, part] of plan.parts.entries()) {
    if (index % 20 === 0) await nextTurn();
    onProgress(planned.length + index, planned.length + plan.steps, part.name);
    const bySegment = plan.kind === 'segments';
    parts.push({
      name: part.name,
      window: part.window,
      rows: part.rows,
      referenceRows: bySegment ? part.referenceRows : reference.rows,
      columns: judgeColumns({
        ...judge,
        nullModel: bySegment ? IID : nullModel,
        level: bySegment ? request.level / plan.parts.length : request.level,
        columns: columns.filter((column) => column.name !== plan.partColumn),
        referenceOf: (column) => (bySegment ? column.reference.group(part.group) : column.reference.whole),
        currentOf: (column) => column.current.group(part.group),
      }).columns,
    });
  }
  onProgress(planned.length + plan.steps, planned.length + plan.steps, 'done');
  return {
    reference: { files: reference.files, rows: reference.rows, hash },
    current: { files: current.files, rows: current.rows },
    level: request.level,
    columns: whole,
    dataset: datasetOf(whole, together),
    together,
    windows: plan.kind === 'windows' ? { null: nullModel.kind, parts } : null,
    segments:
      plan.kind === 'segments' && plan.partColumn !== null ? { column: plan.partColumn, parts } : null,
    notes,
  };
}

/** A column of times by one of the usual names on every side that has it. */
function likelyTimeColumn(sides: readonly ComparedSide[]): string | null {
  const columns = sides.flatMap((side) => side.columns);
  const name = columnOfRole('timestamp', new Set(columns.map((column) => column.name)));
  const own = columns.filter((column) => column.name === name);
  return name !== undefined && own.every((column) => column.content === 'time') ? name : null;
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

function requireColumn(sides: readonly ComparedSide[], column: string): void {
  for (const side of sides)
    if (!side.columns.some(({ name }) => name === column))
      throw new AppError(
        'invalid_request',
        `${side.files.join(', ')} has no column ${column}: choose one of ${side.columns.map(({ name }) => name).join(', ')}`,
      );
}

const NO_PARTS: PartsPlan = {
  kind: 'none',
  partColumn: null,
  referenceGrouping: null,
  currentGrouping: null,
  parts: [],
  pieces: null,
  steps: 0,
  notes: [],
};

async function partsPlan(
  reference: ComparedSide,
  current: ComparedSide,
  { parts, timeColumn }: CompareRequest,
): Promise<PartsPlan> {
  if (parts === null) return NO_PARTS;
  if (parts.by === 'rows') return planRowWindows(current, parts.windowRows);
  if (parts.by === 'segment') {
    requireColumn([reference, current], parts.column);
    return planSegments(reference, current, parts.column);
  }
  if (timeColumn === null) throw new TypeError('windows of time need a time column');
  return planTimeWindows(reference, current, timeColumn, parts.lengthMs);
}

async function countColumns(
  input: CountInput,
  planned: Awaited<ReturnType<typeof planColumns>>,
  steps: number,
  onProgress: CompareDeps['onProgress'],
): Promise<JudgedColumn[]> {
  const counted: Promise<JudgedColumn>[] = [];
  const read = (index: number): Promise<ReadColumn | null> => {
    const column = planned[index];
    if (column === undefined || column.obstacle !== null) return Promise.resolve(null);
    return readColumn(input, column, `c${index}`);
  };
  let next = read(0);
  for (const [index, column] of planned.entries()) {
    onProgress(index, planned.length + steps, column.name);
    const found = await next;
    // The engine reads the next column while this one and the one before are counted.
    next = read(index + 1);
    next.catch(() => undefined);
    const counting = found === null ? Promise.resolve(null) : found();
    const judged = counting.then((outcome) => judgedColumn(column, outcome));
    judged.catch(() => undefined);
    counted.push(judged);
    await counted[index - 1];
  }
  return Promise.all(counted);
}

function judgedColumn(column: PlannedColumn, outcome: Awaited<ReturnType<ReadColumn>> | null): JudgedColumn {
  if (outcome !== null && 'obstacle' in outcome)
    return { ...column, kind: 'identifier', obstacle: outcome.obstacle, counted: null };
  return { ...column, counted: outcome };
}

function nullModelOf(
  columns: readonly JudgedColumn[],
  pieces: NonNullable<PartsPlan['pieces']>,
  notes: string[],
): NullModel {
  const counted = columns.flatMap(({ counted: own }) => (own === null ? [] : [own]));
  const model = fitNullModel({
    grids: counted.map(({ grid }) => grid),
    pieces: pieces.windows.map(({ group, window }) => ({
      window,
      profiles: counted.map((column) => column.reference.group(group)),
    })),
    pieceMs: pieces.lengthMs,
  });
  if (model.kind === 'iid')
    notes.push(
      `Rows are taken as independent: the reference has ${pieces.windows.length} whole windows' worth of time, and ${LEAST_PIECES} are needed to learn how much its windows differ by themselves.`,
    );
  return model;
}

/** Bytes. */
const HASHED_AT_ONCE = 1_048_576;

/** SHA-256 of the reference's content: of the file, or of its files' hashes in order. */
async function hashOf(paths: readonly string[]): Promise<string> {
  const hashes: string[] = [];
  for (const path of paths) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path, { highWaterMark: HASHED_AT_ONCE }), hash);
    hashes.push(hash.digest('hex'));
  }
  const [only] = hashes;
  if (hashes.length === 1 && only !== undefined) return only;
  return createHash('sha256').update(hashes.join('\n')).digest('hex');
}
