import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { type ModelVersion, NAME_PATTERN } from '../domain/model.js';
import type { Store } from '../domain/ports.js';
import type { Reference } from '../domain/reference.js';
import { END_OF_TIME_MS, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';

const FORMATS: Readonly<Record<string, string>> = {
  'application/vnd.apache.parquet': 'parquet',
  'application/x-parquet': 'parquet',
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
};
const MAX_PAGE = 10_000;

export interface ModelPorts {
  readonly store: Pick<Store, 'listModels' | 'listVerdicts' | 'listEpisodes' | 'listOutliers'>;
  readonly registerReference: (input: {
    path: string;
    model: string;
    modelVersion: string;
    provenance: string;
  }) => Promise<{ model: ModelVersion; reference: Reference }>;
  readonly buildReport: (request: {
    model: string;
    modelVersion: string;
    period: Window | null;
  }) => Promise<{ path: string; summary: string }>;
}

const time = z.union([z.iso.date(), z.iso.datetime({ offset: true })]).transform((text) => Date.parse(text));
const page = {
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(1_000),
  offset: z.coerce.number().int().min(0).default(0),
};
const verdictQuery = z.strictObject({
  version: z.string(),
  from: time.optional(),
  to: time.optional(),
  feature: z.string().optional(),
  detector: z.string().optional(),
  limit: page.limit,
});
const episodeQuery = z.strictObject({ state: z.enum(['open', 'closed']).optional(), limit: page.limit });
const outlierQuery = z.strictObject({ version: z.string(), ...page });
const reportBody = z.strictObject({
  model: z.string(),
  modelVersion: z.string(),
  from: time.optional(),
  to: time.optional(),
});

function checked<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`,
  );
  throw new AppError('invalid_request', problems.join('; '));
}

function nameOf(value: unknown, what: string): string {
  if (typeof value === 'string' && NAME_PATTERN.test(value)) return value;
  throw new AppError('invalid_request', `a ${what} has 1 to 120 letters, digits, spaces and . : / _ -`);
}

/** Registered models, and what is known of them. */
export function createModelRoutes(ports: ModelPorts, access: Access): Router {
  const { store } = ports;
  const router = Router();
  const read = access.require('read');
  const admin = access.require('admin');

  router.get('/v1/models', read, async (request, response) => {
    const models = (await store.listModels()).filter((model) => access.mayUse(request, model.model));
    response.json({ models });
  });

  router.put(
    '/v1/models/:model/versions/:version/reference',
    admin,
    async (request: Request, response: Response) => {
      const model = nameOf(request.params.model, 'model name');
      const modelVersion = nameOf(request.params.version, 'model version');
      const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
      const extension = Object.hasOwn(FORMATS, type) ? FORMATS[type] : undefined;
      if (extension === undefined)
        throw new AppError(
          'unsupported_media_type',
          `content-type ${type.slice(0, 60) || '(none)'} is no reference: send ${Object.keys(FORMATS).join(', ')}`,
        );
      const directory = await mkdtemp(join(tmpdir(), 'plumbline-reference-'));
      try {
        const path = join(directory, `reference.${extension}`);
        await pipeline(request, createWriteStream(path));
        const registered = await ports.registerReference({
          path,
          model,
          modelVersion,
          provenance: `uploaded as ${extension}`,
        });
        const { forest: _, ...reference } = registered.reference;
        response.status(201).json({ model: registered.model, reference });
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  );

  router.get('/v1/models/:model/verdicts', read, async (request, response) => {
    const query = checked(verdictQuery, request.query);
    const verdicts = await store.listVerdicts({
      model: String(request.params.model),
      modelVersion: query.version,
      window: { startMs: query.from ?? 0, endMs: query.to ?? END_OF_TIME_MS },
      limit: query.limit,
      ...(query.feature === undefined ? {} : { feature: query.feature }),
      ...(query.detector === undefined ? {} : { detector: query.detector }),
    });
    response.json({ verdicts });
  });

  router.get('/v1/models/:model/episodes', read, async (request, response) => {
    const { state, limit } = checked(episodeQuery, request.query);
    const episodes = await store.listEpisodes({
      model: String(request.params.model),
      limit,
      ...(state === undefined ? {} : { state }),
    });
    response.json({ episodes });
  });

  router.get('/v1/models/:model/outliers', read, async (request, response) => {
    const { version, limit, offset } = checked(outlierQuery, request.query);
    const outliers = await store.listOutliers({
      model: String(request.params.model),
      modelVersion: version,
      limit,
      offset,
    });
    response.json({ outliers });
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

  return router;
}
