import type { PredictionRow } from '../domain/prediction.js';
import type { StoreClient } from './client.js';
import { chunksOf, createRemoval, literal } from './removal.js';

/** Until then collectors in other processes have read what is refused, and stored the labels that they took before. */
const SETTLED_MS = 30_000;
/** Ids in one statement. */
const IDS_PER_STATEMENT = 5_000;

interface Refused {
  readonly model: string;
  readonly predictionId: string;
  readonly atMs: number;
}

/**
 * Labels that were stored before their predictions came and were refused: they name no subject, and no erasure would find them. Those of rows
 * that are stored stay: they are of somebody else who shares the id.
 */
export function createRefusedLabels(client: StoreClient, wallClock: () => number) {
  const removal = createRemoval(client);
  let waiting: Refused[] = [];
  let removing: Promise<number> | null = null;

  /** What could not be removed waits for the next time. */
  async function removeSettled(): Promise<number> {
    const erased: Record<string, number> = {};
    const untilMs = wallClock() - SETTLED_MS;
    const settled = new Map<string, Refused[]>();
    for (const row of waiting) {
      if (row.atMs > untilMs) continue;
      const ofModel = settled.get(row.model) ?? [];
      ofModel.push(row);
      settled.set(row.model, ofModel);
    }
    try {
      for (const [model, rows] of settled)
        for (const part of chunksOf(rows, IDS_PER_STATEMENT)) {
          const ids = [...new Set(part.map(({ predictionId }) => literal(predictionId)))];
          const theirs = `model = {model:String} AND prediction_id IN (${ids.join(', ')})`;
          const stored = `SELECT prediction_id, row_index FROM predictions WHERE ${theirs}`;
          const where = `${theirs} AND (prediction_id, row_index) NOT IN (${stored})`;
          await removal.remove({ table: 'labels', where, params: { model } }, erased);
          const done = new Set(part);
          waiting = waiting.filter((row) => !done.has(row));
        }
    } finally {
      await removal.forget();
    }
    return erased.labels ?? 0;
  }

  return {
    add(rows: readonly Pick<PredictionRow, 'model' | 'predictionId'>[]): void {
      const atMs = wallClock();
      // One by one: a list of a batch's rows may be too long for arguments.
      for (const { model, predictionId } of rows) waiting.push({ model, predictionId, atMs });
    },

    /** Removes those whose time has come; one removal at a time. Returns how many there were. Throws store_unavailable. */
    remove(): Promise<number> {
      removing ??= removeSettled().finally(() => {
        removing = null;
      });
      return removing;
    },
  };
}
