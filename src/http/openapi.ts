import type { z } from 'zod';
import { episodesQuery } from './episode-schemas.js';
import { mlflowEvent } from './mlflow-routes.js';
import { episodePaths } from './openapi-episodes.js';
import { ingestPaths } from './openapi-ingest.js';
import { answer, DENIED, failures, json, path, queryOf } from './openapi-parts.js';
import { reportPaths } from './openapi-reports.js';
import {
  backtestBody,
  conceptDriftQuery,
  episodeMark,
  erasureBody,
  feedbackQuery,
  latencyQuery,
  outlierQuery,
  performanceQuery,
  profileQuery,
  referenceBody,
  referenceQuery,
  reportBody,
  schemaChangesQuery,
  skewQuery,
  tuningQuery,
  verdictQuery,
  versionBody,
  versionsQuery,
  whyQuery,
} from './request-schemas.js';
import { webhookPause, webhookQuery, webhookReplay, webhookResume, webhookTest } from './webhook-schemas.js';

const list = (summary: string, query: z.ZodObject) => ({
  get: {
    summary,
    parameters: [path('model'), ...queryOf(query)],
    responses: {
      200: answer('found'),
      ...failures([400, 'a parameter is wrong'], ...DENIED, [404, 'not registered']),
    },
  },
});

const command = (summary: string, body: z.ZodType) => ({
  post: {
    summary,
    requestBody: { required: true, content: { 'application/json': json(body) } },
    responses: {
      200: answer('done'),
      ...failures([400, 'the body is wrong'], ...DENIED, [404, 'no such event or hook']),
    },
  },
});

const VERSION = [path('model'), path('version')];
const BINARY = { schema: { type: 'string', format: 'binary' } };

/** The HTTP interface as OpenAPI 3.1; request schemas come from the very objects that check the requests. */
export function openapiDocument(): { paths: Record<string, Record<string, object>> } & Record<
  string,
  unknown
