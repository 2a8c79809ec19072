import type { ModelVersion } from '../domain/model.js';
import type { ModelStore } from '../domain/ports.js';
import type { Reference } from '../domain/reference.js';
import type { StoreClient } from './client.js';
import { fromBody, toBody } from './encoding.js';

/** Registered versions and their references; grids are in grid-store.ts. */
export function createModelStore(
  client: StoreClient,
  nextRevision: () => number,
): Omit<ModelStore, 'saveGrids' | 'listGrids'> {
  return {
    saveModel: (model) =>
      client.insert('models', [
        {
          model: model.model,
          version: model.modelVersion,
          body: toBody(model),
          revision: nextRevision(),
        },
      ]),

    listModels: async () => {
      const rows = await client.query<{ body: string }>(
        'SELECT body FROM models FINAL ORDER BY model, version',
      );
      return rows.map((row) => fromBody<ModelVersion>(row.body));
    },

    saveReference: (reference) =>
      client.insert('references', [
        {
          model: reference.model,
          version: reference.modelVersion,
          hash: reference.hash,
          rows: reference.rows,
          body: toBody(reference),
          revision: nextRevision(),
        },
      ]),

    currentReference: async (key) => {
      const [row] = await client.query<{ body: string }>(
        `SELECT body FROM references
         WHERE model = {model:String} AND version = {version:String}
         ORDER BY revision DESC LIMIT 1`,
        { model: key.model, version: key.modelVersion },
      );
      return row === undefined ? null : fromBody<Reference>(row.body);
    },
  };
}
