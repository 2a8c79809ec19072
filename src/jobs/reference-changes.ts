import type { Clock } from '../domain/clock.js';
import type { ModelStore, VersionKey } from '../domain/ports.js';
import type { ReferenceAuthor, ReferenceChange, ReferenceChangeKind } from '../domain/reference.js';

export interface ReferenceChangeDeps {
  readonly store: Pick<ModelStore, 'saveReferenceChange' | 'listReferenceChanges'>;
  readonly wallClock: Clock;
}

/** Notes that a reference has become the current one; the one that is current already is no change. */
export async function noteReferenceChange(
  { store, wallClock }: ReferenceChangeDeps,
  key: VersionKey,
  change: ReferenceAuthor & { kind: ReferenceChangeKind; hash: string; previousHash: string | null },
): Promise<ReferenceChange | null> {
  const { model, modelVersion } = key;
  // Compared with the last note, not with the store: a crash between the two is mended when the call is repeated.
  const [last] = await store.listReferenceChanges({ model, modelVersion });
  if (last?.hash === change.hash) return null;
  const noted: ReferenceChange = {
    model,
    modelVersion,
    kind: change.kind,
    hash: change.hash,
    previousHash: last?.hash ?? (change.previousHash === change.hash ? null : change.previousHash),
    atMs: wallClock.now(),
    by: change.by,
    reason: change.reason,
  };
  await store.saveReferenceChange(noted);
  return noted;
}
