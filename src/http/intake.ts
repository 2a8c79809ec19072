import type {
  CallHalf,
  IngestCounts,
  LabelRow,
  Outcome,
  RejectedRow,
  RejectReason,
  RowSource,
} from '../domain/prediction.js';
import {
  type BorrowedPrediction,
  type GrowingPredictions,
  type PredictionList,
  pushBorrowed,
} from '../domain/row-list.js';
import { AppError } from '../errors.js';
import type { BodyEvent, Slice } from './events-body.js';

const MAX_ERRORS_SHOWN = 100;
/** Rows of one body that go into one insert; a body of more is inserted in parts, so that memory stays bounded. */
const PART_ROWS = 50_000;
/** Many times what a body of real events holds: beyond it every two bytes would cost a row. */
const MAX_EVENTS = 1_000_000;

/** Of every row that comes by HTTP. */
export const HTTP_SOURCE: RowSource = { kind: 'http', topic: '', partition: -1, offset: -1 };

export type EventKind = RejectedRow['kind'];

/** One event of a body, parsed, with what the request says of it. */
export interface BodyMessage {
  readonly value: unknown;
  readonly text: string;
  readonly kind: EventKind;
  readonly source: RowSource;
  /** Position in the body. */
  readonly index: number;
  /** Without an id of its own, an event that is sent again could not be told from a new one. */
  readonly defaultId: null;
  readonly model?: string | undefined;
  readonly modelVersion?: string | undefined;
}

export interface Submission {
  readonly predictions: PredictionList;
  readonly labels: readonly LabelRow[];
  readonly rejected: readonly RejectedRow[];
  /** Sides of calls that wait for the other side: no rows yet. */
  readonly halves: readonly CallHalf[];
  readonly bytes: number;
}

export interface IntakePorts {
  /** Makes rows of a message, or says why not; never throws for data. */
  readonly read: (message: BodyMessage) => readonly Outcome[];
  /** An empty list, as the store takes rows. */
  readonly newPredictions: () => GrowingPredictions;
  readonly submit: (rows: Submission) => Promise<IngestCounts>;
}

export interface IntakeOptions extends IntakePorts {
  readonly kind: EventKind;
  /** Of events that name none. */
  readonly model?: string | undefined;
  readonly modelVersion?: string | undefined;
  readonly mayUse: (model: string) => boolean;
}

interface RowError {
  readonly index: number;
  readonly code: RejectReason;
  readonly message: string;
}

/** The events of one body on their way into the store: read, submitted in parts, counted. */
export function createIntake(options: IntakeOptions) {
  const { kind, model, modelVersion, mayUse, read, newPredictions, submit } = options;
  const errors: RowError[] = [];
  const counts = { received: 0, accepted: 0, duplicate: 0, rejected: 0 };
  let predictions = newPredictions();
  let labels: LabelRow[] = [];
  let rejected: RejectedRow[] = [];
  let halves: CallHalf[] = [];
  let pending = 0;
  let erased = 0;
  let bytes = 0;
  let index = 0;
  let readable = false;

  function refuse(row: RejectedRow): void {
    rejected.push(row);
    if (errors.length < MAX_ERRORS_SHOWN) errors.push({ index, code: row.reason, message: row.detail });
  }

  function assertMayUse(row: { readonly model: string }): void {
    if (mayUse(row.model)) return;
    throw new AppError(
      'model_forbidden',
      `this key may not write to the model of event ${index}: send only events of its models`,
    );
  }

  function take(outcome: Outcome): void {
    if (outcome.kind === 'rejected') {
      refuse(outcome.row);
      return;
    }
    assertMayUse(outcome.kind === 'half' ? outcome.half : outcome.row);
    if (outcome.kind === 'prediction') predictions.push(outcome.row);
    else if (outcome.kind === 'label') labels.push(outcome.row);
    else halves.push(outcome.half);
  }

  function takeEvent(event: BodyEvent): void {
    if (event.ok) {
      readable = true;
      const { value, text } = event;
      for (const outcome of read({
        value,
        text,
        kind,
        source: HTTP_SOURCE,
        index,
        defaultId: null,
        model,
        modelVersion,
      }))
        take(outcome);
      return;
    }
    if (event.reason !== 'malformed_json') readable = true;
    const { reason, detail, text } = event;
    refuse({ kind, reason, detail, payload: text, model: '', rowIndex: index, source: HTTP_SOURCE });
  }

  const held = () => predictions.length + labels.length + rejected.length + halves.length;

  async function send(): Promise<void> {
    if (held() === 0) return;
    const part = await submit({ predictions, labels, rejected, halves, bytes });
    for (const name of ['received', 'accepted', 'duplicate', 'rejected'] as const) counts[name] += part[name];
    erased += part.erased ?? 0;
    predictions = newPredictions();
    labels = [];
    pending += halves.length;
    rejected = [];
    halves = [];
    bytes = 0;
  }

  return {
    /** Says whether the rows should be sent before more are added. */
    add(slice: Slice<BorrowedPrediction>): boolean {
      bytes += slice.bytes;
      for (const event of slice.events) {
        if (index >= MAX_EVENTS)
          throw new AppError(
            'payload_too_large',
            `the body has more than ${MAX_EVENTS} events: send fewer at once`,
          );
        if ('row' in event) {
          readable = true;
          assertMayUse(event.row);
          pushBorrowed(predictions, event.row);
        } else takeEvent(event);
        index += 1;
      }
      return held() >= PART_ROWS;
    },
    send,
    /** Counts and errors of the whole body, and how many halves of calls wait; `readable` tells whether anything in it was JSON. */
    async finish() {
      await send();
      return {
        ...counts,
        ...(erased === 0 ? {} : { erased }),
        ...(pending === 0 ? {} : { pending }),
        errors,
        readable,
        empty: index === 0,
      };
    },
  };
}

export type Intake = ReturnType<typeof createIntake>;
