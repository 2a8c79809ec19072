import { type Request, Router } from 'express';
import type { Logger, Store } from '../domain/ports.js';
import type { StoredPolicy, StoredPolicyStore } from '../domain/stored-policy.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { askedQuery, policyBody } from './episode-schemas.js';
import { checked } from './request-schemas.js';

export interface PolicySettingPorts {
  readonly store: Pick<Store, 'listModels'> & Omit<StoredPolicyStore, 'storedPolicies'>;
  /** The policy in force as the service reads it, that of the file, and which wins where both are there. */
  readonly policyOf: (model: string) => {
    readonly inForce: object;
    readonly ofFile: object;
    readonly source: 'store' | 'file';
    readonly policyFrom: 'store' | 'file';
  };
  /** Throws invalid_request for a section that cannot be read. */
  readonly check: (policy: Readonly<Record<string, unknown>>) => void;
  readonly changed: () => Promise<void>;
  /** Real time, ms. */
  readonly nowMs: () => number;
  readonly logger: Pick<Logger, 'info'>;
}

/** The policy of a model: what is in force, who set it, and setting it without a restart. */
export function createPolicySettingRoutes(ports: PolicySettingPorts, access: Access): Router {
  const { store } = ports;
  const router = Router();
  const admin = access.require('admin');

  async function registered(request: Request): Promise<string> {
    const model = String(request.params.model);
    if ((await store.listModels()).some((known) => known.model === model)) return model;
    throw new AppError('unknown_model', 'this model is not registered: GET /v1/models lists those that are');
  }

  async function described(model: string) {
    const { inForce, ofFile, source, policyFrom } = ports.policyOf(model);
    return { model, policy: inForce, source, policyFrom, ofFile, history: await store.policyHistory(model) };
  }

  async function save(request: Request, saved: Omit<StoredPolicy, 'via' | 'atMs'>): Promise<void> {
    const via = access.actorOf(request);
    await store.savePolicy({ ...saved, by: saved.by === '' ? via : saved.by, via, atMs: ports.nowMs() });
    await ports.changed();
    ports.logger.info({ model: saved.model, by: saved.by, via }, 'policy changed');
  }

  router.get('/v1/models/:model/policy', access.require('read'), async (request, response) => {
    const model = await registered(request);
    // Another process may have set one since the last tick.
    await ports.changed();
    response.json(await described(model));
  });

  router.put('/v1/models/:model/policy', admin, async (request, response) => {
    const { policy, by = '', note } = checked(policyBody, request.body);
    ports.check(policy);
    const model = await registered(request);
    if (ports.policyOf(model).policyFrom === 'file')
      throw new AppError(
        'forbidden',
        'the configuration says policyFrom: file for this model: change its policy there',
      );
    await save(request, { model, policy, by, note });
    response.json(await described(model));
  });

  router.delete('/v1/models/:model/policy', admin, async (request, response) => {
    const { by = '', note } = checked(askedQuery, request.query);
    const model = await registered(request);
    const [newest] = await store.policyHistory(model);
    if (newest === undefined || newest.policy === null)
      throw new AppError('not_found', 'no policy was set for this model: that of the file is in force');
    await save(request, { model, policy: null, by, note });
    response.json(await described(model));
  });

  return router;
}
