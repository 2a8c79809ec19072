import { Counter, Gauge, Registry } from 'prom-client';
import type { RefusedRequests } from './refused.js';
import type { Spool } from './spool.js';

/** Metrics of one sidecar, in a registry of their own. Names and meanings: docs/metrics.md. */
export function createSidecarMetrics(
  spool: () => Pick<Spool, 'bytes' | 'records' | 'damagedBytes'> | null,
  refused: Pick<RefusedRequests, 'bytes' | 'requests' | 'look'> | null = null,
) {
  const registry = new Registry();
  const registers = [registry];
  /** NaN where the file cannot be looked at: why is told by `/readyz`, and the other metrics are there. */
  const seen = async (read: (found: Pick<RefusedRequests, 'bytes' | 'requests'>) => number) => {
    if (refused === null) return 0;
    const looked = await refused.look().then(
      () => true,
      () => false,
    );
    return looked ? read(refused) : Number.NaN;
  };
  new Gauge({
    name: 'plumbline_sidecar_waiting_bytes',
    help: 'Bytes on disk that the service has not taken yet.',
    registers,
    collect() {
      this.set(spool()?.bytes ?? 0);
    },
  });
  new Gauge({
    name: 'plumbline_sidecar_waiting_requests',
    help: 'Requests on disk that the service has not taken yet.',
    registers,
    collect() {
      this.set(spool()?.records ?? 0);
    },
  });
  new Gauge({
    name: 'plumbline_sidecar_refused_requests',
    help: 'Requests that the service refused for good and nobody has taken away.',
    registers,
    async collect() {
      this.set(await seen(({ requests }) => requests));
    },
  });
  new Gauge({
    name: 'plumbline_sidecar_refused_bytes',
    help: 'Bytes of the file of refused requests.',
    registers,
    async collect() {
      this.set(await seen(({ bytes }) => bytes));
    },
  });
  new Counter({
    name: 'plumbline_sidecar_damaged_bytes_total',
    help: 'Bytes of requests that were damaged on disk and cannot be delivered.',
    registers,
    collect() {
      this.reset();
      this.inc(spool()?.damagedBytes ?? 0);
    },
  });
  return {
    registry,
    received: new Counter({
      name: 'plumbline_sidecar_requests_total',
      help: 'Requests by outcome: kept on disk, or turned away.',
      labelNames: ['outcome'],
      registers,
    }),
    delivered: new Counter({
      name: 'plumbline_sidecar_delivered_total',
      help: 'Requests that the service took, or refused for good.',
      labelNames: ['outcome'],
      registers,
    }),
    deliveredBytes: new Counter({
      name: 'plumbline_sidecar_delivered_bytes_total',
      help: 'Bytes of bodies that the service took.',
      registers,
    }),
    retries: new Counter({
      name: 'plumbline_sidecar_retries_total',
      help: 'Deliveries that have to be tried again.',
      registers,
    }),
  };
}

export type SidecarMetrics = ReturnType<typeof createSidecarMetrics>;
