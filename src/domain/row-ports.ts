import type { CallHalf, LabelRow, RejectedRow } from './prediction.js';
import type { GrowingPredictions, PredictionList } from './row-list.js';

/** Rows of one batch. The token names the batch: the same token inserts nothing twice. */
export interface RowBatch {
  readonly predictions: PredictionList;
  readonly labels: readonly LabelRow[];
  readonly rejected: readonly RejectedRow[];
  /** None when left out. */
  readonly halves?: readonly CallHalf[];
  readonly token: string;
}

export interface RowStore {
  /** An empty list that holds rows as this store takes them. */
  newPredictions(): GrowingPredictions;
  /** The rows of the lists, one list after the other. The lists must not grow any more. */
  joinPredictions(lists: readonly PredictionList[]): PredictionList;
  /**
   * Positions in `predictions` whose identity (model, version, id, row index) is stored already or came earlier in the list. Where
   * only a look at what is stored can tell, `settled` is waited for first: it ends when no insert decided earlier is under way.
   */
  findDuplicatePredictions(
    predictions: PredictionList,
    settled?: () => Promise<unknown>,
  ): Promise<ReadonlySet<number>>;
  /** The same for labels, whose identity holds their value and timestamp, too. */
  findDuplicateLabels(
    labels: readonly LabelRow[],
    settled?: () => Promise<unknown>,
  ): Promise<ReadonlySet<number>>;
  /** Durable when it resolves. Retriable with the same batch and token. */
  insertRows(batch: RowBatch): Promise<void>;
}

export interface LogAuditStore {
  /**
   * Offsets in [fromOffset, toOffset] of one log partition that a stored prediction, label, rejected row or half of a call came from,
   * each with the row indices that are stored of it.
   */
  storedOffsets(log: {
    /** As in `RowSource.topic`. */
    readonly topic: string;
    readonly partition: number;
    readonly fromOffset: number;
    readonly toOffset: number;
  }): Promise<ReadonlyMap<number, ReadonlySet<number>>>;
}
