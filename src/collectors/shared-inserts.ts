import type { RowBatch } from '../domain/ports.js';
import type { CallHalf, IngestCounts, LabelRow, RejectedRow } from '../domain/prediction.js';
import type { PredictionList } from '../domain/row-list.js';
import { AppError } from '../errors.js';
import type { RowWriter } from './row-writer.js';

export interface Submission {
  readonly predictions: PredictionList;
  readonly labels: readonly LabelRow[];
  readonly rejected: readonly RejectedRow[];
  /** No rows yet, and not counted. */
  readonly halves?: readonly CallHalf[];
  /** Size of the body, for the buffer's bound. */
  readonly bytes: number;
}

export interface SharedInsertsOptions {
  readonly writer: Pick<RowWriter, 'write'>;
  readonly join: (lists: readonly PredictionList[]) => PredictionList;
  /** Prefix of insert tokens that no other process, and no earlier run of this one, uses. */
  readonly tokenPrefix: string;
  /** A request waits at most this long for company, ms. */
  readonly maxDelayMs?: number;
  /** So many rows wait only for requests that are in work already. */
  readonly manyRows?: number;
  /** An insert of this many rows waits for no more: each costs the engine 10 ms, and 1 to 2 µs for a row. */
  readonly fullRows?: number;
  readonly maxRows?: number;
  /** Bodies held at once, waiting or being inserted; beyond it requests are turned away. */
  readonly maxBytes?: number;
  /** A request is answered at the latest after this, ms. */
  readonly deadlineMs?: number;
}

/** Inserts begun and not ended: while the engine stores one, the next one is decided on and encoded. */
const MAX_UNDER_WAY = 2;

