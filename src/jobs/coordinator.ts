import type { Lease, LeaseStore } from '../domain/lease.js';
import type { Logger } from '../domain/ports.js';
import { messageOf } from '../errors.js';

/** A lease is looked at so often in its time: a process that is gone is replaced after one and a quarter of it. */
const BEATS = 4;

export interface CoordinatorOptions {
  readonly leases: LeaseStore;
  /** What is to be done by one process at a time. */
  readonly name: string;
  /** This process: another name for each start. */
  readonly owner: string;
  readonly logger: Logger;
  /** Milliseconds that go on while the process is stopped, and never go back. */
  readonly monotonicMs?: () => number;
  readonly gauge?: { set(value: number): void };
  /** How long a process that is gone keeps its lead. */
  readonly ttlMs: number;
  readonly beatMs?: number;
}

/** Says whether this process does the work that one is enough for. */
export interface Coordinator {
  /** True while it does. Grows with each time that it begins to; what was remembered before then is old. */
  readonly leads: () => boolean;
  readonly term: () => number;
  start(): Promise<void>;
  /** Lets another process go on at once. */
  stop(): Promise<void>;
}

/** Where nobody else can be: the embedded engine belongs to one process. */
export const ALONE: Coordinator = {
  leads: () => true,
  term: () => 0,
  start: async () => undefined,
  stop: async () => undefined,
};

/**
 * Saves work, and is not relied on: what two leaders do at once is done once (windows, episodes, webhooks have ids derived from
 * what they are about). So when the leases cannot be asked everybody leads. One that was stopped for longer than its term
 * notices by its own monotonic clock that it leads no more, before it asks anybody.
 */
export function createCoordinator(options: CoordinatorOptions): Coordinator {
  const { leases, name, owner, ttlMs, beatMs = ttlMs / BEATS } = options;
  const monotonicMs = options.monotonicMs ?? (() => performance.now());
  const logger = options.logger.child({ component: 'coordinator', lease: name });
  let held: Lease | null = null;
  /** By the monotonic clock; counted from before the store was asked, so that it ends before the store's. */
  let untilMs = Number.NEGATIVE_INFINITY;
  let unreachable = false;
  let led = false;
  let terms = 0;
  let toldTerm: number | null = null;
  let timer: NodeJS.Timeout | null = null;
  let beating: Promise<void> | null = null;
  let stopped = false;

  const leads = () => !stopped && (unreachable || monotonicMs() < untilMs);

  function told(): void {
    const now = leads();
    const term = held?.term ?? null;
    options.gauge?.set(now ? 1 : 0);
    // Somebody else may have led between two terms of ours.
    if (now === led && (!now || term === toldTerm)) return;
    led = now;
    toldTerm = term;
    if (now) terms += 1;
    logger.info({ term, owner }, now ? 'this process leads' : 'another process leads');
  }

  async function hold(): Promise<void> {
    const sinceMs = monotonicMs();
    if (held !== null && (await leases.renewLease(held, ttlMs))) {
      untilMs = sinceMs + ttlMs;
      return;
    }
    held = null;
    untilMs = Number.NEGATIVE_INFINITY;
    const last = await leases.findLease(name);
    if (last !== null && !last.expired) return;
    const next = { name, owner, term: (last?.term ?? 0) + 1 };
    const askedMs = monotonicMs();
    if (!(await leases.takeLease(next, ttlMs))) return;
    held = next;
    untilMs = askedMs + ttlMs;
  }

  async function beat(): Promise<void> {
    try {
      await hold();
      unreachable = false;
    } catch (error) {
      if (!unreachable)
        logger.warn(
          { reason: messageOf(error) },
          'nobody says who leads: every process does, until it is known',
        );
      unreachable = true;
    }
    told();
  }

  function schedule(): void {
    timer = setTimeout(() => {
      beating = beat().finally(() => {
        if (!stopped) schedule();
      });
    }, beatMs);
  }

  return {
    leads,
    term: () => terms,
    async start() {
      await beat();
      schedule();
    },
    async stop() {
      if (timer !== null) clearTimeout(timer);
      await beating;
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      const mine = held;
      held = null;
      if (mine === null) return;
      try {
        await leases.renewLease(mine, 0);
      } catch (error) {
        logger.warn(
          { reason: messageOf(error) },
          'the lease was not given back: another process waits for its end',
        );
      }
    },
  };
}
