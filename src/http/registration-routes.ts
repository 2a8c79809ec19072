import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Request, type Response, Router } from 'express';
import type { FeatureSchema, ModelSchema, ModelVersion } from '../domain/model.js';
import type { AskedForest } from '../domain/outlier.js';
import type { Logger, ModelStore } from '../domain/ports.js';
import type { Reference, ReferenceAuthor } from '../domain/reference.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { decoderFor } from './body.js';
import { answerOf, createReferenceRoutes, type ReferencePorts } from './reference-routes.js';
import { checked, modelPath, referenceQuery, schemaBody, versionPath } from './request-schemas.js';

const FORMATS: Readonly<Record<string, string>> = {
  'application/vnd.apache.parquet': 'parquet',
  'application/x-parquet': 'parquet',
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
};
/** Types that say nothing: the first bytes tell. */
const UNTOLD: ReadonlySet<string> = new Set(['', 'application/octet-stream']);

const DEFAULT_MAX_REFERENCE_BYTES = 2 * 1024 * 1024 * 1024;

export interface RegistrationPorts extends ReferencePorts {
  readonly store: ReferencePorts['store'] &
    Pick<ModelStore, 'saveModel' | 'currentReference' | 'deleteModel'>;
  readonly registerReference: (input: {
    path: string;
    model: string;
    modelVersion: string;
    provenance: string;
    author: ReferenceAuthor;
    outliers: AskedForest;
  }) => Promise<{ model: ModelVersion; reference: Reference }>;
  readonly logger: Pick<Logger, 'warn'>;
  /** Called after a schema was saved or a model deleted, so that its events are taken, or refused, at once. */
  readonly modelSaved: () => Promise<void>;
  readonly nowMs: () => number;
  /** Declared features as the model's privacy policy has them; as they are when left out. Throws invalid_schema. */
  readonly treatDeclared?: (
    model: string,
    declared: readonly FeatureSchema[],
    versions: readonly ModelVersion[],
  ) => readonly FeatureSchema[];
  /** Of one reference, after decompression. */
  readonly maxReferenceBytes?: number;
}

/** What a caller can declare: the rest was read off the reference, or seen in production. */
function declaredPart({ task, features, probability }: ModelSchema) {
  return {
    task,
    features: features.map(({ name, kind, privacy }) => ({
      name,
      kind,
      ...(privacy === undefined ? {} : { privacy }),
    })),
    ...(probability === false ? { probability } : {}),
  };
}