interface Waiting {
  readonly submission: Submission;
  readonly resolve: (counts: IngestCounts) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Many requests share one insert; each is answered with its own counts once that insert is durable. A full insert begins at once,
 * also while another is under way; what else arrives then goes with the next one. Many rows wait for those that are being read, few ones
 * for a tenth of a second: an insert costs the engine as much as thousands of rows.
 */
export function createSharedInserts(options: SharedInsertsOptions) {
  const {
    writer,
    join,
    tokenPrefix,
    maxDelayMs = 100,
    manyRows = 1_000,
    fullRows = 10_000,
    maxRows = 50_000,
    maxBytes = 128 * 1024 * 1024,
    deadlineMs = 30_000,
  } = options;
  const waiting: Waiting[] = [];
  let waitingRows = 0;
  /** Requests whose rows are being read. */
  let coming = 0;
  let heldBytes = 0;
  let inserts = 0;
  const underWay = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;

  const rowsOf = ({ predictions, labels, rejected }: Submission) =>
    predictions.length + labels.length + rejected.length;

  /** As many of the waiting requests as fit one insert; at least one. */
  function takeGroup(): Waiting[] {
    let rows = 0;
    let count = 0;
    for (const { submission } of waiting) {
      rows += rowsOf(submission);
      if (count > 0 && rows > maxRows) break;
      count += 1;
    }
    const group = waiting.splice(0, count);
    for (const { submission } of group) waitingRows -= rowsOf(submission);
    return group;
  }

  /** Takes a request back out of the queue; not one whose insert has begun. */
  function withdraw(entry: Waiting): void {
    const index = waiting.indexOf(entry);
    if (index < 0) return;
    waiting.splice(index, 1);
    waitingRows -= rowsOf(entry.submission);
    heldBytes -= entry.submission.bytes;
  }

  async function insert(group: readonly Waiting[]): Promise<void> {
    inserts += 1;
    try {
      const batch: RowBatch = {
        predictions: join(group.map(({ submission }) => submission.predictions)),
        labels: group.flatMap(({ submission }) => submission.labels),
        rejected: group.flatMap(({ submission }) => submission.rejected),
        halves: group.flatMap(({ submission }) => submission.halves ?? []),
        token: `${tokenPrefix}/${inserts}`,
      };
      const result = await writer.write(batch);
      let predictionsAt = 0;
      let labelsAt = 0;
      let rejectedAt = 0;
      for (const { submission, resolve } of group) {
        const { predictions, labels, rejected } = submission;
        const duplicate =
          countWithin(result.duplicatePredictions, predictionsAt, predictions.length) +
          countWithin(result.duplicateLabels, labelsAt, labels.length);
        const { erased } = result;
        const erasedRejected = countWithin(erased.rejected, rejectedAt, rejected.length);
        const gone =
          countWithin(erased.predictions, predictionsAt, predictions.length) +
          countWithin(erased.labels, labelsAt, labels.length) +
          erasedRejected;
        predictionsAt += predictions.length;
        labelsAt += labels.length;
        rejectedAt += rejected.length;
        const received = rowsOf(submission);
        const refused = rejected.length - erasedRejected;
        resolve({
          received,
          accepted: received - duplicate - refused - gone,
          duplicate,
          rejected: refused,
          ...(gone === 0 ? {} : { erased: gone }),
        });
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      for (const { submission } of group) heldBytes -= submission.bytes;
    }
  }

  /**
   * Begins what may begin: an insert when none is under way, and one beside it when it is full. The few rows that come meanwhile go
   * with the next one.
   */
  function begin(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    while (waiting.length > 0 && (underWay.size === 0 || waitingRows >= fullRows)) {
      if (underWay.size >= MAX_UNDER_WAY) return;
      const ended: Promise<void> = insert(takeGroup()).then(() => {
        underWay.delete(ended);
        // What came meanwhile has waited already.
        if (coming === 0 || stopped) begin();
        else schedule();
      });
      underWay.add(ended);
    }
  }

  /** Begins now when waiting brings no more company, else a little later. */
  function schedule(): void {
    if (waitingRows >= fullRows || (underWay.size === 0 && coming === 0 && waitingRows >= manyRows)) begin();
    else if (underWay.size === 0 && waiting.length > 0) timer ??= setTimeout(begin, maxDelayMs);
  }

  return {
    /** Tells of a request whose rows are being read: others may wait for it. Call what it gives before they are submitted, or when none are. */
    expect(): () => void {
      coming += 1;
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        coming -= 1;
        schedule();
      };
    },

    /** Counts of the submission once it is durable. Throws overloaded (try again later), or what the store says. */
    submit(submission: Submission): Promise<IngestCounts> {
      if (stopped)
        return Promise.reject(new AppError('overloaded', 'the service is stopping', { retryable: true }));
      if (heldBytes > 0 && heldBytes + submission.bytes > maxBytes)
        return Promise.reject(
          new AppError('overloaded', `more than ${maxBytes} bytes wait for the store: send again later`, {
            retryable: true,
          }),
        );
      heldBytes += submission.bytes;
      waitingRows += rowsOf(submission);
      return new Promise<IngestCounts>((resolve, reject) => {
        const late = setTimeout(() => {
          // Not begun: the sender will bring it again, and its rejected rows should not be kept twice.
          withdraw(entry);
          reject(
            new AppError(
              'overloaded',
              `the store did not confirm the insert within ${deadlineMs} ms: send again later, what was stored will be known as duplicate`,
              { retryable: true },
            ),
          );
        }, deadlineMs);
        const settle =
          <T>(done: (value: T) => void) =>
          (value: T) => {
            clearTimeout(late);
            done(value);
          };
        const entry: Waiting = { submission, resolve: settle(resolve), reject: settle(reject) };
        waiting.push(entry);
        schedule();
      });
    },

    /** Takes no more, and resolves when everything taken is inserted or refused. */
    async stop(): Promise<void> {
      stopped = true;
      begin();
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function countWithin(positions: ReadonlySet<number>, start: number, length: number): number {
  if (positions.size === 0) return 0;
  let count = 0;
  for (let index = start; index < start + length; index += 1) if (positions.has(index)) count += 1;
  return count;
}

export type SharedInserts = ReturnType<typeof createSharedInserts>;
