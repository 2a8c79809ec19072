import { Router } from 'express';
import type { SnapshotStore } from '../domain/backup.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';

/** Snapshots of the embedded store, for `plumbline backup`, which copies them elsewhere and removes them. */
export function createBackupRoutes(store: SnapshotStore, access: Access): Router {
  const router = Router();
  router.post('/v1/backups', access.requireAllModels('admin'), async (_request, response) => {
    const { id, path, manifest } = await store.takeSnapshot();
    response.status(201).json({ id, path, manifest });
  });
  router.delete('/v1/backups/:id', access.requireAllModels('admin'), async (request, response) => {
    const id = String(request.params.id);
    if (!(await store.removeSnapshot(id)))
      throw new AppError('not_found', `there is no snapshot ${id.slice(0, 60)}`);
    response.json({ removed: id });
  });
  return router;
}
