import { Router } from 'express';
import type { ErrorStreamAnswer } from '../domain/error-stream.js';
import type { Store } from '../domain/ports.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { checked, conceptDriftQuery } from './request-schemas.js';

export type ConceptDriftStore = Pick<Store, 'listModels' | 'errorStream' | 'streamDetections'>;

/** Where detectors over the stream of errors have seen a change. */
export function createConceptDriftRoutes(store: ConceptDriftStore, access: Access): Router {
  const router = Router();

  router.get('/v1/models/:model/concept-drift', access.require('read'), async (request, response) => {
    const { version, limit } = checked(conceptDriftQuery, request.query);
    const key = { model: String(request.params.model), modelVersion: version };
    const known = await store.listModels();
    if (!known.some((each) => each.model === key.model && each.modelVersion === version))
      throw new AppError(
        'unknown_model',
        'this model version is not registered: GET /v1/models lists those that are',
      );
    const state = await store.errorStream(key);
    const answer: ErrorStreamAnswer = {
      ...key,
      errors: state?.position ?? 0,
      unmatched: state?.unmatched ?? 0,
      detections: await store.streamDetections(key, limit),
    };
    response.json(answer);
  });

  return router;
}
