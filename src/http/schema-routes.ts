import { Router } from 'express';
import type { VersionKey } from '../domain/ports.js';
import type { SchemaChanges } from '../domain/schema-changes.js';
import type { Access } from './access.js';
import { checked, modelPath, schemaChangesQuery } from './request-schemas.js';

export interface SchemaPorts {
  readonly schemaChanges: (
    question: VersionKey & { readonly from?: number | undefined; readonly to?: number | undefined },
  ) => Promise<SchemaChanges>;
}

/** How what production sends differs from what a version declares. */
export function createSchemaRoutes({ schemaChanges }: SchemaPorts, access: Access): Router {
  const router = Router();
  router.get('/v1/models/:model/schema-changes', access.require('read'), async (request, response) => {
    const { model } = checked(modelPath, request.params);
    const { version: modelVersion, from, to } = checked(schemaChangesQuery, request.query);
    const { added, ...changes } = await schemaChanges({ model, modelVersion, from, to });
    response.json({
      ...changes,
      added: added.map(({ firstHourMs, lastHourMs, ...feature }) => ({
        ...feature,
        firstHour: new Date(firstHourMs).toISOString(),
        lastHour: new Date(lastHourMs).toISOString(),
      })),
    });
  });
  return router;
}
