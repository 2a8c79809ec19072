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

/**
 * Turns of the event loop, one caller each: work that takes long and has many beside it lets requests in after each piece. A pause
 * alone would let all of them go on in the same turn.
 */
export function createTurns(turn: () => Promise<void> = () => nextTurn()): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    last = last.then(turn);
    return last;
  };
}
