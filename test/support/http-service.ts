import type { Router } from 'express';
import { createEventReader } from '../../src/collectors/event-reader.js';
import { createMessageReader } from '../../src/collectors/formats/read-message.js';
import { createRowWriter } from '../../src/collectors/row-writer.js';
import { createSharedInserts } from '../../src/collectors/shared-inserts.js';
import type { FeatureKind } from '../../src/domain/model.js';
import { type Access, createAccess } from '../../src/http/access.js';
import { createIngestRoutes } from '../../src/http/ingest-routes.js';
import { HTTP_SOURCE } from '../../src/http/intake.js';
import { createHttpServer } from '../../src/http/server.js';
import { createMetrics } from '../../src/metrics.js';
import { createMemoryTables } from '../fakes/memory-tables.js';
import { createSilentLogger } from './silent-logger.js';

export interface HttpServiceOptions {
  readonly keys?: Parameters<typeof createAccess>[0];
  /** Further routes. */
  readonly api?: (access: Access) => Router;
  readonly pages?: Router;
  /** Routes that read their bodies themselves. */
  readonly signed?: (access: Access) => Router;
  readonly ready?: () => Promise<void>;
  readonly retryForMs?: number;
  readonly deadlineMs?: number;
}

const KINDS = new Map<string, FeatureKind>([
  ['age', 'numeric'],
  ['plan', 'categorical'],
]);
/** The wall clock of the service under test. */
export const NOW_MS = Date.UTC(2026, 0, 2);

/** The HTTP side of a service on a free port, wired as the app wires it, over rows in memory; `churn` 3 is registered. */
export async function startHttpService(options: HttpServiceOptions = {}) {
  const store = createMemoryTables();
  const metrics = createMetrics();
  const logger = createSilentLogger();
  const writer = createRowWriter({
    store,
    metrics,
    clock: { now: () => NOW_MS, observe: () => undefined },
    logger,
    retryForMs: options.retryForMs ?? 20_000,
  });
  const inserts = createSharedInserts({
    writer,
    join: store.joinPredictions,
    tokenPrefix: 'test',
    maxDelayMs: 5,
    deadlineMs: options.deadlineMs ?? 30_000,
  });
  const shared = {
    featureKinds: (model: string, version: string) =>
      model === 'churn' && version === '3' ? KINDS : undefined,
    earliestMs: () => Date.UTC(1971, 0, 1),
    wallClock: () => NOW_MS,
  };
  const read = createMessageReader(shared);
  const reader = createEventReader({ ...shared, idOf: () => null });
  const access = createAccess(options.keys ?? null);
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 0,
    hasKeys: options.keys !== undefined,
    insecureListen: false,
    access,
    metrics,
    logger,
    ready: options.ready ?? (async () => undefined),
    ingest: createIngestRoutes(
      {
        read,
        quickPredictions: { ...reader, read: (body, start) => reader.read(body, start, HTTP_SOURCE) },
        newPredictions: store.newPredictions,
        submit: inserts.submit,
      },
      access,
    ),
    signed: options.signed?.(access),
    api: options.api?.(access),
    pages: options.pages,
  });
  const { url, port } = await server.start();
  return {
    url,
    port,
    store,
    metrics,
    logger,
    send: (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      }),
    async stop(): Promise<void> {
      await server.stop();
      await inserts.stop();
    },
  };
}

export type HttpService = Awaited<ReturnType<typeof startHttpService>>;

export const EVENT = {
  prediction_id: 'r1',
  model: 'churn',
  model_version: '3',
  timestamp: '2026-01-01T00:00:00.123Z',
  features: { age: 31, plan: 'pro', x: null },
  prediction: 1,
  prediction_proba: 0.83,
};
export const LABEL = {
  prediction_id: 'r1',
  model: 'churn',
  model_version: '3',
  label: 0,
  timestamp: '2026-01-01T00:00:00Z',
};
export const eventsOf = (count: number, prefix = 'r') =>
  Array.from({ length: count }, (_, index) => ({ ...EVENT, prediction_id: `${prefix}${index}` }));
export const linesOf = (events: readonly unknown[]) =>
  events.map((event) => JSON.stringify(event)).join('\n');
