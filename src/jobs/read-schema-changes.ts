import { PRODUCTION, type Store, type VersionKey } from '../domain/ports.js';
import type { SchemaChanges } from '../domain/schema-changes.js';
import { DAY_MS, HOUR_MS, tile, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';

export interface SchemaReaderDeps {
  readonly store: Pick<Store, 'listModels' | 'watermarks' | 'mergedProfiles' | 'undeclaredFeatures'>;
}

export interface SchemaQuestion extends VersionKey {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/**
 * Tells how what production sends differs from what a version declares: by default in the last day of its data. Throws
 * `unknown_model`, `invalid_request` for a period that ends before it begins.
 */
export function createSchemaReader({ store }: SchemaReaderDeps) {
  async function periodOf({ model, modelVersion, from, to }: SchemaQuestion): Promise<Window> {
    const mark = (await store.watermarks()).find(
      (each) => each.model === model && each.modelVersion === modelVersion,
    );
    const endMs = to ?? Math.ceil(((mark?.watermarkMs ?? 0) + 1) / HOUR_MS) * HOUR_MS;
    const startMs = from ?? Math.max(0, endMs - DAY_MS);
    if (startMs >= endMs) throw new AppError('invalid_request', 'from: must be before to');
    return { startMs, endMs };
  }

  return async function schemaChanges(question: SchemaQuestion): Promise<SchemaChanges> {
    const { model, modelVersion } = question;
    const version = (await store.listModels()).find(
      (known) => known.model === model && known.modelVersion === modelVersion,
    );
    if (version === undefined)
      throw new AppError(
        'unknown_model',
        'this model version is not registered: GET /v1/models lists those that are',
      );
    const window = await periodOf(question);
    const features = version.schema.features.map(({ name }) => name);
    const profiles = await store.mergedProfiles(
      { model, modelVersion, scope: PRODUCTION, features },
      tile(window),
    );
    return {
      model,
      modelVersion,
      window,
      rows: Math.max(0, ...profiles.map(({ rows }) => rows)),
      added: await store.undeclaredFeatures(version, window),
      removed: profiles
        .filter(({ rows, missing, mistyped }) => rows > 0 && missing === rows && mistyped === 0)
        .map(({ feature }) => feature),
      retyped: profiles
        .filter(({ mistyped }) => mistyped > 0)
        .map(({ feature, mistyped }) => ({ feature, rows: mistyped }))
        .sort((a, b) => b.rows - a.rows),
    };
  };
}

export type SchemaReader = ReturnType<typeof createSchemaReader>;
