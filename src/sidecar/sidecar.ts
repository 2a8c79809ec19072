import type { Logger } from '../domain/ports.js';
import { createAccess } from '../http/access.js';
import { createHttpServer } from '../http/server.js';
import { createForwarder } from './forwarder.js';
import { createSidecarMetrics } from './metrics.js';
import { createRefusedRequests } from './refused.js';
import { createSpoolRoutes } from './routes.js';
import { openSpool, type Spool } from './spool.js';

export interface SidecarOptions {
  /** Base URL of the service. */
  readonly url: string;
  /** The service's key with the scope `ingest`. */
  readonly key?: string | undefined;
  readonly directory: string;
  readonly maxBytes: number;
  readonly host: string;
  readonly port: number;
  /** How long a stop waits for what is on disk to be delivered, ms; what is not stays there. */
  readonly drainMs: number;
  readonly logger: Logger;
}

/**
 * Stands beside a model's server: takes events as the service does, keeps them on disk, and delivers them when the service is there. No engine
 * runs in it.
 */
export async function startSidecar(options: SidecarOptions) {
  const { url, key, directory, maxBytes, host, port, drainMs, logger } = options;
  const refused = createRefusedRequests(directory, logger);
  await refused.look();
  const spool: Spool = await openSpool({ directory, maxBytes, refused, logger });
  const metrics = createSidecarMetrics(() => spool, refused);
  const forwarder = createForwarder({ spool, url, key, refused, metrics, logger });
  const spoolDetail = () => {
    const damaged =
      spool.damagedBytes === 0
        ? ''
        : `; ${spool.damagedBytes} bytes were damaged on disk, their files are kept as *.damaged in ${directory}`;
    const kept =
      refused.requests === 0
        ? ''
        : `; ${refused.requests} requests (${refused.bytes} bytes) that the service refused are in refused.ndjson in ${directory}`;
    const waiting = `${spool.records} requests (${spool.bytes} bytes) wait on disk${kept}${damaged}`;
    if (spool.failure !== null) return `${spool.failure}: make room on its disk; ${waiting}`;
    return spool.full ? `the spool is full, it may hold ${maxBytes} bytes: ${waiting}` : waiting;
  };
  const server = createHttpServer({
    host,
    port,
    hasKeys: false,
    // Pods reach it by their own loopback; who opens it further has said so.
    insecureListen: true,
    access: createAccess(null),
    metrics,
    logger,
    // For the next answer: somebody may have taken the refused ones away.
    ready: () => refused.look(),
    checks: () => [
      {
        name: 'spool',
        ok: !spool.full && spool.failure === null,
        detail: spoolDetail(),
      },
      // Being there for senders while the service is not is what it is for.
      { name: 'service', ok: true, detail: forwarder.failure() ?? `${url} takes what it is sent` },
    ],
    ingest: createSpoolRoutes(spool, metrics),
  });
  const ended = new AbortController();
  let bound: { url: string };
  try {
    bound = await server.start();
  } catch (error) {
    await spool.close();
    throw error;
  }
  const running = forwarder.run(ended.signal);
  return {
    url: bound.url,
    async stop(): Promise<void> {
      await server.stop();
      const deadline = performance.now() + drainMs;
      while (spool.records > 0 && forwarder.failure() === null && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 20));
      ended.abort();
      await running;
      if (spool.records > 0)
        logger.info(
          { requests: spool.records, directory },
          'sidecar: what is left on disk is delivered by the next start',
        );
      await spool.close();
    },
  };
}
