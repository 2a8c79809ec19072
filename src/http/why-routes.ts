import { Router } from 'express';
import type { WindowExplanation } from '../domain/explanation.js';
import type { VersionKey } from '../domain/ports.js';
import { DAY_MS, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { checked, whyQuery } from './request-schemas.js';

/** Longest period that is explained at once. */
const MAX_SPAN_MS = 3_660 * DAY_MS;

/** What drifted in a window, and what of it matters to the prediction. */
export function createWhyRoutes(
  ports: {
    readonly explain: (
      key: VersionKey,
      asked: Window | null,
    ) => Promise<{ period: Window; windows: number; explanation: WindowExplanation }>;
  },
  access: Access,
): Router {
  const router = Router();

  router.get('/v1/models/:model/why', access.require('read'), async (request, response) => {
    const { version, from, to } = checked(whyQuery, request.query);
    if ((from === undefined) !== (to === undefined))
      throw new AppError('invalid_request', 'from, to: give both, or neither for the newest judged window');
    const asked = from === undefined || to === undefined ? null : { startMs: from, endMs: to };
    if (asked !== null && asked.startMs >= asked.endMs)
      throw new AppError('invalid_request', 'from: must be before to');
    if (asked !== null && asked.endMs - asked.startMs > MAX_SPAN_MS)
      throw new AppError('invalid_request', 'from, to: must be at most ten years apart');
    const key = { model: String(request.params.model), modelVersion: version };
    const { period, windows, explanation } = await ports.explain(key, asked);
    response.json({ window: period, windowsDrifted: windows, ...explanation });
  });

  return router;
}
