import type { Router } from 'express';
import { type Access, createKey } from '../../src/http/access.js';
import { createEpisodeRoutes } from '../../src/http/episode-routes.js';
import { createModelRoutes } from '../../src/http/model-routes.js';
import { createMemoryDesk } from './episode-desk.js';
import { type HttpService, startHttpService } from './http-service.js';
import { CHURN, createModelPorts, EPISODE, type NotedPorts, RETRAINED } from './model-ports.js';

export interface ModelServiceOptions {
  /** Routes besides those of models and episodes. */
  readonly further?: (access: Access, noted: NotedPorts) => readonly Router[];
  /** Routes that read their bodies themselves. */
  readonly signed?: (access: Access, noted: NotedPorts) => Router;
}

/** A service with the routes of models and their episodes, to be started, reset before each test, and stopped. */
export function createModelService({ further, signed }: ModelServiceOptions = {}) {
  const noted = createModelPorts();
  const { ports, state, reset } = noted;
  const admin = createKey(['admin'], ['*']);
  const reader = createKey(['read'], ['chu*']);
  let service: HttpService;
  const url = () => service.url;

  async function start(): Promise<void> {
    const { store, desk } = createMemoryDesk([CHURN]);
    await store.saveEpisode(EPISODE);
    service = await startHttpService({
      keys: [admin.entry, reader.entry],
      ...(signed === undefined ? {} : { signed: (access) => signed(access, noted) }),
      api: (access) => {
        const retrainings = async () => [RETRAINED];
        const routes = createModelRoutes(ports, access).use(
          createEpisodeRoutes({ store: ports.store, desk, retrainings, publicUrl: '' }, access),
        );
        for (const router of further?.(access, noted) ?? []) routes.use(router);
        return routes;
      },
    });
  }

  async function call(
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
    type = 'application/json',
  ) {
    const headers: Record<string, string> = { authorization: `Bearer ${admin.key}` };
    if (type !== '') headers['content-type'] = type;
    const response = await fetch(url() + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  return { start, stop: () => service.stop(), reset, url, admin, reader, state, call };
}
