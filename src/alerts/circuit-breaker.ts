import type { Clock } from '../domain/clock.js';

const FAILURES_TO_OPEN = 5;
const FIRST_OPEN_MS = 30_000;
const LONGEST_OPEN_MS = 15 * 60_000;

interface Circuit {
  failures: number;
  /** Requests are let through from here on; 0 while the circuit is closed. */
  openUntilMs: number;
  openMs: number;
  probing: boolean;
}

/**
 * Spares targets that are down. After five failures in a row nothing is sent to a target for half a minute; then one request goes
 * as a probe, and each failed probe doubles the pause, up to a quarter of an hour. Only what says that the target is unwell counts
 * as a failure, not that it dislikes a request. Kept in memory: a restart finds out anew, at the cost of five requests.
 */
export function createCircuitBreakers(options: {
  /** The wall clock. */
  readonly clock: Clock;
  /** Uniform in [0, 1): keeps several processes from probing in step. */
  readonly random: () => number;
}) {
  const { clock, random } = options;
  const circuits = new Map<string, Circuit>();

  function circuitOf(target: string): Circuit {
    const found = circuits.get(target);
    if (found !== undefined) return found;
    const created = { failures: 0, openUntilMs: 0, openMs: FIRST_OPEN_MS, probing: false };
    circuits.set(target, created);
    return created;
  }

  return {
    /** Whether a request may go now. When it does, its outcome must be told by `report`. */
    admits(target: string): boolean {
      const circuit = circuitOf(target);
      if (circuit.openUntilMs === 0) return true;
      if (circuit.probing || clock.now() < circuit.openUntilMs) return false;
      circuit.probing = true;
      return true;
    },

    /** @param pauseMs how long the target itself asked to be left alone */
    report(target: string, healthy: boolean, pauseMs = 0): void {
      const circuit = circuitOf(target);
      const probed = circuit.probing;
      circuit.probing = false;
      if (healthy) {
        circuits.delete(target);
        return;
      }
      circuit.failures += 1;
      if (probed) circuit.openMs = Math.min(circuit.openMs * 2, LONGEST_OPEN_MS);
      const unwell = circuit.failures >= FAILURES_TO_OPEN;
      if (!unwell && pauseMs === 0) return;
      const spreadMs = unwell ? circuit.openMs * (0.75 + random() / 4) : 0;
      const waitMs = Math.max(Math.round(spreadMs), Math.min(pauseMs, LONGEST_OPEN_MS));
      circuit.openUntilMs = Math.max(circuit.openUntilMs, clock.now() + waitMs);
    },

    /** Targets that have failed as often as opens a circuit, and have not answered well since: those on trial count. */
    unwell: (): number =>
      [...circuits.values()].filter(({ failures }) => failures >= FAILURES_TO_OPEN).length,

    isOpen: (target: string): boolean => (circuits.get(target)?.openUntilMs ?? 0) > clock.now(),
  };
}

export type CircuitBreakers = ReturnType<typeof createCircuitBreakers>;
