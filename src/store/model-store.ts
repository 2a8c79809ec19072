import type { ModelVersion } from '../domain/model.js';
import type { ModelStore } from '../domain/ports.js';
import type { ReferenceChange } from '../domain/reference.js';
import type { StoreClient } from './client.js';
import { createCurrentReferences, type ReferenceRow, referenceOf } from './current-references.js';
import { dateTime64, fromBody, toBody } from './encoding.js';

const OF_VERSION = 'model = {model:String} AND version = {version:String}';

/** Registered versions and their references; grids are in grid-store.ts. */
export function createModelStore(
  client: StoreClient,
  nextRevision: () => number,
): Omit<ModelStore, 'saveGrids' | 'listGrids' | 'deleteModel'> {
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

    saveReference: ({ forest, ...reference }) =>
      client.insert('references', [
        {
          model: reference.model,
          version: reference.modelVersion,
          hash: reference.hash,
          rows: reference.rows,
          body: toBody(reference),
          forest,
          revision: nextRevision(),
        },
      ]),

    currentReference: createCurrentReferences(client),

    findReference: async ({ hash, ...key }) => {
      const [row] = await client.query<ReferenceRow>(
        `SELECT body, forest FROM references WHERE ${OF_VERSION} AND hash = {hash:String}
         ORDER BY revision DESC LIMIT 1`,
        { model: key.model, version: key.modelVersion, hash },
      );
      return row === undefined ? null : referenceOf(row);
    },

    listReferences: async (key) => {
      const rows = await client.query<{ body: string }>(
        `SELECT body FROM references FINAL WHERE ${OF_VERSION} ORDER BY revision DESC`,
        { model: key.model, version: key.modelVersion },
      );
      return rows.map((row, index) => {
        const {
          forest: _,
          influence: __,
          estimator: ___,
          multivariate: ____,
          ...reference
        } = referenceOf({ ...row, forest: null });
        return { ...reference, current: index === 0 };
      });
    },

    saveReferenceChange: (change) =>
      client.insert('reference_changes', [
        {
          model: change.model,
          version: change.modelVersion,
          hash: change.hash,
          at: dateTime64(change.atMs),
          body: toBody(change),
          revision: nextRevision(),
        },
      ]),

    listReferenceChanges: async (key) => {
      const rows = await client.query<{ body: string }>(
        `SELECT body FROM reference_changes WHERE ${OF_VERSION} ORDER BY revision DESC`,
        { model: key.model, version: key.modelVersion },
      );
      return rows.map((row) => fromBody<ReferenceChange>(row.body));
    },
  };
}
