import { createAlertmanagerPush } from '../alerts/alertmanager-push.js';
import type { Standings } from '../alerts/standings.js';
import { readSecret } from '../config.js';
import type { Coordinator } from '../jobs/coordinator.js';
import type { Parts } from './parts.js';
import { publicUrlOf } from './webhooks.js';

/** The direct way to Alertmanager; null where none is configured. Throws config_invalid when the token cannot be read. */
export function wireAlertmanager(parts: Parts, standings: Standings, coordinator: Coordinator) {
  const { config, store, clock, wallClock, logger, metrics, policies } = parts;
  const { alertmanager, runbooksUrl } = config.alerts;
  if (alertmanager === undefined) return null;
  const { urls, resend, tokenEnv, tokenFile } = alertmanager;
  const token =
    tokenEnv === undefined && tokenFile === undefined
      ? null
      : readSecret({ secretEnv: tokenEnv, secretFile: tokenFile });
  return createAlertmanagerPush({
    urls,
    resendMs: resend,
    authorization: token === null ? undefined : `Bearer ${token}`,
    store,
    standingOf: standings.of,
    routeOf: (model, category) => policies.settings(model).policy.routes[category] ?? category,
    links: { publicUrl: publicUrlOf(config), runbooksUrl: runbooksUrl?.replace(/\/+$/, '') },
    active: coordinator.leads,
    clock,
    wallClock,
    logger,
    metrics,
  });
}
