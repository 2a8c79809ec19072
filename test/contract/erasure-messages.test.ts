import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ErasureTarget } from '../../src/domain/erasure.js';
import { HTTP_SOURCE, named, predictionRow } from '../support/rows.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const AT_MS = Date.UTC(2026, 0, 5, 3);
const MODEL = 'churn';

describe.each(BACKENDS)('erasure of messages in the %s store', (kind) => {
  let backend: StoreBackend;
  beforeAll(async () => {
    backend = await openBackend(kind);
  });
  afterAll(() => backend.close());

  const erase = (target: ErasureTarget, over: object = {}) =>
    backend.store.eraseRows({
      model: MODEL,
      target,
      values: [target.kind === 'prediction' ? target.predictionId : target.value],
      atMs: AT_MS,
      settled: async () => undefined,
      ...over,
    });

  test('sides of calls whose ids are stored hashed go with their prediction, and are refused', async () => {
    const { store } = backend;
    const half = (id: string) => ({
      call: JSON.stringify(['hash of the call', `hash of ${id}`]),
      side: 'request' as const,
      timestampMs: Date.now(),
      model: MODEL,
      payload: 'sealed:',
      source: HTTP_SOURCE,
    });
    const prediction = predictionRow('dora-1', {
      model: MODEL,
      timestampMs: AT_MS,
      tags: named([['customer', 'dora']]),
    });
    await store.insertRows({
      predictions: [prediction],
      labels: [],
      rejected: [],
      halves: ['dora-1', 'emil-1'].map(half),
      token: 'dora',
    });
    const { erased, predictionIds } = await erase(
      { kind: 'subject', tag: 'customer', value: 'dora' },
      { formsOfId: (id: string) => [id, `hash of ${id}`] },
    );
    expect(erased).toMatchObject({ predictions: 1, call_halves: 1 });
    expect(predictionIds).toEqual(['dora-1']);
    const refused = await store.erasedRows();
    expect(refused?.half(half('dora-1'))).toBe(true);
    expect(refused?.half(half('emil-1'))).toBe(false);
  });
});
