/**
 * A detector that sees one number after another. It starts again by itself with the first number after a detection, and its state is
 * plain JSON (no NaN, no infinities), from which it goes on as if it had never stopped.
 */
export interface StreamDetector<State> {
  /** Takes the next number, which must be finite. Returns whether a change is detected here. */
  update(x: number): boolean;
  /** A copy that later updates leave alone. */
  state(): State;
}

/** Throws a RangeError on what no detector can take in: a NaN would stay in its sums for good. */
export function assertFinite(x: number): void {
  if (!Number.isFinite(x)) throw new RangeError(`a stream detector takes finite numbers, got ${x}`);
}
