import { setImmediate as nextTurn } from 'node:timers/promises';
import { createTurns, type ErasedRows } from '../domain/erasure.js';
import type { RowBatch } from '../domain/ports.js';
import type { PredictionRow, RejectedRow } from '../domain/prediction.js';
import { tallyOf } from '../domain/row-list.js';

/** Positions, by list of a batch, of rows that were erased and came again. */
export interface ErasedPositions {
  readonly predictions: ReadonlySet<number>;
  readonly labels: ReadonlySet<number>;
  readonly rejected: ReadonlySet<number>;
}

const NONE: ReadonlySet<number> = new Set();
export const NOTHING_ERASED: ErasedPositions = { predictions: NONE, labels: NONE, rejected: NONE };

async function positionsOf<Row>(rows: Iterable<Row>, isErased: (row: Row) => boolean): Promise<Set<number>> {
  const found = new Set<number>();
  const turns = createTurns();
  let index = 0;
  for (const row of rows) {
    if (isErased(row)) found.add(index);
    index += 1;
    if (turns.isDue(0)) await nextTurn();
  }
  return found;
}

/** What is said of the message of each row, in their order. */
async function answersOf<Row extends { readonly payload: string }, Answer>(
  rows: Iterable<Row>,
  look: (row: Row) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const turns = createTurns();
  for (const row of rows) {
    answers.push(await look(row));
    if (turns.isDue(row.payload.length)) await nextTurn();
  }
  return answers;
}

const positionsIn = (answers: readonly unknown[]): ReadonlySet<number> =>
  new Set(answers.flatMap((answer, index) => (answer === true ? [index] : [])));

/** It may hold what was erased: who sent it can send it again in smaller ones. */
const withheld = (row: RejectedRow): RejectedRow => ({
  ...row,
  payload: '',
  detail: `${row.detail}; the message is not kept, as it has more values than are looked through for what was erased (docs/privacy.md)`,
});

/**
 * The batch without what was erased, and where that stood. The batch itself where nothing of its models was. Predictions that are refused by
 * their subject are given to `refuse` before labels are looked at: these name no subject. Rows that share their id, as those of one call do,
 * are refused together, as an erasure removes them together: their labels have nothing else that tells them apart.
 */
export async function withoutErased(
  batch: RowBatch,
  erased: ErasedRows,
  refuse: ErasedRows['refuse'] = erased.refuse,
): Promise<{ readonly batch: RowBatch; readonly positions: ErasedPositions }> {
  const { halves = [] } = batch;
  const ofSubjects: Pick<PredictionRow, 'model' | 'predictionId'>[] = [];
  const isErased = (row: PredictionRow) => {
    if (!erased.prediction(row)) return false;
    if (erased.bySubjectAlone(row)) ofSubjects.push({ model: row.model, predictionId: row.predictionId });
    return true;
  };
  const predictions = erased.concerns(tallyOf(batch.predictions).versions())
    ? await positionsOf(batch.predictions, isErased)
    : new Set<number>();
  if (ofSubjects.length > 0) {
    await refuse(ofSubjects);
    const ids = new Set(ofSubjects.map(keyOf));
    for (const index of await positionsOf(batch.predictions, (row) => ids.has(keyOf(row))))
      predictions.add(index);
  }
  const labels = await positionsOf(batch.labels, erased.label);
  const ofRejected = await answersOf(batch.rejected, erased.rejected);
  const positions = { predictions, labels, rejected: positionsIn(ofRejected) };
  const goneHalves = positionsIn(await answersOf(halves, erased.half));
  const rejected = batch.rejected.map((row, index) =>
    ofRejected[index] === 'unknown' ? withheld(row) : row,
  );
  const without = <Row>(rows: Iterable<Row>, gone: ReadonlySet<number>) =>
    [...rows].filter((_, index) => !gone.has(index));
  return {
    positions,
    batch: {
      ...batch,
      // The list itself when nothing is taken out: the store knows it again by that.
      predictions:
        positions.predictions.size === 0
          ? batch.predictions
          : without(batch.predictions, positions.predictions),
      labels: positions.labels.size === 0 ? batch.labels : without(batch.labels, positions.labels),
      rejected: without(rejected, positions.rejected),
      halves: without(halves, goneHalves),
    },
  };
}

const keyOf = ({ model, predictionId }: Pick<PredictionRow, 'model' | 'predictionId'>) =>
  JSON.stringify([model, predictionId]);

/** Positions in a list without some rows, as positions in the list with them. */
export function placedBack(positions: ReadonlySet<number>, gone: ReadonlySet<number>): ReadonlySet<number> {
  if (gone.size === 0 || positions.size === 0) return positions;
  const placed = new Set<number>();
  let shorter = 0;
  for (let index = 0; placed.size < positions.size; index += 1) {
    if (gone.has(index)) continue;
    if (positions.has(shorter)) placed.add(index);
    shorter += 1;
  }
  return placed;
}
