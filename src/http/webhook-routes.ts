import { type Request, Router } from 'express';
import { eventState, type WebhookAttempt, type WebhookEvent, type WebhookHold } from '../domain/episode.js';
import type { ModelStore } from '../domain/ports.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { checked } from './request-schemas.js';
import { webhookPause, webhookQuery, webhookReplay, webhookResume, webhookTest } from './webhook-schemas.js';

type Listed = { event: WebhookEvent; attempts: WebhookAttempt[] };
type Scope = { readonly model?: string | undefined; readonly hook?: string | undefined };

/** The desk of the alerts room, as far as it is reached from outside. */
export interface WebhookPorts {
  readonly store: Pick<ModelStore, 'listModels'>;
  readonly desk: {
    list(query: {
      model?: string;
      hook?: string;
      state?: 'pending' | 'delivered' | 'failed' | 'skipped';
      limit: number;
    }): Promise<Listed[]>;
    hooks(model: string): Promise<readonly object[]>;
    replay(id: string, mayUse: (model: string) => boolean): Promise<WebhookEvent>;
    replayFailed(scope: Scope): Promise<WebhookEvent[]>;
    test(model: string, hook: string | undefined, dryRun: boolean): Promise<object>;
    pause(scope: Scope, detail: string): Promise<void>;
    resume(scope: Scope): Promise<WebhookHold[]>;
  };
}

/** Outbox, dead letters, replay, test and kill switch. No route takes or shows a url or a secret. */
export function createWebhookRoutes({ store, desk }: WebhookPorts, access: Access): Router {
  const router = Router();
  const read = access.require('read');
  const admin = access.require('admin');

  /** A scope without a model is about all of them. */
  function assertScope(request: Request, model: string | undefined): void {
    if (model === undefined ? access.mayUseAll(request) : access.mayUse(request, model)) return;
    throw new AppError('forbidden', 'this key is not for this model, or not for all models');
  }

  router.get('/v1/webhooks', read, async (request, response) => {
    const { model, hook, state, limit } = checked(webhookQuery, request.query);
    const listed = await desk.list({
      limit,
      ...(model === undefined ? {} : { model }),
      ...(hook === undefined ? {} : { hook }),
      ...(state === undefined ? {} : { state }),
    });
    const events = listed
      .filter(({ event }) => access.mayUse(request, event.model))
      .map(({ event: { body: _, ...event }, attempts }) => ({
        ...event,
        state: eventState(attempts),
        attempts,
      }));
    response.json({ events });
  });

  router.get('/v1/webhooks/hooks', read, async (request, response) => {
    const names = [...new Set((await store.listModels()).map(({ model }) => model))];
    const usable = names.filter((model) => access.mayUse(request, model));
    const hooks = (await Promise.all(usable.map((model) => desk.hooks(model)))).flat();
    response.json({ hooks });
  });

  router.post('/v1/webhooks/replay', admin, async (request, response) => {
    const body = checked(webhookReplay, request.body);
    if (body.id !== undefined) {
      const event = await desk.replay(body.id, (model) => access.mayUse(request, model));
      response.json({ replayed: [event.id] });
      return;
    }
    assertScope(request, body.model);
    const events = await desk.replayFailed(body);
    response.json({ replayed: events.map(({ id }) => id) });
  });

  router.post('/v1/webhooks/test', admin, async (request, response) => {
    const { model, hook, dryRun } = checked(webhookTest, request.body);
    assertScope(request, model);
    response.json(await desk.test(model, hook, dryRun));
  });

  router.post('/v1/webhooks/pause', admin, async (request, response) => {
    const { reason, ...scope } = checked(webhookPause, request.body);
    assertScope(request, scope.model);
    await desk.pause(scope, reason);
    response.json({ paused: scope });
  });

  router.post('/v1/webhooks/resume', admin, async (request, response) => {
    const scope = checked(webhookResume, request.body);
    assertScope(request, scope.model);
    response.json({ released: await desk.resume(scope) });
  });

  return router;
}
