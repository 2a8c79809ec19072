import type { CallHalf, RejectedRow, RejectReason, RowSource } from './prediction.js';

export interface StoredCallHalf extends CallHalf {
  readonly ingestedAtMs: number;
}

export interface CallHalfStore {
  /**
   * All open halves of calls both of whose sides are there, or that have waited since before `expiredBeforeMs`: the oldest calls, as many
   * as the limits allow. Those ingested before `sinceMs` are not looked at.
   */
  settledHalves(query: {
    readonly sinceMs: number;
    readonly expiredBeforeMs: number;
    readonly maxCalls: number;
    /** Of messages; one call always fits. */
    readonly maxBytes: number;
  }): Promise<StoredCallHalf[]>;
  /** They are not open any more, and their messages are dropped. */
  closeHalves(halves: readonly StoredCallHalf[]): Promise<void>;
}

/** A place in the list of rejected rows. */
export interface RejectedCursor {
  readonly ingestedAtMs: number;
  readonly source: Pick<RowSource, 'topic' | 'partition' | 'offset'>;
  readonly rowIndex: number;
  readonly id: string;
}

export interface StoredRejected extends RejectedRow {
  readonly ingestedAtMs: number;
  readonly id: string;
}

export interface RejectedQuery {
  /** Empty for rows whose model is not known. */
  readonly model?: string | undefined;
  readonly reason?: RejectReason | undefined;
  readonly kind?: RejectedRow['kind'] | undefined;
  /** Behind this place. */
  readonly after?: RejectedCursor | undefined;
  /** Kept before this time. */
  readonly beforeMs?: number | undefined;
  readonly limit: number;
  /** Of messages; one row always fits. */
  readonly maxBytes: number;
}

export interface RejectedStore {
  /** In the order in which they were kept, and of one body or topic in which they stood there: of equal identities the first counts. */
  listRejected(query: RejectedQuery): Promise<StoredRejected[]>;
  /** How many there are, the most frequent first. */
  countRejected(
    query: Pick<RejectedQuery, 'model' | 'reason' | 'kind'>,
  ): Promise<{ model: string; kind: string; reason: string; rows: number }[]>;
  /** Says anew why they are rejected; their places stay. */
  changeReasons(
    rows: readonly { readonly row: StoredRejected; readonly reason: RejectReason; readonly detail: string }[],
  ): Promise<void>;
  /** Removes them for good. */
  removeRejected(rows: readonly StoredRejected[]): Promise<void>;
}
