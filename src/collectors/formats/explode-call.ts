import type { ModelMapping } from '../../domain/mapping.js';
import { type Fields, unusable } from '../decode-event.js';
import { answerOf } from './answers.js';
import { type BodyRows, requestRows, responseRows, spread } from './call-bodies.js';
import { byName, isFields } from './paths.js';

/** One inference call: what a serving system was asked and what it answered, in a batch of any size. */
export interface Call {
  readonly predictionId: unknown;
  readonly model: string;
  readonly modelVersion: unknown;
  readonly timestamp: unknown;
  readonly latencyMs?: unknown;
  readonly tags?: unknown;
  /** Of the first row; 0 when left out. */
  readonly rowIndex?: number;
  readonly request: unknown;
  readonly response: unknown;
}

/** One row of a call: the event, or why there is none; and the row as a call of its own, to be kept when it cannot be used. */
export interface CallRow {
  readonly event: () => Fields;
  readonly kept: () => string;
}

/** Lists of one are what servers make of columns with a second dimension. */
function scalar(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

function featuresOf(row: unknown, names: readonly string[] | null, mapping: ModelMapping): Fields {
  if (isFields(row))
    return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, scalar(value)]));
  const values = Array.isArray(row) ? row : [row];
  const known = mapping.featureNames ?? names;
  if (known === null)
    unusable(
      'unmapped',
      'the rows are lists, and what their places are called is not known: set mapping.featureNames',
    );
  if (known.length !== values.length)
    unusable('unmapped', `a row has ${values.length} values, and there are ${known.length} names for them`);
  return byName(known, (place) => scalar(values[place]));
}

/** One event for each row. Throws when the bodies cannot be read as rows at all; what is wrong with one row is said by its `event`. */
export function explodeCall(call: Call, mapping: ModelMapping): CallRow[] {
  const inputs = requestRows(call.request);
  const outputs = spread(responseRows(call.response), inputs.rows.length);
  if (inputs.rows.length !== outputs.rows.length)
    unusable(
      'unsupported_payload',
      `the request has ${inputs.rows.length} rows and the answer ${outputs.rows.length}: they cannot be told which belongs to which`,
    );
  if (inputs.rows.length === 0) unusable('unsupported_payload', 'the call has no rows');
  const first = call.rowIndex ?? 0;
  return inputs.rows.map((row, place) => {
    const shared = {
      prediction_id: call.predictionId,
      model: call.model,
      model_version: call.modelVersion,
      timestamp: call.timestamp,
      row_index: first + place,
      ...(call.latencyMs === undefined ? {} : { latency_ms: call.latencyMs }),
      ...(call.tags === undefined ? {} : { tags: call.tags }),
    };
    const answer = outputs.rows[place];
    return {
      event: () => ({
        ...shared,
        features: featuresOf(row, inputs.names, mapping),
        ...answerOf(answer, outputs.names, mapping),
      }),
      kept: () =>
        JSON.stringify({
          ...shared,
          request: alone('data', inputs, row),
          response: alone('data', outputs, answer),
        }),
    };
  });
}

/** A body of one row only; with its names, where it has any. */
function alone(mark: string, { names }: BodyRows, row: unknown): Fields {
  return { [mark]: { ...(names === null ? {} : { names }), ndarray: [row] } };
}
