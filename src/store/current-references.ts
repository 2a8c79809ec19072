import type { VersionKey } from '../domain/ports.js';
import type { Reference } from '../domain/reference.js';
import { createBatch, OF_VERSIONS, PLACE_OF_VERSION, versionsOf } from './batch.js';
import type { StoreClient } from './client.js';
import { fromBody } from './encoding.js';

export interface ReferenceRow {
  readonly body: string;
  readonly forest: string | null;
}

const VERSIONS_PER_STATEMENT = 256;
/** Versions whose reference is kept, with its forest and null model: some hundred kilobytes each, read for every cycle. */
const CACHED_VERSIONS = 256;

/** The references that versions are compared with now. One that is saved has a later revision, in whatever process. */
export function createCurrentReferences(client: StoreClient): (key: VersionKey) => Promise<Reference | null> {
  const cache = new Map<string, { readonly revision: number; readonly reference: Reference }>();

  /** 0 where there is none. */
  const revisionOf = createBatch(async (keys: readonly VersionKey[]) => {
    const { params, placeOf } = versionsOf(keys);
    const rows = await client.query<{ place: number; newest: number }>(
      `SELECT ${PLACE_OF_VERSION} AS place, max(revision) AS newest FROM references WHERE ${OF_VERSIONS} GROUP BY place`,
      params,
    );
    const found = new Map(rows.map(({ place, newest }) => [place, newest]));
    return keys.map((key) => found.get(placeOf(key)) ?? 0);
  }, VERSIONS_PER_STATEMENT);

  return async (key) => {
    const name = JSON.stringify([key.model, key.modelVersion]);
    const revision = await revisionOf(key);
    if (revision === 0) return null;
    const known = cache.get(name);
    if (known?.revision === revision) return known.reference;
    const [row] = await client.query<ReferenceRow & { revision: number }>(
      `SELECT body, forest, revision FROM references WHERE model = {model:String} AND version = {version:String}
       ORDER BY revision DESC LIMIT 1`,
      { model: key.model, version: key.modelVersion },
    );
    if (row === undefined) return null;
    const reference = referenceOf(row);
    const oldest = cache.keys().next();
    if (cache.size >= CACHED_VERSIONS && !oldest.done) cache.delete(oldest.value);
    cache.set(name, { revision: row.revision, reference });
    return reference;
  };
}

/** References from before the column hold their forest in the body. */
export function referenceOf({ body, forest }: ReferenceRow): Reference {
  const stored = fromBody<Omit<Reference, 'forest'> & Partial<Pick<Reference, 'forest'>>>(body);
  return { ...stored, forest: stored.forest ?? forest };
}
