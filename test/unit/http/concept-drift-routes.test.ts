import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StreamDetection } from '../../../src/domain/error-stream.js';
import { createKey } from '../../../src/http/access.js';
import { createConceptDriftRoutes } from '../../../src/http/concept-drift-routes.js';
import { type HttpService, startHttpService } from '../../support/http-service.js';
import { scoredModel } from '../../support/performance-rows.js';

const DETECTIONS: StreamDetection[] = [{ detector: 'adwin', position: 40, labelMs: 9 }];

describe('the concept-drift route', () => {
  let service: HttpService;
  const asked: unknown[] = [];
  const reader = createKey(['read'], ['chu*']);

  beforeAll(async () => {
    service = await startHttpService({
      keys: [reader.entry],
      api: (access) =>
        createConceptDriftRoutes(
          {
            listModels: async () => [
              scoredModel('churn', 'binary'),
              { ...scoredModel('churn', 'binary'), modelVersion: '2' },
            ],
            errorStream: async ({ modelVersion }) =>
              modelVersion === '2'
                ? null
                : {
                    cursor: { storedMs: 1, labelMs: 1, fingerprint: '1' },
                    position: 50,
                    unmatched: 2,
                    scale: 1,
                    detectors: {},
                  },
            streamDetections: async (key, limit) => {
              asked.push([key, limit]);
              return key.modelVersion === '2' ? [] : DETECTIONS;
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

  it('tells what was seen, without what the detectors know', async () => {
    expect(await get('churn/concept-drift?version=1&limit=5')).toEqual({
      status: 200,
      body: { model: 'churn', modelVersion: '1', errors: 50, unmatched: 2, detections: DETECTIONS },
    });
    expect(asked.at(-1)).toEqual([{ model: 'churn', modelVersion: '1' }, 5]);
  });

  it('is empty before the first label', async () => {
    const { body } = await get('churn/concept-drift?version=2');
    expect(body).toEqual({ model: 'churn', modelVersion: '2', errors: 0, unmatched: 0, detections: [] });
  });

  it.each([
    ['churn/concept-drift', 400],
    ['churn/concept-drift?version=7', 404],
    ['fraud/concept-drift?version=1', 403],
  ])('answers %s with %i', async (path, status) => {
    expect((await get(path)).status).toBe(status);
  });
});
