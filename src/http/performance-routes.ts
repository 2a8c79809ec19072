import { type Request, Router } from 'express';
import type { PieceLength } from '../domain/performance.js';
import type { PerformanceAnswer } from '../domain/performance-figures.js';
import type { VersionKey } from '../domain/ports.js';
import type { Segment } from '../domain/segment.js';
import { END_OF_TIME_MS, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { checked, performanceQuery } from './request-schemas.js';

export interface PerformanceQuestion extends VersionKey {
  readonly period: Window | null;
  readonly bucket: PieceLength;
  readonly segment: Segment | null;
}

export interface PerformancePorts {
  readonly performance: (question: PerformanceQuestion) => Promise<PerformanceAnswer>;
}

/** What a request asks for. Throws AppError `invalid_request`. */
export function performanceQuestion(request: Request): PerformanceQuestion {
  const { version, from, to, bucket, segment } = checked(performanceQuery, request.query);
  const period =
    from === undefined && to === undefined ? null : { startMs: from ?? 0, endMs: to ?? END_OF_TIME_MS };
  if (period !== null && period.startMs >= period.endMs)
    throw new AppError('invalid_request', 'from: must be before to');
  const key = { model: String(request.params.model), modelVersion: version };
  return { ...key, period, bucket, segment: segment ?? null };
}

/** How good a version was, by the labels that have come. */
export function createPerformanceRoutes(ports: PerformancePorts, access: Access): Router {
  const router = Router();

  router.get('/v1/models/:model/performance', access.require('read'), async (request, response) => {
    response.json(await ports.performance(performanceQuestion(request)));
  });

  return router;
}
