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

/** Two neighbours in time, by their places, and how far apart they are. */
interface Neighbours {
  readonly earlier: number;
  readonly later: number;
  readonly distance: number;
}

/**
 * The answer of each request, within the bound: of all pairs the nearest in time is taken first, then the nearest of what is left; callers
 * reuse ids. Of equal distances the one with the request first counts as less: an answer comes before its request by the clocks of two
 * machines only. The nearest two are always neighbours among those that are left, so that no others have to be compared.
 */
export function pairUp(
  halves: readonly StoredCallHalf[],
  withinMs: number,
): [StoredCallHalf, StoredCallHalf][] {
  const sorted = [...halves].sort((one, other) => one.timestampMs - other.timestampMs);
  const at = (place: number) => sorted[place] as StoredCallHalf;
  const before = sorted.map((_, place) => place - 1);
  const after = sorted.map((_, place) => place + 1);
  /** The farthest first. */
  const candidates: Neighbours[] = [];

  function consider(earlier: number, later: number): void {
    if (earlier < 0 || later >= sorted.length || at(earlier).side === at(later).side) return;
    const apartMs = at(later).timestampMs - at(earlier).timestampMs;
    if (apartMs > withinMs) return;
    const distance = 2 * apartMs + (at(earlier).side === 'response' && apartMs > 0 ? 1 : 0);
    let low = 0;
    for (let high = candidates.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((candidates[middle] as Neighbours).distance > distance) low = middle + 1;
      else high = middle;
    }
    candidates.splice(low, 0, { earlier, later, distance });
  }

  sorted.forEach((_, place) => {
    consider(place, place + 1);
  });
  const taken = new Set<number>();
  const pairs: [StoredCallHalf, StoredCallHalf][] = [];
  for (let next = candidates.pop(); next !== undefined; next = candidates.pop()) {
    const { earlier, later } = next;
    if (taken.has(earlier) || taken.has(later)) continue;
    taken.add(earlier).add(later);
    pairs.push(at(earlier).side === 'request' ? [at(earlier), at(later)] : [at(later), at(earlier)]);
    const [left, right] = [before[earlier] as number, after[later] as number];
    after[left] = right;
    before[right] = left;
    consider(left, right);
  }
  return pairs.sort(([one], [other]) => one.timestampMs - other.timestampMs);
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
