import { Router } from 'express';
import type { PieceLength } from '../domain/performance.js';
import type { VersionComparison } from '../domain/version-comparison.js';
import type { Access } from './access.js';
import { checked, versionsQuery } from './request-schemas.js';

export interface VersionQuestion {
  readonly model: string;
  readonly champion: string;
  readonly challenger: string;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly figure?: string | undefined;
  readonly margin?: number | undefined;
  readonly minimumDays?: number | undefined;
  readonly bucket: PieceLength;
}

export interface VersionPorts {
  readonly compareVersions: (question: VersionQuestion) => Promise<VersionComparison>;
}

/** Two versions of a model side by side. */
export function createVersionRoutes(ports: VersionPorts, access: Access): Router {
  const router = Router();

  router.get('/v1/models/:model/compare-versions', access.require('read'), async (request, response) => {
    const question = checked(versionsQuery, request.query);
    response.json(await ports.compareVersions({ model: String(request.params.model), ...question }));
  });

  return router;
}
