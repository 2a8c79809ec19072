import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Request, type Response, Router } from 'express';
import type { ModelVersion } from '../domain/model.js';
import type { AskedForest } from '../domain/outlier.js';
import type { Logger, ModelStore } from '../domain/ports.js';
import type { Reference, ReferenceAuthor } from '../domain/reference.js';
import type { Announced, Announcement } from '../domain/retraining.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { decoderFor } from './body.js';
import {
  answerOf,
  createReferenceRoutes,
  createReferenceSource,
  type ReferencePorts,
} from './reference-routes.js';
import { checked, modelPath, referenceQuery, versionBody, versionPath } from './request-schemas.js';

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
  readonly store: ReferencePorts['store'] & Pick<ModelStore, 'currentReference' | 'deleteModel'>;
  /** Registers a version by its schema, and links it to the episodes that it was trained for. */
  readonly announce: (announcement: Announcement) => Promise<Announced>;
  readonly registerReference: (input: {
    path: string;
    model: string;
    modelVersion: string;
    provenance: string;
    author: ReferenceAuthor;
    outliers: AskedForest;
  }) => Promise<{ model: ModelVersion; reference: Reference }>;
  readonly logger: Pick<Logger, 'warn'>;
  /** Called after a model was deleted, so that its events are refused at once. */
  readonly modelDeleted: () => Promise<void>;
  readonly nowMs: () => number;
  /** Of one reference, after decompression. */
  readonly maxReferenceBytes?: number;
}

/** Registration of model versions: by schema alone, or with the training baseline that verdicts need. */
export function createRegistrationRoutes(ports: RegistrationPorts, access: Access): Router {
  const { store, maxReferenceBytes = DEFAULT_MAX_REFERENCE_BYTES } = ports;
  const router = Router();
  const referenceFrom = createReferenceSource(ports, access);
  const admin = access.require('admin');

  router.put('/v1/models/:model/versions/:version', admin, async (request, response) => {
    const { model, version: modelVersion } = checked(versionPath, request.params);
    const body = checked(versionBody, request.body, 'invalid_schema');
    const { task, features, probability, retrainedFor, reference } = body;
    const key = { model, modelVersion };
    const by = access.actorOf(request);
    const announced = await ports.announce({
      ...key,
      by,
      retrainedFor,
      schema: task === undefined || features === undefined ? undefined : { task, features, probability },
      ...(reference === undefined
        ? {}
        : {
            reference: {
              tellsSchema: 'query' in reference,
              register: () => referenceFrom(request, key, { by, reason: reference.reason }, reference),
            },
          }),
    });
    const { saved, ...told } = announced;
    response.status(saved ? 201 : 200).json({
      ...told,
      ...(announced.reference === undefined
        ? {}
        : answerOf({ model: announced.model, reference: announced.reference })),
    });
  });

  router.delete('/v1/models/:model', admin, async (request, response) => {
    const { model } = checked(modelPath, request.params);
    const removed = await store.deleteModel(model);
    if (Object.keys(removed).length === 0)
      throw new AppError(
        'unknown_model',
        'nothing is stored of this model: GET /v1/models lists those there are',
      );
    await ports.modelDeleted();
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
