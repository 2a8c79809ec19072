import { type Request, type Response, Router } from 'express';
import type { z } from 'zod';
import type { ModelVersion } from '../domain/model.js';
import type { AskedForest } from '../domain/outlier.js';
import type { ModelStore, VersionKey } from '../domain/ports.js';
import type { Reference, ReferenceAuthor } from '../domain/reference.js';
import type { Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { checked, referenceBody, versionPath } from './request-schemas.js';

type Registered = { model: ModelVersion; reference: Reference };

export interface ReferencePorts {
  readonly store: Pick<ModelStore, 'listModels' | 'listReferences' | 'listReferenceChanges'>;
  readonly rebaseline: (
    input: VersionKey & ReferenceAuthor & { period: Window; outliers: AskedForest | undefined },
  ) => Promise<Registered>;
  readonly registerQuery: (
    input: VersionKey & { query: string; author: ReferenceAuthor; outliers: AskedForest | undefined },
  ) => Promise<Registered>;
  readonly restore: (input: VersionKey & ReferenceAuthor & { hash: string }) => Promise<Registered>;
}

/** The references that a version has had, and changes of the current one without a file. */
export function createReferenceRoutes(ports: ReferencePorts, access: Access): Router {
  const { store } = ports;
  const router = Router();
  const registered = createReferenceSource(ports, access);

  router.get(
    '/v1/models/:model/versions/:version/references',
    access.require('read'),
    async (request, response) => {
      const { model, version: modelVersion } = checked(versionPath, request.params);
      const known = (await store.listModels()).some(
        (each) => each.model === model && each.modelVersion === modelVersion,
      );
      if (!known)
        throw new AppError(
          'unknown_model',
          'this model version is not registered: GET /v1/models lists those that are',
        );
      const key = { model, modelVersion };
      response.json({
        references: await store.listReferences(key),
        changes: await store.listReferenceChanges(key),
      });
    },
  );

  router.put(
    '/v1/models/:model/versions/:version/reference',
    access.require('admin'),
    async (request: Request, response: Response, next) => {
      if (!request.is('application/json')) {
        next();
        return;
      }
      const { model, version: modelVersion } = checked(versionPath, request.params);
      const body = checked(referenceBody, request.body);
      const author = { by: access.actorOf(request), reason: body.reason };
      const key = { model, modelVersion };
      response.status(201).json(answerOf(await registered(request, key, author, body)));
    },
  );

  return router;
}

/** Registers a reference from what the service knows: a past period, an earlier reference, or a query, which its key must allow. */
export function createReferenceSource(
  ports: Pick<ReferencePorts, 'restore' | 'rebaseline' | 'registerQuery'>,
  access: Access,
) {
  return async (
    request: Request,
    key: VersionKey,
    author: ReferenceAuthor,
    body: z.output<typeof referenceBody>,
  ): Promise<Registered> => {
    if ('hash' in body) return ports.restore({ ...key, ...author, hash: body.hash });
    if ('period' in body) {
      const { from, to } = body.period;
      const period = { startMs: from, endMs: to };
      return ports.rebaseline({ ...key, ...author, period, outliers: body.outliers });
    }
    // A query can read what is stored of other models.
    if (!access.mayUseAll(request))
      throw new AppError('forbidden', 'a query reads all tables: it needs an admin key whose models are "*"');
    return ports.registerQuery({ ...key, author, query: body.query, outliers: body.outliers });
  };
}

/** The forest is as large as its training rows are many, and of use to this service only. */
export function answerOf({ model, reference }: Registered) {
  const { forest: _, influence: __, multivariate: ___, ...rest } = reference;
  return { model, reference: rest };
}
