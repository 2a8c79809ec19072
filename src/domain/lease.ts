/** A term of what one process at a time does. Terms only grow: a later one ends all before it. */
export interface Lease {
  readonly name: string;
  readonly term: number;
  /** The process that it belongs to. */
  readonly owner: string;
}

export interface LeaseStore {
  /** The newest term, and whether its time has run out by the store's clock; null before there was any. */
  findLease(name: string): Promise<(Lease & { readonly expired: boolean }) | null>;
  /** Begins a term for `ttlMs`. Of all that try to begin the same one, one gets true. */
  takeLease(lease: Lease, ttlMs: number): Promise<boolean>;
  /** Lets the term go on for `ttlMs` from now, 0 to end it; false, and nothing changes, when a later one has begun or it is another's. */
  renewLease(lease: Lease, ttlMs: number): Promise<boolean>;
}
