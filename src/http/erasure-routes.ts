import { Router } from 'express';
import type { Erasure, ErasureStore, ErasureTarget } from '../domain/erasure.js';
import type { Access } from './access.js';
import { checked, erasureBody, modelPath } from './request-schemas.js';

export interface ErasurePorts {
  readonly erase: (request: {
    model: string;
    target: ErasureTarget;
    by: string;
    reason: string;
  }) => Promise<Erasure>;
  readonly store: Pick<ErasureStore, 'listErasures'>;
}

/** Erasure of one prediction, or of all rows of a subject; and what was erased so far. */
export function createErasureRoutes({ erase, store }: ErasurePorts, access: Access): Router {
  const router = Router();

  router.post('/v1/models/:model/erasures', access.require('admin'), async (request, response) => {
    const { model } = checked(modelPath, request.params);
    const { reason, ...asked } = checked(erasureBody, request.body);
    const target: ErasureTarget =
      'subject' in asked
        ? { kind: 'subject', ...asked.subject }
        : { kind: 'prediction', predictionId: asked.predictionId };
    response.json(answerOf(await erase({ model, target, by: access.actorOf(request), reason })));
  });

  router.get('/v1/models/:model/erasures', access.require('admin'), async (request, response) => {
    const { model } = checked(modelPath, request.params);
    response.json({ erasures: (await store.listErasures(model)).map(answerOf) });
  });

  return router;
}

const answerOf = ({ atMs, ...erasure }: Erasure) => ({ ...erasure, at: new Date(atMs).toISOString() });
