/** A policy as somebody set it through the API; null for the removal of one. The newest of a model is in force. */
export interface StoredPolicy {
  readonly model: string;
  /** The section as it was sent, read anew by each release. */
  readonly policy: Readonly<Record<string, unknown>> | null;
  readonly by: string;
  /** Id of the API key that it came with, `local` without keys. */
  readonly via: string;
  readonly note: string;
  /** Real time, ms. */
  readonly atMs: number;
}

export interface StoredPolicyStore {
  savePolicy(policy: StoredPolicy): Promise<void>;
  /** Of one model: all that were ever set, newest first. */
  policyHistory(model: string): Promise<StoredPolicy[]>;
  /** The newest of every model that has one in force. */
  storedPolicies(): Promise<StoredPolicy[]>;
}
