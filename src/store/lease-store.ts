import type { Lease, LeaseStore } from '../domain/lease.js';
import type { StoreClient } from './client.js';
import { firstInsert } from './first-insert.js';

/** @param catchUp makes what is written from now on newer than all that is stored, whatever the clocks of the processes say */
export function createLeaseStore(client: StoreClient, catchUp: () => Promise<void>): LeaseStore {
  const rowOf = ({ name, term, owner }: Lease, ttlMs: number) => ({ name, term, owner, ttl_ms: ttlMs });

  async function newest(name: string) {
    const [row] = await client.query<{ term: number; owner: string; expired: number }>(
      `SELECT term, owner, toUInt8(now64(3, 'UTC') >= at + toIntervalMillisecond(ttl_ms)) AS expired
       FROM leases FINAL WHERE name = {name:String} ORDER BY term DESC LIMIT 1`,
      { name },
    );
    return row;
  }

  return {
    async findLease(name) {
      const row = await newest(name);
      return row === undefined
        ? null
        : { name, term: row.term, owner: row.owner, expired: row.expired === 1 };
    },

    async takeLease(lease, ttlMs) {
      const ours = await firstInsert(
        `lease:${lease.name}:${lease.term}`,
        (token) => client.insert('leases', [rowOf(lease, ttlMs)], token),
        async () => {
          const row = await newest(lease.name);
          if (row === undefined || row.term < lease.term) return 'nothing';
          return row.term === lease.term && row.owner === lease.owner ? 'ours' : 'theirs';
        },
      );
      if (ours) await catchUp();
      return ours;
    },

    async renewLease(lease, ttlMs) {
      const isOurs = async () => {
        const row = await newest(lease.name);
        return row?.term === lease.term && row.owner === lease.owner;
      };
      // Before it is written, too: a row of the same term would take the place of its owner's.
      if (!(await isOurs())) return false;
      await client.insert('leases', [rowOf(lease, ttlMs)]);
      return isOurs();
    },
  };
}
