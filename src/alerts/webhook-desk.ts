import { randomUUID } from 'node:crypto';
import type { Clock } from '../domain/clock.js';
import {
  type Episode,
  eventState,
  type WebhookAttempt,
  type WebhookEvent,
  type WebhookHold,
} from '../domain/episode.js';
import type { Logger, OutboxStore } from '../domain/ports.js';
import { AppError } from '../errors.js';
import type { HookSettings } from './alert-engine.js';
import type { Delivery } from './sink.js';
import { webhookEvent } from './webhook-events.js';
import type { PresetName } from './webhook-presets.js';
import type { RequestPreview, WebhookSink } from './webhook-sink.js';

export const TEST_TYPE = 'webhook.test';
/** Of one `replay` of all that failed. */
const MAX_REPLAYED = 1_000;

/** A hook as it was configured. */
export interface ConfiguredHook {
  readonly settings: HookSettings;
  readonly preset: PresetName;
  readonly dryRun: boolean;
  readonly sink: WebhookSink;
}

/** Which hooks something is about; a missing name stands for all. */
export interface HookScope {
  readonly model?: string | undefined;
  readonly hook?: string | undefined;
}

export interface WebhookDeskOptions {
  readonly outbox: Pick<OutboxStore, 'listEvents' | 'saveAttempt' | 'saveHold' | 'listHolds'>;
  readonly hooksFor: (model: string) => readonly ConfiguredHook[];
  /** The wall clock. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publicUrl: string | null;
}

/** What people do with webhooks: look, replay, try, pause, and let go again. Deliveries stay the dispatcher's. */
export function createWebhookDesk(options: WebhookDeskOptions) {
  const { outbox, hooksFor, clock, publicUrl } = options;
  const logger = options.logger.child({ component: 'webhooks' });

  function hookOf(model: string, name?: string): ConfiguredHook {
    const hooks = hooksFor(model);
    const found = name === undefined ? hooks[0] : hooks.find(({ settings }) => settings.name === name);
    if (found !== undefined) return found;
    const known = hooks.map(({ settings }) => settings.name).join(', ') || 'none';
    throw new AppError('not_found', `no hook ${name ?? ''} is configured for ${model}: it has ${known}`);
  }

  async function replayEvent({
    event,
    attempts,
  }: {
    event: WebhookEvent;
    attempts: readonly WebhookAttempt[];
  }) {
    const nowMs = clock.now();
    await outbox.saveAttempt({
      eventId: event.id,
      attempt: (attempts.at(-1)?.attempt ?? 0) + 1,
      outcome: 'replay',
      status: 0,
      detail: '',
      atMs: nowMs,
      nextAttemptAtMs: nowMs,
    });
    logger.info({ eventId: event.id, model: event.model, hook: event.hook }, 'webhook will be sent again');
  }

  async function setHold(
    { model = '', hook = '' }: HookScope,
    reason: WebhookHold['reason'],
    held: boolean,
    detail: string,
  ) {
    await outbox.saveHold({ model, hook, reason, held, detail, atMs: clock.now() });
    logger.warn({ model, hook, reason, detail }, held ? 'webhooks are held' : 'webhooks are let go');
  }

  return {
    list: (query: Parameters<OutboxStore['listEvents']>[0]) => outbox.listEvents(query),

    /** The hooks of a model, without secrets and without what a url may hold of them. */
    async hooks(model: string) {
      const held = await outbox.listHolds();
      return hooksFor(model).map(({ settings, preset, dryRun, sink }) => ({
        model,
        hook: settings.name,
        preset,
        target: sink.origin,
        on: settings.on,
        severity: settings.severity,
        categories: settings.categories,
        maxPerDay: settings.maxPerDay,
        cooldownMs: settings.cooldownMs,
        dryRun,
        holds: held
          .filter((hold) => hold.model === '' || hold.model === model)
          .filter((hold) => hold.hook === '' || hold.hook === settings.name)
          .map(({ reason, detail, atMs }) => ({ reason, detail, atMs })),
      }));
    },

    /**
     * Sends an event again, under its id and with its body, whatever became of it.
     *
     * @throws AppError not_found; invalid_request while it waits for its next attempt anyway
     */
    async replay(id: string, mayUse: (model: string) => boolean = () => true): Promise<WebhookEvent> {
      const [found] = await outbox.listEvents({ id, limit: 1 });
      if (found === undefined || !mayUse(found.event.model))
        throw new AppError('not_found', `no webhook event ${id}: see plumbline webhook list`);
      if (eventState(found.attempts) === 'pending')
        throw new AppError('invalid_request', `the event ${id} waits for its next attempt already`);
      await replayEvent(found);
      return found.event;
    },

    /** Sends again what failed for good. */
    async replayFailed({ model, hook }: HookScope): Promise<WebhookEvent[]> {
      const failed = await outbox.listEvents({
        state: 'failed',
        limit: MAX_REPLAYED,
        ...(model === undefined ? {} : { model }),
        ...(hook === undefined ? {} : { hook }),
      });
      for (const each of failed) await replayEvent(each);
      return failed.map(({ event }) => event);
    },

    /**
     * Sends one event of type `webhook.test` right now, past pauses and limits, or shows the request without sending it. A
     * preset starts its run for it: nothing less would test it.
     */
    async test(
      model: string,
      name: string | undefined,
      dryRun: boolean,
    ): Promise<{ hook: string; request: RequestPreview; delivery: Delivery | null }> {
      const { sink, settings } = hookOf(model, name);
      const nowMs = clock.now();
      const event: WebhookEvent = {
        ...webhookEvent(testEpisode(model, nowMs), TEST_TYPE, nowMs, {
          referenceHash: null,
          publicUrl,
          retraining: 'none',
        }),
        id: `evt_test_${randomUUID().replaceAll('-', '')}`,
        hook: settings.name,
      };
      return {
        hook: settings.name,
        request: sink.preview(event),
        delivery: dryRun ? null : await sink.send(event),
      };
    },

    /** The kill switch: nothing more is sent in the scope until `resume`. Events wait, and no attempt is counted. */
    pause: (scope: HookScope, detail: string) => setHold(scope, 'paused', true, detail),

    /** Lets go what was paused under this very scope, and endpoints within it that were gone. What waited is sent. */
    async resume(scope: HookScope): Promise<WebhookHold[]> {
      const { model = '', hook = '' } = scope;
      const released = (await outbox.listHolds()).filter(
        (hold) =>
          (hold.model === model && hold.hook === hook) ||
          (hold.reason === 'gone' &&
            (model === '' || hold.model === model) &&
            (hook === '' || hold.hook === hook)),
      );
      for (const hold of released) await setHold(hold, hold.reason, false, '');
      return released;
    },
  };
}

function testEpisode(model: string, nowMs: number): Episode {
  const window = { startMs: nowMs - 3_600_000, endMs: nowMs };
  return {
    id: 'test',
    model,
    modelVersion: 'test',
    category: 'drift',
    severity: 'warning',
    state: 'open',
    firstWindow: window,
    openedBy: window,
    closedBy: null,
    lastWindow: window,
    drivers: [],
    openedAtMs: nowMs,
    closedAtMs: null,
  };
}

export type WebhookDesk = ReturnType<typeof createWebhookDesk>;
