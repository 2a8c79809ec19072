import { setImmediate as nextTurn } from 'node:timers/promises';
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
import { readBody } from './body.js';
import { type BodyEvent, parseEvents } from './events-body.js';

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const MAX_ERRORS_SHOWN = 100;
/** Events decoded before the event loop gets a turn. */
const SLICE_EVENTS = 2_000;

type Decoded<Row> =
  | { readonly ok: true; readonly row: Row }
  | { readonly ok: false; readonly reason: RejectReason; readonly detail: string; readonly model: string };

export interface IngestPorts {
  readonly decodePrediction: (value: unknown, source: RowSource) => Decoded<PredictionRow>;
  readonly decodeLabel: (value: unknown, source: RowSource) => Decoded<LabelRow>;
  readonly submit: (rows: {
    predictions: readonly PredictionRow[];
    labels: readonly LabelRow[];
    rejected: readonly RejectedRow[];
    bytes: number;
  }) => Promise<IngestCounts>;
}

const SOURCE: RowSource = { kind: 'http', topic: '', partition: -1, offset: -1 };

/** An element of an array as text again; one nested deeper than the stack goes is kept without it. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return '';
    throw error;
  }
}

interface RowError {
  readonly index: number;
  readonly code: RejectReason;
  readonly message: string;
}

/** `POST /v1/ingest` and `/v1/labels`: answers 200 with counts once the rows are durable. PUT is taken as POST. */
export function createIngestRoutes(ports: IngestPorts, access: Access): Router {
  const router = Router();

  async function collect<Row extends { readonly model: string }>(
    request: Request,
    kind: RejectedRow['kind'],
    events: readonly BodyEvent[],
    decode: (value: unknown, source: RowSource) => Decoded<Row>,
  ) {
    const rows: Row[] = [];
    const rejected: RejectedRow[] = [];
    const errors: RowError[] = [];
    for (const [index, event] of events.entries()) {
      if (index % SLICE_EVENTS === SLICE_EVENTS - 1) await nextTurn();
      const refuse = (reason: RejectReason, detail: string, model: string) => {
        const payload = event.text ?? (event.ok ? textOf(event.value) : '');
        rejected.push({ kind, reason, detail, payload, model, rowIndex: index, source: SOURCE });
        if (errors.length < MAX_ERRORS_SHOWN) errors.push({ index, code: reason, message: detail });
      };
      if (!event.ok) {
        refuse(event.reason, event.detail, '');
        continue;
      }
      const decoded = decode(event.value, SOURCE);
      if (!decoded.ok) refuse(decoded.reason, decoded.detail, decoded.model);
      else if (!access.mayUse(request, decoded.row.model))
        throw new AppError(
          'forbidden',
          `this key may not write to the model of event ${index}: nothing of the body was taken`,
        );
      else rows.push(decoded.row);
    }
    return { rows, rejected, errors };
  }

  const handle =
    (kind: RejectedRow['kind']) =>
    async (request: Request, response: Response): Promise<void> => {
      const body = await readBody(request, MAX_BODY_BYTES);
      const events = await parseEvents(body);
      if (events.length === 0)
        throw new AppError('invalid_request', 'the body holds no event: send JSON objects');
      const predictions =
        kind === 'prediction' ? await collect(request, kind, events, ports.decodePrediction) : null;
      const labels = kind === 'label' ? await collect(request, kind, events, ports.decodeLabel) : null;
      const { rejected, errors } = predictions ?? labels ?? { rejected: [], errors: [] };
      const counts = await ports.submit({
        predictions: predictions?.rows ?? [],
        labels: labels?.rows ?? [],
        rejected,
        bytes: body.length,
      });
      // A forwarder drops a batch that is answered 4xx: only a body without a single JSON event is.
      const nothingParsed = events.every((event) => !event.ok && event.reason === 'malformed_json');
      response.status(nothingParsed ? 400 : 200).json({ ...counts, errors });
    };

  for (const [path, kind] of [
    ['/v1/ingest', 'prediction'],
    ['/v1/labels', 'label'],
  ] as const) {
    router.post(path, access.require('ingest'), handle(kind));
    router.put(path, access.require('ingest'), handle(kind));
  }
  return router;
}