/** Registration of model versions: by schema alone, or with the training baseline that verdicts need. */
export function createRegistrationRoutes(ports: RegistrationPorts, access: Access): Router {
  const { store, maxReferenceBytes = DEFAULT_MAX_REFERENCE_BYTES } = ports;
  const router = Router();
  const admin = access.require('admin');

  router.put('/v1/models/:model/versions/:version', admin, async (request, response) => {
    const { model, version: modelVersion } = checked(versionPath, request.params);
    const { probability, ...declared } = checked(schemaBody, request.body, 'invalid_schema');
    const versions = (await store.listModels()).filter((known) => known.model === model);
    const features = ports.treatDeclared?.(model, declared.features, versions) ?? declared.features;
    const schema: ModelSchema = {
      ...declared,
      features,
      ...(probability === false ? { probability } : {}),
    };
    const earlier = versions.find((known) => known.modelVersion === modelVersion);
    if (earlier !== undefined && isDeepStrictEqual(declaredPart(earlier.schema), declaredPart(schema))) {
      response.json({ model: earlier });
      return;
    }
    if (earlier !== undefined && (await store.currentReference({ model, modelVersion })) !== null)
      throw new AppError(
        'invalid_schema',
        `version ${modelVersion} of ${model} has a reference with another schema: register a new version, or a new reference`,
      );
    // What a deletion may have left behind must not pass for this model's; rows are the senders'.
    if (versions.length === 0) await store.deleteModel(model, { keepRows: true });
    const saved: ModelVersion = { model, modelVersion, schema, registeredAtMs: ports.nowMs() };
    await store.saveModel(saved);
    await ports.modelSaved();
    response.status(201).json({ model: saved });
  });

  router.delete('/v1/models/:model', admin, async (request, response) => {
    const { model } = checked(modelPath, request.params);
    const removed = await store.deleteModel(model);
    if (Object.keys(removed).length === 0)
      throw new AppError(
        'unknown_model',
        'nothing is stored of this model: GET /v1/models lists those there are',
      );
    await ports.modelSaved();
    ports.logger.warn({ model, by: access.actorOf(request), removed }, 'model deleted');
    response.json({ model, removed });
  });

  // Takes JSON; files go on to the next.
  router.use(createReferenceRoutes(ports, access));

  router.put(
    '/v1/models/:model/versions/:version/reference',
    admin,
    async (request: Request, response: Response) => {
      const { model, version: modelVersion } = checked(versionPath, request.params);
      const told = toldFormat(request);
      // A file leaves no room for words in the body: they come in the address.
      const { reason, ...outliers } = checked(referenceQuery, request.query);
      const directory = await mkdtemp(join(tmpdir(), 'plumbline-reference-'));
      const registered = await (async () => {
        const upload = join(directory, 'upload');
        await receive(request, upload, maxReferenceBytes);
        const format = told ?? (await formatOf(upload));
        const path = join(directory, `reference.${format}`);
        await rename(upload, path);
        const author = { by: access.actorOf(request), reason };
        return ports
          .registerReference({
            path,
            model,
            modelVersion,
            provenance: `uploaded as ${format}`,
            author,
            outliers,
          })
          .catch((error: unknown) => {
            // The sender knows its own file, not where it was kept here.
            if (!(error instanceof AppError)) throw error;
            const { code, retryable, message } = error;
            throw new AppError(code, message.replaceAll(path, 'the reference'), { cause: error, retryable });
          });
      })().finally(() => rm(directory, { recursive: true, force: true }));
      response.status(201).json(answerOf(registered));
    },
  );

  return router;
}

function toldFormat(request: Request): string | null {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (UNTOLD.has(type)) return null;
  const format = Object.hasOwn(FORMATS, type) ? FORMATS[type] : undefined;
  if (format === undefined)
    throw new AppError(
      'unsupported_media_type',
      `content-type ${type.slice(0, 60)} is no reference: send ${Object.keys(FORMATS).join(', ')}`,
    );
  return format;
}

/** Streams the body to a file: a reference may be larger than memory. */
async function receive(request: Request, path: string, maxBytes: number): Promise<void> {
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= maxBytes) done(null, chunk);
      else
        done(
          new AppError(
            'payload_too_large',
            `the reference is larger than ${maxBytes} bytes: send a sample of its rows`,
          ),
        );
    },
  });
  const decoder = decoderFor(request);
  try {
    if (decoder === null) await pipeline(request, count, createWriteStream(path));
    else await pipeline(request, decoder, count, createWriteStream(path));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    if (isStorageFailure(cause))
      throw new AppError(
        'overloaded',
        'there is no room to keep the upload: free some space for temporary files',
        {
          cause,
          retryable: true,
        },
      );
    throw new AppError('invalid_request', 'the reference did not arrive whole, or cannot be decompressed', {
      cause,
    });
  }
  if (bytes === 0)
    throw new AppError('invalid_reference', 'the reference is empty: send Parquet, CSV or NDJSON');
}

function isStorageFailure(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT', 'EROFS'].includes(String(error.code))
  );
}

async function formatOf(path: string): Promise<string> {
  let head = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { end: 63 }))
    head = Buffer.concat([head, chunk as Buffer]);
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  return head.toString('utf8').trimStart().startsWith('{') ? 'ndjson' : 'csv';
}
