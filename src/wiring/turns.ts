import { setImmediate as nextTurn } from 'node:timers/promises';

/** Long enough that turns cost nothing, short enough that requests do not wait. */
const TURN_MS = 20;

/**
 * A pause for long work: called often, it lets others have their turn when `turnMs` have gone by since it last did.
 *
 * @param nowMs a clock that never runs backwards
 */
export function createPause({
  nowMs = () => performance.now(),
  turn = () => nextTurn(),
  turnMs = TURN_MS,
}: {
  readonly nowMs?: () => number;
  readonly turn?: () => Promise<void>;
  readonly turnMs?: number;
} = {}): () => Promise<void> {
  let sinceMs = nowMs();
  return async () => {
    if (nowMs() - sinceMs < turnMs) return;
    await turn();
    sinceMs = nowMs();
  };
}

/** Results of some megabyte each. */
const MOST_HELD = 16;

/** Runs one piece of work in a turn of its own, and gives its result. */
export type InTurn = <Result>(work: () => Result) => Promise<Result>;

/**
 * Turns of the event loop, one piece of work each: work that takes long and has many beside it lets requests in after each piece. A
 * pause alone would let all of them go on in the same turn. Those who have had their turn while others wait go on together with
 * these, so that what they ask the store next becomes one statement (`store/batch.ts`).
 *
 * @param most results held back at the same time
 */
export function createTurns({
  turn = () => nextTurn(),
  most = MOST_HELD,
}: {
  readonly turn?: () => Promise<void>;
  readonly most?: number;
} = {}): InTurn {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  const held: (() => void)[] = [];
  return async (work) => {
    waiting += 1;
    last = last.then(turn);
    await last;
    waiting -= 1;
    try {
      return work();
    } finally {
      // Whoever waits comes here too, so that the last one lets all go, whether its work failed or not.
      if (waiting > 0 && held.length + 1 < most) await new Promise<void>((letGo) => held.push(letGo));
      else for (const letGo of held.splice(0)) letGo();
    }
  };
}
