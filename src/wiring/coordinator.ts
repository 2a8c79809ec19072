import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { ALONE, type Coordinator, createCoordinator } from '../jobs/coordinator.js';
import type { Parts } from './parts.js';

/** Which of several detectors does the work; with the embedded engine there is but one. */
export function wireCoordinator({ config, store, metrics, logger }: Parts): Coordinator {
  if ('dataDir' in config.store) {
    metrics.detectorLeader.set(1);
    return ALONE;
  }
  return createCoordinator({
    leases: store,
    name: 'detection',
    owner: `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`,
    logger,
    gauge: metrics.detectorLeader,
    ttlMs: config.jobs.lease,
  });
}
