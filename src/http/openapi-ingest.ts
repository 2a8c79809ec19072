import { z } from 'zod';
import { REJECT_REASONS } from '../domain/prediction.js';
import { answer, DENIED, failures, json, queryOf } from './openapi-parts.js';
import { ingestQuery, rejectedQuery, rejectedRedrive } from './request-schemas.js';

const scalar = z.union([z.number(), z.string(), z.boolean(), z.null()]);
const id = z.union([z.string().min(1).max(512), z.int()]);
const rowKey = {
  prediction_id: id,
  model: z.string().max(120),
  model_version: z.union([z.string().max(120), z.int()]),
  row_index: z.int().min(0).optional(),
  timestamp: z.union([z.string(), z.number()]),
};

/** What senders send; the decoders are more lenient (aliases, envelopes). */
export const predictionEvent = z.object({
  ...rowKey,
  features: z.record(z.string(), scalar),
  prediction: z.union([z.number(), z.string(), z.boolean()]),
  prediction_proba: z
    .union([z.number().min(0).max(1), z.record(z.string(), z.number().min(0).max(1)), z.null()])
    .optional(),
  latency_ms: z.union([z.number().min(0), z.null()]).optional(),
  tags: z.record(z.string(), scalar).optional(),
});
export const labelEvent = z.object({ ...rowKey, label: z.union([z.number(), z.string(), z.boolean()]) });

const counts = z.object({
  received: z.int(),
  accepted: z.int(),
  duplicate: z.int(),
  rejected: z.int(),
  errors: z.array(z.object({ index: z.int(), code: z.enum(REJECT_REASONS), message: z.string() })).max(100),
});
function ingest(summary: string, event: z.ZodType) {
  const operation = {
    summary,
    parameters: queryOf(ingestQuery),
    requestBody: {
      required: true,
      content: {
        'application/json': json(z.union([event, z.array(event)])),
        'application/x-ndjson': json(event),
      },
    },
    responses: {
      200: answer('the rows are durable; received = accepted + duplicate + rejected', counts),
      ...failures(
        [400, 'nothing in the body is JSON'],
        ...DENIED,
        [413, 'more than 32 MiB after decompression'],
        [415, 'a type or compression that is not read'],
        [503, 'send it again after Retry-After'],
      ),
    },
  };
  return { post: operation, put: operation };
}

/** What collectors answer. */
export function ingestPaths(): Record<string, Record<string, object>> {
  return {
    '/v1/ingest': ingest('Send predictions: one object, an array, or one object per line', predictionEvent),
    '/v1/labels': ingest('Send labels, late and in any order', labelEvent),
    '/v1/cloudevents': {
      post: {
        summary:
          'CloudEvents in binary, structured or batch mode: of model servers, or with an event as data',
        parameters: queryOf(ingestQuery),
        requestBody: { required: true, content: { 'application/cloudevents+json': {}, '*/*': {} } },
        responses: {
          200: answer(
            'durable; pending are sides of calls that wait for the other side, and no rows yet',
            counts.extend({ pending: z.int().optional() }),
          ),
          ...failures(
            ...DENIED,
            [413, 'more than 32 MiB after decompression'],
            [503, 'send it again after Retry-After'],
          ),
        },
      },
    },
    '/v1/logs': {
      post: {
        summary: 'OTLP/HTTP logs: predictions and labels as log records',
        parameters: queryOf(ingestQuery),
        requestBody: { required: true, content: { 'application/json': {}, 'application/x-protobuf': {} } },
        responses: {
          200: answer('durable; with partialSuccess where records were rejected'),
          ...failures(
            [400, 'no export request'],
            ...DENIED,
            [413, 'more than 16 MiB after decompression'],
            [415, 'neither JSON nor protobuf'],
            [503, 'send it again after Retry-After'],
          ),
        },
      },
    },
    '/v1/rejected': {
      get: {
        summary: 'Rows that could not be accepted, the oldest first, and how many there are for which reason',
        parameters: queryOf(rejectedQuery),
        responses: { 200: answer('found'), ...failures([400, 'a parameter is wrong'], ...DENIED) },
      },
    },
    '/v1/rejected/redrive': {
      post: {
        summary: 'Read rejected rows again, a page of them: what can be read by now is stored',
        requestBody: { required: true, content: { 'application/json': json(rejectedRedrive) } },
        responses: { 200: answer('done'), ...failures([400, 'the body is wrong'], ...DENIED) },
      },
    },
  };
}
