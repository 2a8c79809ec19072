import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ErrorStreamQuestion } from '../../../src/domain/error-stream.js';
import { createKey } from '../../../src/http/access.js';
import { createConceptDriftRoutes } from '../../../src/http/concept-drift-routes.js';
import { type HttpService, startHttpService } from '../../support/http-service.js';
import { NO_ERRORS } from '../../support/performance-rows.js';

describe('the concept-drift route', () => {
  let service: HttpService;
  const asked: ErrorStreamQuestion[] = [];
  const reader = createKey(['read'], ['chu*']);

  beforeAll(async () => {
    service = await startHttpService({
      keys: [reader.entry],
      api: (access) =>
        createConceptDriftRoutes(
          {
            conceptDrift: async (question) => {
              asked.push(question);
              return { ...NO_ERRORS, errors: 50 };
            },
          },
          access,
        ),
    });
  });
  afterAll(() => service.stop());

  const get = async (path: string) => {
    const headers = { authorization: `Bearer ${reader.key}` };
    const response = await fetch(`${service.url}/v1/models/${path}`, { headers });
    return { status: response.status, body: (await response.json()) as object };
  };

  it('asks for the newest detections of one version', async () => {
    expect(await get('churn/concept-drift?version=3&limit=5')).toEqual({
      status: 200,
      body: { ...NO_ERRORS, errors: 50 },
    });
    expect(asked).toEqual([{ model: 'churn', modelVersion: '3', limit: 5 }]);
  });

  it.each([
    ['churn/concept-drift', 400],
    ['churn/concept-drift?version=3&limit=0', 400],
    ['fraud/concept-drift?version=1', 403],
  ])('answers %s with %i', async (path, status) => {
    expect((await get(path)).status).toBe(status);
  });
});
