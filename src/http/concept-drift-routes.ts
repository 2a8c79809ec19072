import { Router } from 'express';
import type { ErrorStreamAnswer, ErrorStreamQuestion } from '../domain/error-stream.js';
import type { Access } from './access.js';
import { checked, conceptDriftQuery } from './request-schemas.js';

export interface ConceptDriftPorts {
  readonly conceptDrift: (question: ErrorStreamQuestion) => Promise<ErrorStreamAnswer>;
}

/** Where detectors over the stream of errors have seen a change. */
export function createConceptDriftRoutes(ports: ConceptDriftPorts, access: Access): Router {
  const router = Router();

  router.get('/v1/models/:model/concept-drift', access.require('read'), async (request, response) => {
    const { version, limit } = checked(conceptDriftQuery, request.query);
    response.json(
      await ports.conceptDrift({ model: String(request.params.model), modelVersion: version, limit }),
    );
  });

  return router;
}
