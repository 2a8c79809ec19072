import type { ReferenceSampleStore } from '../domain/multivariate.js';
import type { StoreClient } from './client.js';

/** Rows of references, one text each: some hundred kilobytes, read when a window is judged. */
export function createReferenceSampleStore(
  client: StoreClient,
  nextRevision: () => number,
): ReferenceSampleStore {
  return {
    saveReferenceSample: ({ model, modelVersion, hash }, { text, production }) =>
      client.insert('reference_samples', [
        { model, version: modelVersion, hash, body: text, production, revision: nextRevision() },
      ]),

    referenceSample: async ({ model, modelVersion, hash }) => {
      const [row] = await client.query<{ text: string; production: boolean }>(
        `SELECT body AS text, production FROM reference_samples
         WHERE model = {model:String} AND version = {version:String} AND hash = {hash:String}
         ORDER BY revision DESC LIMIT 1`,
        { model, version: modelVersion, hash },
      );
      return row ?? null;
    },
  };
}
