import { createHmac, timingSafeEqual } from 'node:crypto';
import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { parseJson } from '../domain/json.js';
import { NAME_PATTERN } from '../domain/model.js';
import type { ModelStore } from '../domain/ports.js';
import type { Announced, Announcement } from '../domain/retraining.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { checked } from './request-schemas.js';

/** A tag of a model version: ids of the episodes, or webhook events, that it was trained for. */
export const RETRAINED_FOR_TAG = 'plumbline.retrainedFor';
const TOLERANCE_MS = 5 * 60_000;

export interface MlflowPorts {
  readonly store: Pick<ModelStore, 'listModels'>;
  readonly announce: (announcement: Announcement) => Promise<Announced>;
  /** That the registry signs with; null: a key of this service is wanted instead. */
  readonly secret: string | null;
  /** Only versions that get this alias are announced; every new one when left out. */
  readonly alias?: string | undefined;
  /** Real time, ms. */
  readonly nowMs: () => number;
}

/** What every event has; the rest is in `data`. */
export const mlflowEvent = z.looseObject({
  entity: z.string().min(1).max(120),
  action: z.string().min(1).max(120),
  timestamp: z.string().optional(),
  data: z.looseObject({}),
});
const name = z.string().regex(NAME_PATTERN, 'must have 1 to 120 letters, digits, spaces and . : / _ -');
const version = z.union([z.string(), z.int()]).transform(String).pipe(name);
const created = z.looseObject({
  name,
  version,
  tags: z.record(z.string(), z.string()).nullish(),
});
const aliased = z.looseObject({ name, version, alias: z.string() });
const tagged = z.looseObject({ name, version, key: z.string(), value: z.string() });

/** What an event announces, or why it announces nothing. */
type Reading = { model: string; modelVersion: string; retrainedFor: string[] | undefined } | string;

const idsOf = (value: string | undefined): string[] | undefined =>
  value === undefined ? undefined : value.split(/[\s,]+/).filter((id) => id !== '');

function readCreated(data: unknown, alias: string | undefined): Reading {
  const { name, version, tags } = checked(created, data);
  const retrainedFor = idsOf(tags?.[RETRAINED_FOR_TAG]);
  if (alias !== undefined && retrainedFor === undefined)
    return `version ${version} is announced when it gets the alias ${alias}`;
  return { model: name, modelVersion: version, retrainedFor };
}

function readAliased(data: unknown, wanted: string | undefined): Reading {
  const { name, version, alias } = checked(aliased, data);
  if (wanted !== undefined && alias !== wanted) return `only the alias ${wanted} announces a version`;
  return { model: name, modelVersion: version, retrainedFor: undefined };
}

function readTagged(data: unknown): Reading {
  const { name, version, key, value } = checked(tagged, data);
  if (key !== RETRAINED_FOR_TAG) return `only the tag ${RETRAINED_FOR_TAG} announces a version`;
  return { model: name, modelVersion: version, retrainedFor: idsOf(value) };
}

const READERS: ReadonlyMap<string, (data: unknown, alias: string | undefined) => Reading> = new Map([
  ['model_version.created', readCreated],
  ['model_version_alias.created', readAliased],
  ['model_version_tag.set', readTagged],
]);

/**
 * Checks that the registry signed this very body a short while ago: HMAC-SHA256 of `id.timestamp.body` under the secret as it is
 * written, in base64. Source: mlflow/mlflow, mlflow/webhooks/delivery.py. Throws unauthorized.
 */
export function assertMlflowSignature(input: {
  readonly secret: string;
  /** Lower-case names, as Node gives them. */
  readonly headers: Request['headers'];
  readonly body: Uint8Array;
  readonly nowMs: number;
}): void {
  const { secret, headers, body, nowMs } = input;
  const id = headers['x-mlflow-delivery-id'];
  const timestamp = headers['x-mlflow-timestamp'];
  const given = headers['x-mlflow-signature'];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof given !== 'string')
    throw new AppError(
      'unauthorized',
      'this registry webhook is not signed: create it with the secret of webhooks.mlflow',
    );
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowMs - Number(timestamp) * 1_000) > TOLERANCE_MS)
    throw new AppError('unauthorized', 'X-MLflow-Timestamp is not within five minutes of now');
  const signed = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64');
  const [expected, other] = [Buffer.from(`v1,${signed}`), Buffer.from(given)];
  if (expected.length !== other.length || !timingSafeEqual(expected, other))
    throw new AppError('unauthorized', 'X-MLflow-Signature does not fit the body and the secret');
}

function parsed(body: unknown): unknown {
  if (!Buffer.isBuffer(body)) return body;
  try {
    return parseJson(body.toString('utf8'));
  } catch (cause) {
    throw new AppError('invalid_request', 'the body is no JSON', { cause });
  }
}

/**
 * Webhooks of the MLflow Model Registry: a new version, or an alias or tag of one, announces a version that was trained anew.
 * What announces nothing is answered 200 with the reason, since a registry tells of all its models. To be mounted before bodies are parsed: the signature is over their bytes.
 */
export function createMlflowRoutes(ports: MlflowPorts, access: Access): Router {
  const { secret, alias } = ports;
  const router = Router();
  const admin = access.require('admin');

  const signedOrAdmin = (request: Request, response: Response, next: NextFunction) => {
    if (secret === null) {
      admin(request, response, next);
      return;
    }
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    assertMlflowSignature({ secret, headers: request.headers, body, nowMs: ports.nowMs() });
    next();
  };

  router.post(
    '/v1/webhooks/mlflow',
    express.raw({ type: () => true, limit: '1mb' }),
    signedOrAdmin,
    async (request, response) => {
      const { entity, action, data } = checked(mlflowEvent, parsed(request.body));
      const reader = READERS.get(`${entity}.${action}`);
      const reading = reader?.(data, alias) ?? `${entity}.${action} announces no version`;
      if (typeof reading === 'string') {
        response.json({ ignored: reading });
        return;
      }
      const { model } = reading;
      if (secret === null && !access.mayUse(request, model))
        throw new AppError('forbidden', 'this key is not for this model');
      if (!(await ports.store.listModels()).some((known) => known.model === model)) {
        response.json({ ignored: `no model ${model} is registered here` });
        return;
      }
      const by = secret === null ? access.actorOf(request) : 'mlflow';
      const { saved, ...announced } = await ports.announce({ ...reading, by });
      response.status(saved ? 201 : 200).json(announced);
    },
  );

  return router;
}
