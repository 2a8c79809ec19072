import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Request, type Response, type Router } from 'express';
import helmet from 'helmet';
import type { Logger } from '../domain/ports.js';
import { AppError, messageOf } from '../errors.js';
import type { Metrics } from '../metrics.js';
import { type Access, assertListenAllowed, isLoopback } from './access.js';
import { createProblemHandler } from './problem.js';
import { type ReadinessCheck, readinessBody } from './readiness.js';

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly hasKeys: boolean;
  readonly insecureListen: boolean;
  readonly access: Access;
  readonly metrics: Pick<Metrics, 'registry'>;
  /** Called before the metrics are shown. */
  readonly beforeScrape?: () => void;
  readonly logger: Logger;
  /** Rejects, with the reason, while the service cannot do its work. */
  readonly ready: () => Promise<void>;
  /** What else this process needs to do its work, as far as it is known now. */
  readonly checks?: () => readonly ReadinessCheck[];
  readonly ingest?: Router | undefined;
  readonly rejected?: Router | undefined;
  /** Routes that read their bodies themselves, as their bytes are signed. */
  readonly signed?: Router | undefined;
  readonly api?: Router | undefined;
  readonly pages?: Router | undefined;
}

const STOP_DEADLINE_MS = 10_000;
const READY_DEADLINE_MS = 5_000;

/** Rejects when the answer takes longer; the question itself goes on. */
async function inTime(answer: Promise<void>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new AppError('store_unavailable', `no answer from the store within ${deadlineMs} ms`)),
      deadlineMs,
    );
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The HTTP side of the service: routes by scope, health, metrics, errors as problem documents. */
export function createHttpServer(options: HttpServerOptions) {
  const { access, metrics, logger } = options;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          'default-src': ["'none'"],
          'style-src': ["'unsafe-inline'"],
          'img-src': ["'self'", 'data:'],
          'frame-ancestors': ["'none'"],
          'base-uri': ["'none'"],
          'form-action': ["'self'"],
        },
      },
      // TLS ends in front of this service: it cannot promise it.
      strictTransportSecurity: false,
    }),
  );
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' });
  });
  app.get('/readyz', async (_request: Request, response: Response) => {
    const checks = options.checks?.() ?? [];
    const store = await inTime(options.ready(), READY_DEADLINE_MS).then(() => null, messageOf);
    const body = readinessBody(store, checks);
    response.status(body.reason === undefined ? 200 : 503).json(body);
  });
  app.get('/metrics', access.requireAllModels('read'), async (_request, response) => {
    options.beforeScrape?.();
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  if (options.ingest !== undefined) app.use(options.ingest);
  if (options.signed !== undefined) app.use(options.signed);
  for (const routes of [options.rejected, options.api])
    if (routes !== undefined) app.use(express.json({ limit: '1mb' }), routes);
  if (options.pages !== undefined) app.use(access.requirePage(), options.pages);
  app.use((request: Request) => {
    throw new AppError('not_found', `nothing is at ${request.method} ${request.path.slice(0, 200)}`);
  });
  app.use(createProblemHandler(logger));

  const server = createServer(app);
  // Senders that trickle are cut; a large reference over a slow line is not.
  server.headersTimeout = 20_000;
  server.requestTimeout = 300_000;
  // Longer than proxies and forwarders keep idle connections: the side that closes first must not be this one.
  server.keepAliveTimeout = 75_000;

  return {
    async start(): Promise<{ port: number; url: string }> {
      const { host, port } = options;
      assertListenAllowed(options);
      if (!options.hasKeys && options.insecureListen && !isLoopback(host))
        logger.warn(
          { host },
          'listening without keys: anyone who reaches this port may read and write everything',
        );
      await new Promise<void>((resolve, reject) => {
        server.once('error', (cause: NodeJS.ErrnoException) =>
          reject(
            cause.code === 'EADDRINUSE'
              ? new AppError(
                  'port_in_use',
                  `port ${port} on ${host} is taken: stop what uses it, or choose another with --port`,
                  { cause },
                )
              : new AppError('config_invalid', `cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
                  cause,
                }),
          ),
        );
        server.listen(port, host, resolve);
      });
      const bound = (server.address() as AddressInfo).port;
      return { port: bound, url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}` };
    },

    /** Answers what has begun, then closes; cuts what is not done by the deadline. */
    async stop(): Promise<void> {
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), STOP_DEADLINE_MS);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      });
    },
  };
}

export type HttpServer = ReturnType<typeof createHttpServer>;
