import { Router } from 'express';
import type { VersionKey } from '../domain/ports.js';
import type { TrainingSkew } from '../domain/training-skew.js';
import type { LatencyAnswer, VersionComparison, VersionQuestion } from '../domain/version-comparison.js';
import type { Access } from './access.js';
import { checked, latencyQuery, skewQuery, versionsQuery } from './request-schemas.js';

export interface VersionPorts {
  readonly compareVersions: (question: VersionQuestion) => Promise<VersionComparison>;
  readonly latencies: (question: {
    readonly model: string;
    readonly from?: number | undefined;
    readonly to?: number | undefined;
  }) => Promise<LatencyAnswer>;
  readonly skew: (question: VersionKey & { readonly from?: number | undefined }) => Promise<TrainingSkew>;
}

/** Versions of a model side by side, how long they take, and whether production is what they were trained on. */
export function createVersionRoutes(ports: VersionPorts, access: Access): Router {
  const router = Router();

  router.get('/v1/models/:model/compare-versions', access.require('read'), async (request, response) => {
    const question = checked(versionsQuery, request.query);
    response.json(await ports.compareVersions({ model: String(request.params.model), ...question }));
  });

  router.get('/v1/models/:model/latency', access.require('read'), async (request, response) => {
    const question = checked(latencyQuery, request.query);
    response.json(await ports.latencies({ model: String(request.params.model), ...question }));
  });

  router.get('/v1/models/:model/skew', access.require('read'), async (request, response) => {
    const { version, from } = checked(skewQuery, request.query);
    response.json(await ports.skew({ model: String(request.params.model), modelVersion: version, from }));
  });

  return router;
}
