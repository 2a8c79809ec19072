import { type Request, type Response, Router } from 'express';
import type { BorrowedPrediction } from '../domain/row-list.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { createBodyReader } from './body.js';
import { binaryEvent, isBinaryMode } from './cloud-event-body.js';
import { parseEvents, type QuickReader, type Slice } from './events-body.js';
import { createIntake, type EventKind, type Intake, type IntakePorts } from './intake.js';
import { msgpackSlices } from './msgpack.js';
import { isProtobuf, otlpAnswer, otlpSlices, PROTOBUF } from './otlp-body.js';
import { problemDocument } from './problem.js';
import { checked, ingestQuery } from './request-schemas.js';
import { createTurns } from './turns.js';

const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** Of an export request, which is parsed whole. */
const MAX_LOGS_BYTES = 16 * 1024 * 1024;
const MAX_HELD_BYTES = 4 * MAX_BODY_BYTES;
/** Decoded within a few milliseconds: waits for no other body. */
const SMALL_BYTES = 128 * 1024;

/** What log forwarders and people's tools call JSON; form types are what `curl -d` sends when it is not told. */
const MEDIA_TYPES: ReadonlySet<string> = new Set([
  '',
  'application/json',
  'text/json',
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
  'application/json-lines',
  'text/plain',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
]);
const MSGPACK_TYPES: ReadonlySet<string> = new Set(['application/msgpack', 'application/x-msgpack']);

export interface IngestPorts extends IntakePorts {
  /** Rows of predictions that are written like earlier ones, without a detour over objects. */
  readonly quickPredictions?: QuickReader<BorrowedPrediction>;
  /** Is told of a body that is being read, so that others may share its insert; gives what ends the waiting. */
  readonly expect?: () => () => void;
}

function mediaTypeOf(request: Request): string {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (MEDIA_TYPES.has(type) || MSGPACK_TYPES.has(type)) return type;
  throw new AppError(
    'unsupported_media_type',
    `content-type ${type.slice(0, 60)} is not read here: send application/json, application/x-ndjson or application/msgpack`,
  );
}

/** Asked once per model and body: keys hold patterns. */
function rememberMayUse(access: Access, request: Request): (model: string) => boolean {
  const known = new Map<string, boolean>();
  return (model) => {
    const allowed = known.get(model) ?? access.mayUse(request, model);
    known.set(model, allowed);
    return allowed;
  };
}

/** `POST /v1/ingest` and `/v1/labels`: answers 200 with counts once the rows are durable. PUT is taken as POST. */
export function createIngestRoutes(ports: IngestPorts, access: Access): Router {
  const router = Router();
  const turns = createTurns();
  const { expect = () => () => undefined } = ports;
  const bodies = createBodyReader({ maxBytes: MAX_BODY_BYTES, maxHeldBytes: MAX_HELD_BYTES });
  const logBodies = createBodyReader({ maxBytes: MAX_LOGS_BYTES, maxHeldBytes: MAX_HELD_BYTES });

  /**
   * One large body is decoded after the other: side by side they would all be ready at the same late time, and what is stored
   * meanwhile would have to wait for slices of each.
   */
  async function takeBody(
    body: Buffer,
    slices: AsyncIterable<Slice<BorrowedPrediction>> | Iterable<Slice<BorrowedPrediction>>,
    intake: Intake,
  ) {
    let arrived = expect();
    let endTurn: (() => void) | null = null;
    try {
      if (body.length > SMALL_BYTES) endTurn = await turns.take();
      for await (const slice of slices) {
        if (!intake.add(slice)) continue;
        endTurn?.();
        const sent = intake.send();
        arrived();
        await sent;
        arrived = expect();
        if (endTurn !== null) endTurn = await turns.take();
      }
      endTurn?.();
      endTurn = null;
      // Its rows are submitted before others stop waiting for them.
      return intake.finish();
    } finally {
      endTurn?.();
      arrived();
    }
  }

  function intakeOf(request: Request, kind: EventKind): Intake {
    const { model, version } = checked(ingestQuery, request.query);
    const mayUse = rememberMayUse(access, request);
    return createIntake({ ...ports, kind, model, modelVersion: version, mayUse });
  }

  const handle =
    (kind: EventKind, quick: QuickReader<BorrowedPrediction> | null) =>
    async (request: Request, response: Response): Promise<void> => {
      const mediaType = mediaTypeOf(request);
      const intake = intakeOf(request, kind);
      await bodies.withBody(request, async (body) => {
        const slices = MSGPACK_TYPES.has(mediaType)
          ? msgpackSlices(body)
          : parseEvents(body, mediaType, quick);
        const taken = await takeBody(body, slices, intake);
        const { readable, empty, ...answer } = taken;
        // `[]` is an answer to "what is new?"; a body without a bracket is no JSON at all.
        const isEmptyArray = empty && body.includes('[');
        if (readable || isEmptyArray) response.json(answer);
        // A forwarder drops a batch that is answered 4xx: only a body without any JSON is.
        else
          response
            .status(400)
            .type('application/problem+json')
            .send({
              ...problemDocument(
                'invalid_request',
                empty
                  ? 'the body holds no event: send JSON objects'
                  : 'nothing in the body is JSON: what was sent is kept as rejected',
              ),
              ...answer,
            });
      });
    };

  /** CloudEvents: binary mode (attributes in headers), structured, or a batch of them. */
  const cloudEvents = async (request: Request, response: Response): Promise<void> => {
    const intake = intakeOf(request, 'prediction');
    await bodies.withBody(request, async (body) => {
      const slices = isBinaryMode(request)
        ? [{ events: [binaryEvent(request, body)], bytes: body.length }]
        : parseEvents(body);
      const { readable: _, empty: __, ...answer } = await takeBody(body, slices, intake);
      // Senders throw away, or complain about, what is answered otherwise; what could not be read is kept.
      response.json(answer);
    });
  };
  /** OTLP/HTTP logs: predictions and labels as log records. */
  const logs = async (request: Request, response: Response): Promise<void> => {
    const protobuf = isProtobuf(request);
    const intake = intakeOf(request, 'prediction');
    await logBodies.withBody(request, async (body) => {
      const taken = await takeBody(body, otlpSlices(body, protobuf), intake);
      response.type(protobuf ? PROTOBUF : 'application/json').send(otlpAnswer(taken, protobuf));
    });
  };
  router.post('/v1/logs', access.require('ingest'), logs);
  router.post('/v1/cloudevents', access.require('ingest'), cloudEvents);

  for (const [path, handler] of [
    ['/v1/ingest', handle('prediction', ports.quickPredictions ?? null)],
    ['/v1/labels', handle('label', null)],
  ] as const) {
    router.post(path, access.require('ingest'), handler);
    router.put(path, access.require('ingest'), handler);
  }
  return router;
}
