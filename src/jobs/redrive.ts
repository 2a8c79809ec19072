import { randomUUID } from 'node:crypto';
import { parseJson } from '../domain/json.js';
import type { RejectedCursor, RejectedStore, StoredRejected } from '../domain/kept-ports.js';
import type { RowBatch } from '../domain/ports.js';
import type { Outcome, RejectedRow, RejectReason } from '../domain/prediction.js';

export interface RedriveOptions {
  readonly store: RejectedStore;
  /** Reads a message that was kept as it is read today; `modelVersion` is for those that name none. */
  readonly read: (row: RejectedRow, value: unknown, modelVersion: string | undefined) => readonly Outcome[];
  /** Durable when it resolves. */
  readonly write: (batch: RowBatch) => Promise<unknown>;
}

export interface RedriveRequest {
  readonly model?: string | undefined;
  readonly reason?: RejectReason | undefined;
  readonly kind?: RejectedRow['kind'] | undefined;
  /** Of messages that name no version. */
  readonly modelVersion?: string | undefined;
  readonly after?: RejectedCursor | undefined;
  /** Rows kept later are left alone: they may be the outcome of this very work. */
  readonly beforeMs: number;
}

export interface RedriveResult {
  /** Rejected rows that were looked at. */
  readonly tried: number;
  /** Of these, gone from the rejected: their messages became rows, were known already, or wait for their other side. */
  readonly mended: number;
  /** Of these, still rejected, by the reason of today. */
  readonly left: Readonly<Record<string, number>>;
  /** Where to go on; null at the end. */
  readonly next: RejectedCursor | null;
}

const PAGE_ROWS = 5_000;
const PAGE_BYTES = 16 * 1024 * 1024;

function parsed(text: string): { readonly value: unknown } | null {
  try {
    return { value: parseJson(text) };
  } catch {
    return null; // it is kept as it came, and that is no JSON
  }
}

/**
 * Drives one page of rejected rows in again: what can be read by now is stored, and its rejected row removed. In that order: after a
 * crash in between it is tried again, and known by its identity. What is still rejected says why it is so now.
 */
export function createRedriver({ store, read, write }: RedriveOptions) {
  return async function redrive(request: RedriveRequest): Promise<RedriveResult> {
    const { modelVersion, ...query } = request;
    const rows = await store.listRejected({ ...query, limit: PAGE_ROWS, maxBytes: PAGE_BYTES });
    const mended: StoredRejected[] = [];
    const outcomes: Outcome[] = [];
    const left: Record<string, number> = {};
    const changed: Parameters<RejectedStore['changeReasons']>[0][number][] = [];
    for (const row of rows) {
      const message = parsed(row.payload);
      const became = message === null ? [] : read(row, message.value, modelVersion);
      const [only] = became;
      if (only === undefined || (became.length === 1 && only.kind === 'rejected')) {
        const { reason, detail } = only?.kind === 'rejected' ? only.row : row;
        left[reason] = (left[reason] ?? 0) + 1;
        if (reason !== row.reason || detail !== row.detail) changed.push({ row, reason, detail });
      } else {
        mended.push(row);
        for (const one of became) outcomes.push(one);
      }
    }
    if (outcomes.length > 0)
      await write({
        predictions: outcomes.flatMap((one) => (one.kind === 'prediction' ? [one.row] : [])),
        labels: outcomes.flatMap((one) => (one.kind === 'label' ? [one.row] : [])),
        rejected: outcomes.flatMap((one) => (one.kind === 'rejected' ? [one.row] : [])),
        halves: outcomes.flatMap((one) => (one.kind === 'half' ? [one.half] : [])),
        token: `redrive/${randomUUID()}`,
      });
    await store.removeRejected(mended);
    await store.changeReasons(changed);
    const last = rows.at(-1);
    return {
      tried: rows.length,
      mended: mended.length,
      left,
      next: last ?? null,
    };
  };
}

export type Redriver = ReturnType<typeof createRedriver>;
