import { type Request, Router } from 'express';
import type { ModelVersion } from '../domain/model.js';
import type { Store } from '../domain/ports.js';
import type { Tuning } from '../domain/tuning.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { checked, tuningQuery } from './request-schemas.js';

export interface PolicyPorts {
  readonly store: Pick<Store, 'listModels'>;
  readonly tune: (model: ModelVersion, budgets: readonly number[]) => Promise<Tuning>;
}

/** What policies mean, before they are switched on. */
export function createPolicyRoutes({ store, tune }: PolicyPorts, access: Access): Router {
  const router = Router();
  const read = access.require('read');

  async function registered(request: Request, version: string): Promise<ModelVersion> {
    const name = String(request.params.model);
    const model = (await store.listModels()).find(
      (known) => known.model === name && known.modelVersion === version,
    );
    if (model !== undefined) return model;
    throw new AppError(
      'unknown_model',
      'this model version is not registered: GET /v1/models lists those that are',
    );
  }

  router.get('/v1/models/:model/tuning', read, async (request, response) => {
    const { version, budgets } = checked(tuningQuery, request.query);
    response.json(await tune(await registered(request, version), budgets));
  });

  return router;
}
