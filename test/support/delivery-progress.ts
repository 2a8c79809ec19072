import { until } from './kafka-collect.js';
import type { CollectorProcess } from './kafka-collector-process.js';

/**
 * How long nothing may be committed while something is left: a client that hangs is replaced after 60 s without a sign of life, closed within
 * 10 s and followed by the next one after 30 s at most; that one joins once dead members have lost their sessions (6 s) and the rebalance its
 * patience (12 s). All of it half as long again. How long a slow machine takes as long as it goes on does not matter.
 */
const STALL_TIMEOUT_MS = 180_000;

/** Until so many records are committed. Rejects when one of the processes ends before, or when nothing more is committed. */
export async function untilCommitted(
  all: number,
  committed: () => Promise<number>,
  running: readonly CollectorProcess[],
): Promise<void> {
  let done = await committed();
  const goesOn = async () => {
    for (const process of running)
      if (process.exitCode() !== null) throw new Error(`a collector ended:\n${process.log()}`);
    const before = done;
    done = await committed();
    return done !== before;
  };
  while (done !== all)
    await until(`more than ${done} of ${all} records committed`, goesOn, STALL_TIMEOUT_MS, 300);
}
