import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelVersion } from '../domain/model.js';
import type { AskedForest } from '../domain/outlier.js';
import type { VersionKey } from '../domain/ports.js';
import type { Reference, ReferenceAuthor } from '../domain/reference.js';
import type { QuerySource } from '../domain/reference-ports.js';
import type { RegisterReferenceInput } from './register-reference.js';

/** Longest text of a query that is kept with the reference. */
const MAX_PROVENANCE = 2_000;

export interface RegisterQueryDeps {
  readonly store: QuerySource;
  readonly registerReference: (
    input: RegisterReferenceInput,
  ) => Promise<{ model: ModelVersion; reference: Reference }>;
}

/** Registers the answer of a query as a reference: it is written to a file once, and read like one. */
export function createQueryRegistrar({ store, registerReference }: RegisterQueryDeps) {
  return async function registerQuery({
    query,
    ...input
  }: VersionKey & {
    query: string;
    author: ReferenceAuthor;
    outliers?: AskedForest | undefined;
  }): Promise<{
    model: ModelVersion;
    reference: Reference;
  }> {
    const directory = await mkdtemp(join(tmpdir(), 'plumbline-query-'));
    try {
      const path = join(directory, 'answer.parquet');
      await store.exportQuery(query, path);
      const text = query.trim();
      const kept = text.length > MAX_PROVENANCE ? `${text.slice(0, MAX_PROVENANCE)} …` : text;
      return await registerReference({ ...input, path, provenance: `query: ${kept}` });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };
}
