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

/** The lists of a batch: each goes into a table of its own, under a token of its own. */
export type RowListName = 'predictions' | 'labels' | 'rejected' | 'halves';

/** What is stored of a range of one log partition. */
export interface StoredRange {
  /** Offsets that a stored row of any list came from, each with the row indices that are stored of it. */
  readonly offsets: ReadonlyMap<number, ReadonlySet<number>>;
  /** Lists of which at least one row is stored. */
  readonly lists: ReadonlySet<RowListName>;
}

export interface LogAuditStore {
  /** What is stored of the offsets in [fromOffset, toOffset]. */
  storedRange(log: {
    /** As in `RowSource.topic`. */
    readonly topic: string;
    readonly partition: number;
    readonly fromOffset: number;
    readonly toOffset: number;
  }): Promise<StoredRange>;
  /**
   * Whether the engine that is asked (one of them, where several share the tables) is executing an insert of the batch with this token,
   * whoever sent it. For tokens of at most 150 plain characters, which go to the engine as they are.
   */
  insertUnderWay(token: string): Promise<boolean>;
  /** An insert of the rejected rows of the batch with this token that has not arrived yet will store nothing. What is there stays. */
  voidRejected(token: string): Promise<void>;
}
