import { type Request, type Response, Router } from 'express';
import type {
  IngestCounts,
  LabelRow,
  PredictionRow,
  RejectedRow,
  RejectReason,
  RowSource,
} from '../domain/prediction.js';
import { AppError } from '../errors.js';
import type { Access } from './access.js';
import { createBodyReader } from './body.js';
import { type BodyEvent, parseEvents, type QuickReader, type Slice } from './events-body.js';
import { problemDocument } from './problem.js';

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const MAX_HELD_BYTES = 4 * MAX_BODY_BYTES;
const MAX_ERRORS_SHOWN = 100;
/** Rows of one body that go into one insert; a body of more is inserted in parts, so that memory stays bounded. */
const PART_ROWS = 50_000;
/** Many times what a body of real events holds: beyond it every two bytes would cost a row. */
const MAX_EVENTS = 1_000_000;

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

type Decoded<Row> =
  | { readonly ok: true; readonly row: Row }
  | { readonly ok: false; readonly reason: RejectReason; readonly detail: string; readonly model: string };

interface Rows {
  readonly predictions: readonly PredictionRow[];
  readonly labels: readonly LabelRow[];
  readonly rejected: readonly RejectedRow[];
  readonly bytes: number;
}

export interface IngestPorts {
  readonly decodePrediction: (value: unknown, source: RowSource) => Decoded<PredictionRow>;
  readonly decodeLabel: (value: unknown, source: RowSource) => Decoded<LabelRow>;
  /** Rows of predictions that are written like earlier ones, without a detour over objects. */
  readonly quickPredictions?: QuickReader<PredictionRow>;
  readonly submit: (rows: Rows) => Promise<IngestCounts>;
}

/** Of every row that comes by HTTP. */
export const HTTP_SOURCE: RowSource = { kind: 'http', topic: '', partition: -1, offset: -1 };

interface RowError {
  readonly index: number;
  readonly code: RejectReason;
  readonly message: string;
}

function mediaTypeOf(request: Request): string {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (MEDIA_TYPES.has(type)) return type;
  throw new AppError(
    'unsupported_media_type',
    `content-type ${type.slice(0, 60)} is not read here: send application/json or application/x-ndjson`,
  );
}

/** The events of one body on their way into the store: decoded, submitted in parts, counted. */
function createIntake<Row extends { readonly model: string }>(options: {
  readonly kind: RejectedRow['kind'];
  readonly decode: (value: unknown, source: RowSource) => Decoded<Row>;
  readonly mayUse: (model: string) => boolean;
  readonly submit: (
    rows: readonly Row[],
    rejected: readonly RejectedRow[],
    bytes: number,
  ) => Promise<IngestCounts>;
}) {
  const { kind, decode, mayUse, submit } = options;
  const errors: RowError[] = [];
  const counts = { received: 0, accepted: 0, duplicate: 0, rejected: 0 };
  let rows: Row[] = [];
  let rejected: RejectedRow[] = [];
  let bytes = 0;
  let index = 0;
  let readable = false;

  function refuse(event: BodyEvent, reason: RejectReason, detail: string, model: string): void {
    rejected.push({ kind, reason, detail, payload: event.text, model, rowIndex: index, source: HTTP_SOURCE });
    if (errors.length < MAX_ERRORS_SHOWN) errors.push({ index, code: reason, message: detail });
  }

  function take(event: BodyEvent): void {
    if (!event.ok) {
      if (event.reason !== 'malformed_json') readable = true;
      refuse(event, event.reason, event.detail, '');
      return;
    }
    const decoded = decode(event.value, HTTP_SOURCE);
    readable = true;
    if (!decoded.ok) refuse(event, decoded.reason, decoded.detail, decoded.model);
    else accept(decoded.row);
  }

  function accept(row: Row): void {
    readable = true;
    if (mayUse(row.model)) rows.push(row);
    else
      throw new AppError(
        'forbidden',
        `this key may not write to the model of event ${index}: send only events of its models`,
      );
  }

  async function send(): Promise<void> {
    if (rows.length + rejected.length === 0) return;
    const part = await submit(rows, rejected, bytes);
    for (const name of ['received', 'accepted', 'duplicate', 'rejected'] as const) counts[name] += part[name];
    rows = [];
    rejected = [];
    bytes = 0;
  }

  return {
    async add(slice: Slice<Row>): Promise<void> {
      bytes += slice.bytes;
      for (const event of slice.events) {
        if (index >= MAX_EVENTS)
          throw new AppError(
            'payload_too_large',
            `the body has more than ${MAX_EVENTS} events: send fewer at once`,
          );
        if ('row' in event) accept(event.row);
        else take(event);
        index += 1;
      }
      if (rows.length + rejected.length >= PART_ROWS) await send();
    },
    /** Counts and errors of the whole body; `readable` tells whether anything in it was JSON. */
    async finish() {
      await send();
      return { ...counts, errors, readable, empty: index === 0 };
    },
  };
}

type Intake<Row extends { readonly model: string }> = ReturnType<typeof createIntake<Row>>;

/** `POST /v1/ingest` and `/v1/labels`: answers 200 with counts once the rows are durable. PUT is taken as POST. */
export function createIngestRoutes(ports: IngestPorts, access: Access): Router {
  const router = Router();
  const bodies = createBodyReader({ maxBytes: MAX_BODY_BYTES, maxHeldBytes: MAX_HELD_BYTES });

  /** Asked once per model and body: keys hold patterns. */
  function rememberMayUse(request: Request): (model: string) => boolean {
    const known = new Map<string, boolean>();
    return (model) => {
      const allowed = known.get(model) ?? access.mayUse(request, model);
      known.set(model, allowed);
      return allowed;
    };
  }

  const predictionIntake = (request: Request) =>
    createIntake({
      kind: 'prediction',
      decode: ports.decodePrediction,
      mayUse: rememberMayUse(request),
      submit: (predictions, rejected, bytes) => ports.submit({ predictions, labels: [], rejected, bytes }),
    });
  const labelIntake = (request: Request) =>
    createIntake({
      kind: 'label',
      decode: ports.decodeLabel,
      mayUse: rememberMayUse(request),
      submit: (labels, rejected, bytes) => ports.submit({ predictions: [], labels, rejected, bytes }),
    });

  const handle =
    <Row extends { readonly model: string }>(
      intakeOf: (request: Request) => Intake<Row>,
      quick: QuickReader<Row> | null,
    ) =>
    async (request: Request, response: Response): Promise<void> => {
      const mediaType = mediaTypeOf(request);
      await bodies.withBody(request, async (body) => {
        const intake = intakeOf(request);
        for await (const slice of parseEvents(body, mediaType, quick)) await intake.add(slice);
        const { readable, empty, ...answer } = await intake.finish();
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

  for (const [path, handler] of [
    ['/v1/ingest', handle(predictionIntake, ports.quickPredictions ?? null)],
    ['/v1/labels', handle(labelIntake, null)],
  ] as const) {
    router.post(path, access.require('ingest'), handler);
    router.put(path, access.require('ingest'), handler);
  }
  return router;
}
