import { Router } from 'express';
import type { EstimateAnswer } from '../domain/estimate.js';
import type { Access } from './access.js';
import { type PerformanceQuestion, performanceQuestion } from './performance-routes.js';

export interface EstimatePorts {
  readonly estimates: (question: PerformanceQuestion) => Promise<EstimateAnswer>;
}

/** How good a version is expected to be while its labels are not there yet. */
export function createEstimateRoutes(ports: EstimatePorts, access: Access): Router {
  const router = Router();

  router.get('/v1/models/:model/estimates', access.require('read'), async (request, response) => {
    response.json(await ports.estimates(performanceQuestion(request)));
  });

  return router;
}
