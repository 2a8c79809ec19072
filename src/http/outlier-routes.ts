import { Router } from 'express';
import { forestColumns } from '../domain/model.js';
import type { OutlierCursor, OutlierRecord, OutlierStore } from '../domain/outlier-ports.js';
import type { ModelStore } from '../domain/ports.js';
import { END_OF_TIME_MS } from '../domain/window.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { checked, outlierQuery, versionPath } from './request-schemas.js';

export type OutlierPorts = Pick<ModelStore, 'listModels'> & Pick<OutlierStore, 'listOutliers'>;

const cursorText = ({ scoreBits, timestampMs, identity }: OutlierCursor) =>
  `${scoreBits}_${timestampMs}_${identity}`;

/** Rows that the isolation forest flagged, with their values and what isolated them. */
export function createOutlierRoutes(store: OutlierPorts, access: Access): Router {
  const router = Router();

  router.get(
    '/v1/models/:model/versions/:version/outliers',
    access.require('read'),
    async (request, response) => {
      const { model, version: modelVersion } = checked(versionPath, request.params);
      const { from = 0, to = END_OF_TIME_MS, cursor, ...filters } = checked(outlierQuery, request.query);
      if (from >= to) throw new AppError('invalid_request', 'from: must be before to');
      const known = (await store.listModels()).find(
        (each) => each.model === model && each.modelVersion === modelVersion,
      );
      if (known === undefined)
        throw new AppError(
          'unknown_model',
          'this model version is not registered: GET /v1/models lists those that are',
        );
      const { outliers, next } = await store.listOutliers(
        { model, modelVersion },
        forestColumns(known.schema),
        { ...filters, window: { startMs: from, endMs: to }, after: cursor },
      );
      response.json({
        outliers: outliers.map(answerOf),
        next: next === null ? null : cursorText(next),
      });
    },
  );

  return router;
}

/** JSON has no infinite numbers: they are told as text. */
function answerOf({ timestampMs, values, ...outlier }: OutlierRecord) {
  const told =
    values === null
      ? null
      : Object.fromEntries(
          Object.entries(values).map(([name, value]) => [
            name,
            typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
          ]),
        );
  return { ...outlier, at: new Date(timestampMs).toISOString(), values: told };
}
