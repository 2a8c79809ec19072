import type { z } from 'zod';
import {
  askedBody,
  askedQuery,
  askedScopeQuery,
  modelSnoozeBody,
  policyBody,
  snoozeBody,
} from './episode-schemas.js';
import { answer, DENIED, failures, json, path, queryOf } from './openapi-parts.js';

const MODEL = [path('model')];
const EPISODE = [path('model'), path('episode')];
type Failure = readonly [status: number, description: string];
const unknown = (what: string, more: readonly Failure[]) =>
  failures([400, 'a field is wrong'], ...DENIED, [404, what], ...more);

const get = (summary: string, parameters: object[], missing: string) => ({
  get: { summary, parameters, responses: { 200: answer('found'), ...failures(...DENIED, [404, missing]) } },
});
const put = (
  summary: string,
  parameters: object[],
  body: z.ZodType,
  missing: string,
  ...more: Failure[]
) => ({
  put: {
    summary,
    parameters,
    requestBody: { required: true, content: { 'application/json': json(body) } },
    responses: { 200: answer('noted'), ...unknown(missing, more) },
  },
});
const remove = (
  summary: string,
  parameters: object[],
  query: z.ZodObject,
  missing: string,
  ...more: Failure[]
) => ({
  delete: {
    summary,
    parameters: [...parameters, ...queryOf(query)],
    responses: { 200: answer('noted'), ...unknown(missing, more) },
  },
});

const NO_EPISODE = 'no such episode';
const OVER: Failure = [409, 'the episode is over'];
const NO_MODEL = 'not registered';

export const episodePaths = {
  '/v1/models/{model}/episodes/{episode}': get(
    'An episode with its history, ranked evidence, and whether performance moved with it',
    EPISODE,
    NO_EPISODE,
  ),
  '/v1/models/{model}/episodes/{episode}/acknowledgement': {
    ...put('Say that somebody looks after an open episode', EPISODE, askedBody, NO_EPISODE, OVER),
    ...remove('Take that back', EPISODE, askedQuery, NO_EPISODE, OVER),
  },
  '/v1/models/{model}/episodes/{episode}/snooze': {
    ...put('Tell nobody of an open episode until a time', EPISODE, snoozeBody, NO_EPISODE, OVER),
    ...remove('End a snooze', EPISODE, askedQuery, NO_EPISODE),
  },
  '/v1/models/{model}/snooze': {
    ...get('What keeps the alarms of a model silent now', MODEL, NO_MODEL),
    ...put('Tell nobody of a model, or of one category, until a time', MODEL, modelSnoozeBody, NO_MODEL),
    ...remove('End the snooze of a model, or of one category', MODEL, askedScopeQuery, NO_MODEL),
  },
  '/v1/models/{model}/policy': {
    ...get('The policy in force, that of the file, and all that were set', MODEL, NO_MODEL),
    ...put('Set the policy; it is in force from the next cycle on', MODEL, policyBody, NO_MODEL),
    ...remove('Go back to the policy of the file', MODEL, askedQuery, 'none was set'),
  },
};
