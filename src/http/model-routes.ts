import { type Request, Router } from 'express';
import type { ModelVersion } from '../domain/model.js';
import { PRODUCTION, type Store } from '../domain/ports.js';
import { referenceBuckets } from '../domain/reference.js';
import { DAY_MS, END_OF_TIME_MS, HOUR_MS, tile, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { openapiDocument } from './openapi.js';
import { createRegistrationRoutes, type RegistrationPorts } from './registration-routes.js';
import { checked, profileQuery, reportBody, verdictQuery } from './request-schemas.js';

/** Longest period whose profiles are merged for one answer. */
const MAX_PROFILE_SPAN_MS = 3_660 * DAY_MS;

export interface ModelPorts extends RegistrationPorts {
  readonly store: RegistrationPorts['store'] &
    Pick<Store, 'listVerdicts' | 'listGrids' | 'mergedProfiles' | 'watermarks'>;
  readonly buildReport: (request: {
    model: string;
    modelVersion: string;
    period: Window | null;
  }) => Promise<{ path: string; summary: string }>;
}

/** Registered models, and what is known of them. Each path and its parameters are described in openapi.ts. */
export function createModelRoutes(ports: ModelPorts, access: Access): Router {
  const { store } = ports;
  const router = Router();
  const read = access.require('read');

  /** The model of the path, if any of its versions, or the one asked for, is registered. */
  async function registered(
    request: Request,
    version?: string,
  ): Promise<{ model: string; versions: ModelVersion[] }> {
    const model = String(request.params.model);
    const versions = (await store.listModels()).filter(
      (known) => known.model === model && (version === undefined || known.modelVersion === version),
    );
    if (versions.length > 0) return { model, versions };
    throw new AppError(
      'unknown_model',
      version === undefined
        ? 'this model is not registered: GET /v1/models lists those that are'
        : 'this model version is not registered: GET /v1/models lists those that are',
    );
  }

  /** Production rows of the period asked for, by default of the day up to the newest row. */
  async function productionWindow(key: { model: string; modelVersion: string }, from?: number, to?: number) {
    const newest = (await store.watermarks()).find(
      (known) => known.model === key.model && known.modelVersion === key.modelVersion,
    );
    const endMs = to ?? Math.ceil(((newest?.watermarkMs ?? ports.nowMs()) + 1) / HOUR_MS) * HOUR_MS;
    const window = { startMs: from ?? endMs - DAY_MS, endMs };
    if (window.startMs >= endMs) throw new AppError('invalid_request', 'from: must be before to');
    if (endMs - window.startMs > MAX_PROFILE_SPAN_MS)
      throw new AppError('invalid_request', 'from, to: must be at most ten years apart');
    return window;
  }

  router.get('/openapi.json', (_request, response) => {
    response.json(openapiDocument());
  });

  router.get('/v1/models', read, async (request, response) => {
    const models = (await store.listModels()).filter((model) => access.mayUse(request, model.model));
    response.json({ models });
  });

  router.get('/v1/models/:model/verdicts', read, async (request, response) => {
    const query = checked(verdictQuery, request.query);
    const { model } = await registered(request, query.version);
    const verdicts = await store.listVerdicts({
      model,
      modelVersion: query.version,
      window: { startMs: query.from ?? 0, endMs: query.to ?? END_OF_TIME_MS },
      limit: query.limit,
      ...(query.feature === undefined ? {} : { feature: query.feature }),
      ...(query.detector === undefined ? {} : { detector: query.detector }),
      ...(query.role === undefined ? {} : { role: query.role }),
      ...(query.segment === undefined ? {} : { segment: query.segment }),
    });
    response.json({ verdicts });
  });

  router.get('/v1/models/:model/profiles', read, async (request, response) => {
    const query = checked(profileQuery, request.query);
    const { model } = await registered(request, query.version);
    const key = { model, modelVersion: query.version };
    const features = query.feature === undefined ? {} : { features: [query.feature] };
    const grids = (await store.listGrids(model)).filter(
      (grid) => query.feature === undefined || grid.feature === query.feature,
    );
    if (query.scope === 'production') {
      const window = await productionWindow(key, query.from, query.to);
      const profiles = await store.mergedProfiles({ ...key, ...features, scope: PRODUCTION }, tile(window));
      response.json({ scope: query.scope, window, grids, profiles });
      return;
    }
    const reference = await store.currentReference(key);
    if (reference === null)
      throw new AppError('not_found', 'this model version has no reference yet: PUT …/reference');
    const scope = `reference:${reference.hash}`;
    const profiles = await store.mergedProfiles({ ...key, ...features, scope }, referenceBuckets(reference));
    response.json({ scope: query.scope, window: reference.period, grids, profiles });
  });

  router.post('/v1/reports', read, async (request, response) => {
    const body = checked(reportBody, request.body);
    if (!access.mayUse(request, body.model))
      throw new AppError('forbidden', 'this key is not for this model');
    const period =
      body.from === undefined && body.to === undefined
        ? null
        : { startMs: body.from ?? 0, endMs: body.to ?? END_OF_TIME_MS };
    const report = await ports.buildReport({ model: body.model, modelVersion: body.modelVersion, period });
    response.status(201).json(report);
  });

  router.use(createRegistrationRoutes(ports, access));
  return router;
}