> {
  return {
    openapi: '3.1.0',
    info: { title: 'Plumbline', version: '1', description: 'Error codes and reject reasons: docs/errors.md' },
    security: [{}, { bearer: [] }, { basic: [] }, { apiKey: [] }],
    paths: {
      ...ingestPaths(),
      '/v1/models': {
        get: { summary: 'Registered versions', responses: { 200: answer('found'), ...failures(...DENIED) } },
      },
      '/v1/models/{model}': {
        delete: {
          summary: 'Delete a model with all that is stored of it; rows that come later are rejected',
          parameters: [path('model')],
          responses: { 200: answer('deleted'), ...failures(...DENIED, [404, 'nothing is stored of it']) },
        },
      },
      '/v1/models/{model}/versions/{version}': {
        put: {
          summary:
            'Register a version by its schema, or announce one that was trained anew: what it was trained for, and its reference',
          parameters: VERSION,
          requestBody: { required: true, content: { 'application/json': json(versionBody) } },
          responses: {
            200: answer('known already'),
            201: answer('registered'),
            ...failures(
              ...DENIED,
              [400, 'trained for an episode of its own'],
              [404, 'no such episode'],
              [422, 'the schema contradicts itself or the reference, or nothing tells it'],
            ),
          },
        },
      },
      '/v1/models/{model}/versions/{version}/reference': {
        put: {
          summary:
            'Register a version with its training baseline (the schema is inferred), or compare it with a past production period or an earlier reference from now on',
          parameters: [...VERSION, ...queryOf(referenceQuery)],
          requestBody: {
            required: true,
            content: {
              'application/json': json(referenceBody),
              'application/vnd.apache.parquet': BINARY,
              'text/csv': BINARY,
              'application/x-ndjson': BINARY,
            },
          },
          responses: {
            201: answer('registered'),
            ...failures(
              ...DENIED,
              [413, 'the reference is too large'],
              [415, 'another format'],
              [404, 'not registered, or no such reference'],
              [422, 'no usable reference'],
              [503, 'rows of the period are not counted yet: ask again after Retry-After'],
            ),
          },
        },
      },
      '/v1/models/{model}/versions/{version}/references': {
        get: {
          summary: 'References of a version, the current one first, and who changed them when and why',
          parameters: VERSION,
          responses: { 200: answer('found'), ...failures(...DENIED, [404, 'not registered']) },
        },
      },
      '/v1/models/{model}/versions/{version}/outliers': {
        get: {
          summary: 'Rows that the isolation forest flagged, highest scores first, with what isolated them',
          parameters: [...VERSION, ...queryOf(outlierQuery)],
          responses: {
            200: answer('found'),
            ...failures([400, 'a parameter is wrong'], ...DENIED, [404, 'not registered']),
          },
        },
      },
      '/v1/models/{model}/verdicts': list('Verdicts of windows, oldest first', verdictQuery),
      '/v1/models/{model}/why': list(
        'Why a window, or a period, drifted: its columns, first what moves the prediction most',
        whyQuery,
      ),
      '/v1/models/{model}/profiles': list('Merged counts of a period, with their grids', profileQuery),
      '/v1/models/{model}/episodes': list('Episodes, open ones first', episodesQuery),
      ...episodePaths,
      '/v1/models/{model}/episodes/{episode}/mark': {
        put: {
          summary: 'Say whether an episode was true or a false alarm; null takes it back',
          parameters: [path('model'), path('episode')],
          requestBody: { required: true, content: { 'application/json': json(episodeMark) } },
          responses: {
            200: answer('noted'),
            ...failures([400, 'the mark is wrong'], ...DENIED, [404, 'no such episode']),
          },
        },
      },
      '/v1/models/{model}/feedback': list(
        'Marks of episodes, precision of each detector, and with a seed whom to trust',
        feedbackQuery,
      ),
      '/v1/models/{model}/performance': list(
        'How good a version was, by the labels that have come: figures with intervals, and how many labels are missing',
        performanceQuery,
      ),
      '/v1/models/{model}/compare-versions': list(
        'Two versions over the same time: what they predict, whether they agree, how long they take, and which is better',
        versionsQuery,
      ),
      '/v1/models/{model}/latency': list('How long the answers of each version took', latencyQuery),
      '/v1/models/{model}/skew': list(
        'The training reference against the first week of production, the most different columns first',
        skewQuery,
      ),
      '/v1/models/{model}/erasures': {
        get: {
          summary: 'What was erased, when, by whom and how many rows; the newest first',
          parameters: [path('model')],
          responses: { 200: answer('found'), ...failures(...DENIED) },
        },
        post: {
          summary: 'Erase a prediction, or all rows that carry a tag’s value, from every table',
          parameters: [path('model')],
          requestBody: { required: true, content: { 'application/json': json(erasureBody) } },
          responses: {
            200: answer('erased, and counted as gone'),
            ...failures([400, 'the body is wrong'], ...DENIED, [404, 'not registered']),
          },
        },
      },
      '/v1/backups': {
        post: {
          summary: 'Take a snapshot of the embedded store beside its data, for `plumbline backup` to copy',
          responses: {
            201: answer('taken: its id, its path, and what it holds'),
            ...failures([400, 'the store is on a server'], ...DENIED),
          },
        },
      },
      '/v1/backups/{id}': {
        delete: {
          summary: 'Remove a snapshot',
          parameters: [path('id')],
          responses: { 200: answer('removed'), ...failures(...DENIED, [404, 'there is none']) },
        },
      },
      '/v1/models/{model}/schema-changes': list(
        'New, missing and retyped features of production',
        schemaChangesQuery,
      ),
      '/v1/models/{model}/concept-drift': list(
        'Where detectors over the stream of errors have seen a change, newest first',
        conceptDriftQuery,
      ),
      '/v1/models/{model}/estimates': list(
        'How good a version is expected to be, before its labels: figures with intervals, beside what labels have shown since',
        performanceQuery,
      ),
      '/v1/models/{model}/tuning': list('What budgets of false episodes mean', tuningQuery),
      '/v1/models/{model}/backtest': {
        post: {
          summary: 'What policies would have done over stored profiles; nothing is stored',
          parameters: [path('model')],
          requestBody: { required: true, content: { 'application/json': json(backtestBody) } },
          responses: {
            200: answer('done; as NDJSON, where asked for, lines of progress and the result in the last one'),
            ...failures([400, 'a policy, a shift or the period is wrong'], ...DENIED, [
              404,
              'not registered',
            ]),
          },
        },
      },
      ...reportPaths(),
      '/v1/reports': {
        post: {
          summary: 'Write a report',
          requestBody: { required: true, content: { 'application/json': json(reportBody) } },
          responses: { 201: answer('written'), ...failures([400, 'nothing to report on'], ...DENIED) },
        },
      },
      '/v1/webhooks': {
        get: {
          summary: 'Webhook events with their attempts, newest first',
          parameters: queryOf(webhookQuery),
          responses: { 200: answer('found'), ...failures([400, 'a parameter is wrong'], ...DENIED) },
        },
      },
      '/v1/webhooks/hooks': {
        get: {
          summary: 'Configured hooks, and what holds them',
          responses: { 200: answer('found'), ...failures(...DENIED) },
        },
      },
      '/v1/webhooks/mlflow': {
        post: {
          summary: 'Take a webhook of an MLflow Model Registry: a version that was trained anew is announced',
          requestBody: { required: true, content: { 'application/json': json(mlflowEvent) } },
          responses: {
            200: answer('known already, or nothing of interest, with the reason in `ignored`'),
            201: answer('announced'),
            ...failures([400, 'the body is no such event'], ...DENIED, [404, 'no such episode']),
          },
        },
      },
      '/v1/webhooks/replay': command('Send an event again, or all that failed', webhookReplay),
      '/v1/webhooks/test': command('Send a test event now, or show its request', webhookTest),
      '/v1/webhooks/pause': command('Send nothing until resumed; events wait', webhookPause),
      '/v1/webhooks/resume': command('Let go what is paused or gone', webhookResume),
      '/metrics': {
        get: {
          summary: 'Prometheus exposition',
          responses: { 200: answer('metrics'), ...failures(...DENIED) },
        },
      },
      '/healthz': {
        get: { summary: 'Whether the process lives', security: [{}], responses: { 200: answer('alive') } },
      },
      '/readyz': {
        get: {
          summary: 'Whether it can do its work',
          security: [{}],
          responses: { 200: answer('ready'), 503: answer('not ready, with the reason') },
        },
      },
      '/openapi.json': {
        get: { summary: 'This document', security: [{}], responses: { 200: answer('OpenAPI 3.1') } },
      },
    },
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic', description: 'the key is the password' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
  };
}
