import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createAddressGuard } from '../../src/alerts/address-guard.js';
import { createAlertEngine } from '../../src/alerts/alert-engine.js';
import { createDispatcher } from '../../src/alerts/dispatcher.js';
import { createGaugeFollower } from '../../src/alerts/gauge-follower.js';
import { createGuardedRequest } from '../../src/alerts/guarded-request.js';
import { createVerdictGauges } from '../../src/alerts/prometheus.js';
import { createStandings } from '../../src/alerts/standings.js';
import { createWebhookSink } from '../../src/alerts/webhook-sink.js';
import { AWAKE } from '../../src/domain/silence.js';
import type { WindowOutcome } from '../../src/domain/verdict.js';
import { HOUR_MS } from '../../src/domain/window.js';
import { createMetrics } from '../../src/metrics.js';
import { createStore } from '../../src/store/store.js';
import { retrainHook } from '../support/hooks.js';
import { outcomesOf, verdictOf } from '../support/outcomes.js';
import { createSilentLogger } from '../support/silent-logger.js';
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.js';

const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const wall = { now: () => Date.now(), observe: () => undefined };
const logger = createSilentLogger();

/** The alert path over the real store, as one process of the service has it. */
const send = createGuardedRequest(createAddressGuard({ allow: ['127.0.0.1'] }));

async function startService(dataDir: string, url: string) {
  const store = await createStore({ kind: 'embedded', dataDir, logger });
  await store.migrate();
  const metrics = createMetrics();
  const gauges = createVerdictGauges({ metrics, logger, routeOf: (_model, category) => category });
  let nowMs = 0;
  const clock = { now: () => nowMs, observe: () => undefined };
  await createGaugeFollower({ store, gauges, clock }).follow();
  gauges.episodesOpen(await store.listEpisodes({ state: 'open', limit: 10 }), () => AWAKE);
  const standings = createStandings({ store, maintenanceOf: () => [], clock });
  const engine = createAlertEngine({
    store,
    standings,
    policyFor: () => ({ openCount: 2, openWindows: 2, closeCount: 2, cooldownMs: 0, stepMs: HOUR_MS }),
    hooksFor: () => [retrainHook()],
    gauges,
    clock,
    logger,
    publicUrl: null,
  });
  const dispatcher = createDispatcher({
    outbox: store,
    sinkFor: () =>
      createWebhookSink({
        address: { url, params: {}, inputs: {} },
        credentials: { secret },
        clock: wall,
        send,
      }),
    clock: wall,
    logger,
    metrics,
    random: () => 0,
  });
  return {
    store,
    metrics,
    dispatcher,
    /** Judges windows as the cycle does; `recorded: false` leaves the last step out, so that a restart repeats the window. */
    async judge(outcomes: readonly WindowOutcome[]) {
      for (const outcome of outcomes) {
        nowMs = outcome.window.endMs;
        await store.saveVerdicts([verdictOf({ window: outcome.window })]);
        await store.saveOutcomes([outcome]);
        await engine.windowJudged([outcome]);
      }
    },
  };
}

let dataDir: string;
let receiver: WebhookReceiver;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'plumbline-alert-path-'));
  receiver = await startWebhookReceiver(secret);
});

afterEach(async () => {
  await receiver.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('alert path over the real store', () => {
  it('opens, delivers and resolves once, over restarts and repeated windows', async () => {
    const windows = outcomesOf('cddcc');
    const first = await startService(dataDir, receiver.url);
    await first.store.saveModel({
      model: 'churn',
      modelVersion: '3',
      schema: { task: 'binary', features: [] },
      registeredAtMs: 0,
    });
    await first.judge(windows.slice(0, 3));
    receiver.answerNext({ status: 500 });
    expect(await first.dispatcher.deliverDue()).toMatchObject({ retry: 1, delivered: 0, waiting: 1 });
    await first.store.close();

    const second = await startService(dataDir, receiver.url);
    const exposition = await second.metrics.registry.metrics();
    expect(exposition).toMatch(
      /plumbline_episode_open\{.*category="drift",severity="critical",route="drift"\} 1/,
    );
    expect(exposition).toMatch(/plumbline_drift_statistic\{.*feature="age",detector="ks"\} 0\.3/);
    // The window before the restart was not recorded as done: it is judged again.
    await second.judge(windows.slice(2));
    expect(await second.dispatcher.deliverDue()).toMatchObject({ delivered: 3, waiting: 0 });
    await second.judge(windows.slice(4));
    expect(await second.dispatcher.deliverDue()).toEqual({
      delivered: 0,
      retry: 0,
      failed: 0,
      skipped: 0,
      waiting: 0,
    });
    expect(await second.store.listEpisodes({ limit: 10 })).toEqual([
      expect.objectContaining({
        state: 'closed',
        openedBy: windows[2]?.window,
        closedBy: windows[4]?.window,
      }),
    ]);
    await second.store.close();

    const types = receiver.requests.map((request) => (JSON.parse(request.body) as { type: string }).type);
    expect(new Set(types)).toEqual(new Set(['retraining.requested', 'drift.detected', 'drift.resolved']));
    // One attempt got a 500; each event has one id, and the resolution came last.
    expect(receiver.requests).toHaveLength(4);
    expect(new Set(receiver.requests.map((request) => request.id)).size).toBe(3);
    expect(types.at(-1)).toBe('drift.resolved');
    expect(receiver.requests.every((request) => request.verified)).toBe(true);
  });
});
