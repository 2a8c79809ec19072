import { createHash } from 'node:crypto';
import type { CallHalfStore, StoredCallHalf } from '../domain/kept-ports.js';
import type { RowBatch } from '../domain/ports.js';
import type { CallHalf, Outcome, RejectedRow } from '../domain/prediction.js';

export interface CallPairingOptions {
  readonly store: CallHalfStore;
  /** Rows of a call, both of whose sides are there. */
  readonly read: (request: CallHalf, response: CallHalf) => readonly Outcome[];
  /** Durable when it resolves. */
  readonly write: (batch: RowBatch) => Promise<unknown>;
  /** The real time, ms. */
  readonly wallClock: () => number;
  /** How far apart the sides of a call may be, and how long one waits for the other, ms. */
  readonly withinMs: number;
}

const MAX_CALLS = 5_000;
const MAX_BYTES = 32 * 1024 * 1024;
/** How long after its time a half may become visible: an insert that is repeated keeps its first time. */
const SLACK_MS = 3_600_000;

/** The answer of each request: of those not taken the nearest in time, within the bound; callers reuse ids. */
function pairUp(halves: readonly StoredCallHalf[], withinMs: number): [StoredCallHalf, StoredCallHalf][] {
  const responses = new Set(halves.filter(({ side }) => side === 'response'));
  const pairs: [StoredCallHalf, StoredCallHalf][] = [];
  for (const request of halves) {
    if (request.side !== 'request') continue;
    let nearest: StoredCallHalf | null = null;
    const distance = (half: CallHalf) => Math.abs(half.timestampMs - request.timestampMs);
    for (const response of responses)
      if (distance(response) <= withinMs && (nearest === null || distance(response) < distance(nearest)))
        nearest = response;
    if (nearest === null) continue;
    responses.delete(nearest);
    pairs.push([request, nearest]);
  }
  return pairs;
}

function unpaired(half: StoredCallHalf): RejectedRow {
  return {
    kind: 'prediction',
    reason: 'unpaired',
    detail: `the ${half.side} of a call without its ${half.side === 'request' ? 'answer: it failed, or' : 'request:'} the other side was not logged in time`,
    payload: half.payload,
    model: half.model,
    rowIndex: 0,
    source: half.source,
  };
}

/**
 * Makes rows of calls whose request and answer came apart. Of one process only. A crash in the middle repeats a batch: its rows are
 * known by their identity, its rejected ones by the batch's token.
 */
export function createCallPairing(options: CallPairingOptions) {
  const { store, read, write, wallClock, withinMs } = options;
  /** Nothing older is open. */
  let sinceMs = 0;

  /** One batch; whether there may be more. */
  async function runOnce(nowMs: number): Promise<{ paired: number; expired: number; more: boolean }> {
    const expiredBeforeMs = nowMs - withinMs;
    const limits = { maxCalls: MAX_CALLS, maxBytes: MAX_BYTES };
    const halves = await store.settledHalves({ sinceMs, expiredBeforeMs, ...limits });
    const calls = groupByCall(halves);
    const pairs = [...calls.values()].flatMap((sides) => pairUp(sides, withinMs));
    const taken = new Set(pairs.flat());
    const expired = halves.filter((half) => !taken.has(half) && half.ingestedAtMs < expiredBeforeMs);
    const done = [...taken, ...expired];
    if (done.length === 0) return { paired: 0, expired: 0, more: false };
    const outcomes = pairs.flatMap(([request, response]) => read(request, response));
    const token = createHash('sha256')
      .update(JSON.stringify(done.map(({ call, side, timestampMs }) => [call, side, timestampMs])))
      .digest('hex');
    await write({
      predictions: outcomes.flatMap((outcome) => (outcome.kind === 'prediction' ? [outcome.row] : [])),
      labels: [],
      rejected: [
        ...outcomes.flatMap((outcome) => (outcome.kind === 'rejected' ? [outcome.row] : [])),
        ...expired.map(unpaired),
      ],
      token: `pairs/${token}`,
    });
    await store.closeHalves(done);
    return { paired: pairs.length, expired: expired.length, more: true };
  }

  return {
    /** Everything that is due; the numbers of calls that became rows, and of halves given up. */
    async run(): Promise<{ paired: number; expired: number }> {
      const nowMs = wallClock();
      const total = { paired: 0, expired: 0 };
      for (let more = true; more; ) {
        const part = await runOnce(nowMs);
        total.paired += part.paired;
        total.expired += part.expired;
        more = part.more;
      }
      sinceMs = Math.max(0, nowMs - withinMs - SLACK_MS);
      return total;
    },
  };
}

function groupByCall(halves: readonly StoredCallHalf[]): Map<string, StoredCallHalf[]> {
  const calls = new Map<string, StoredCallHalf[]>();
  for (const half of halves) {
    const sides = calls.get(half.call);
    if (sides === undefined) calls.set(half.call, [half]);
    else sides.push(half);
  }
  return calls;
}
