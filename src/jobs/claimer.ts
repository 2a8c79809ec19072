import type { LeaseStore } from '../domain/lease.js';

/** Takes leases by name, as those of `coordinator.ts` are: for work that has to be done now or by somebody else, without a beat. */
export function createClaimer(deps: {
  readonly leases: LeaseStore;
  /** This process: another name for each start. */
  readonly owner: string;
  readonly ttlMs: number;
}): (name: string) => Promise<boolean> {
  const { leases, owner, ttlMs } = deps;
  return async (name) => {
    const held = await leases.findLease(name);
    if (held !== null && !held.expired) return held.owner === owner && leases.renewLease(held, ttlMs);
    return leases.takeLease({ name, term: (held?.term ?? 0) + 1, owner }, ttlMs);
  };
}
