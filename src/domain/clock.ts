/**
 * Time for windows, policies and deliveries. `wall` is the system's; a data clock follows the newest event it has seen,
 * so that a replay of an old year runs as if it were now.
 */
export interface Clock {
  /** ms since the epoch. */
  readonly now: () => number;
  /** Tells the clock the event time of accepted rows; a wall clock ignores it. */
  readonly observe: (eventTimeMs: number) => void;
}
