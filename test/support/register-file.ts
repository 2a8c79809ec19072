import type { FeatureSchema, ModelVersion } from '../../src/domain/model.js';
import type { Store } from '../../src/domain/ports.js';
import { HOUR_MS, tile } from '../../src/domain/window.js';
import { inferSchema } from '../../src/jobs/infer-schema.js';

export const numeric = (name: string): FeatureSchema => ({ name, kind: 'numeric' });
export const categorical = (name: string): FeatureSchema => ({ name, kind: 'categorical' });

/** Schema, grids and counts of a reference file, under the hash `h`, and what the counts say over the whole file. */
export async function registerFile(store: Store, path: string, name: string) {
  const { schema, timestampColumn } = inferSchema(await store.describeFile(path), path);
  const model: ModelVersion = { model: name, modelVersion: '1', schema, registeredAtMs: 0 };
  await store.saveGrids(name, await store.buildGrids(path, model));
  const imported = await store.importReference({
    path,
    model,
    grids: await store.listGrids(name),
    hash: 'h',
    timestampColumn,
  });
  const period = imported.period ?? { startMs: 0, endMs: HOUR_MS };
  const merged = await store.mergedProfiles(
    { model: name, modelVersion: '1', scope: 'reference:h' },
    tile({
      startMs: Math.floor(period.startMs / HOUR_MS) * HOUR_MS,
      endMs: Math.ceil(period.endMs / HOUR_MS) * HOUR_MS,
    }),
  );
  return { schema, timestampColumn, imported, merged, grids: await store.listGrids(name) };
}
