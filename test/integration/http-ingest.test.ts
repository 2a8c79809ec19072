import { request as httpRequest } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeLabel } from '../../src/collectors/decode-label.js';
import { decodePrediction } from '../../src/collectors/decode-prediction.js';
import { createRowWriter } from '../../src/collectors/row-writer.js';
import { createSharedInserts } from '../../src/collectors/shared-inserts.js';
import type { RowSource } from '../../src/domain/prediction.js';
import { AppError } from '../../src/errors.js';
import { createAccess } from '../../src/http/access.js';
import { createIngestRoutes } from '../../src/http/ingest-routes.js';
import { createHttpServer } from '../../src/http/server.js';
import { createLogger } from '../../src/logger.js';
import { createMetrics } from '../../src/metrics.js';
import { createMemoryRowStore } from '../fakes/memory-row-store.js';

const now = Date.UTC(2026, 0, 2);
const kinds = new Map<string, 'numeric' | 'categorical'>([
  ['age', 'numeric'],
  ['plan', 'categorical'],
]);
const event = (id: string, over: object = {}) => ({
  prediction_id: id,
  model: 'churn',
  model_version: '3',
  timestamp: '2026-01-01T00:00:00Z',
  features: { age: 31, plan: 'pro' },
  prediction: 1,
  ...over,
});

describe('HTTP ingest', () => {
  let memory: ReturnType<typeof createMemoryRowStore>;
  let url = '';
  let stop: () => Promise<void>;
  let deadlineMs = 5_000;

  async function startServer() {
    memory = createMemoryRowStore();
    const logger = createLogger({ level: 'silent' });
    const metrics = createMetrics();
    const writer = createRowWriter({
      store: memory.store,
      metrics,
      clock: { now: () => now, observe: () => undefined },
      logger,
      retryForMs: 200,
    });
    const inserts = createSharedInserts({ writer, tokenPrefix: 't', maxDelayMs: 10, deadlineMs });
    const access = createAccess(null);
    const context = (source: RowSource) => ({
      featureKinds: (model: string) => (model === 'churn' ? kinds : undefined),
      nowMs: now,
      earliestMs: () => 31_536_000_000,
      source,
      defaultId: null,
    });
    const server = createHttpServer({
      host: '127.0.0.1',
      port: 0,
      hasKeys: false,
      insecureListen: false,
      access,
      metrics,
      logger,
      ready: async () => undefined,
      ingest: createIngestRoutes(
        {
          decodePrediction: (value, source) => decodePrediction(value, context(source)),
          decodeLabel: (value, source) => decodeLabel(value, context(source)),
          submit: inserts.submit,
        },
        access,
      ),
    });
    url = (await server.start()).url;
    stop = async () => {
      await server.stop();
      await inserts.stop();
    };
  }
  beforeEach(startServer);
  afterEach(() => stop());

  async function post(body: string | Buffer, headers: Record<string, string> = {}, path = '/v1/ingest') {
    const response = await fetch(url + path, { method: 'POST', body, headers });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown> & {
        errors: { index: number; code: string }[];
      },
    };
  }

  it.each([
    ['an object', JSON.stringify(event('a')), 1],
    ['an object over several lines', JSON.stringify(event('a'), null, 2), 1],
    ['an array', JSON.stringify([event('a'), event('b')]), 2],
    ['lines', [event('a'), event('b'), event('c')].map((e) => JSON.stringify(e)).join('\n'), 3],
    [
      'lines with CRLF, blanks and a byte order mark',
      `\uFEFF${JSON.stringify(event('a'))}\r\n\r\n${JSON.stringify(event('b'))}\r\n`,
      2,
    ],
  ])('takes %s, whatever the content type says', async (_what, body, count) => {
    for (const type of ['application/json', 'application/x-ndjson', 'text/plain'])
      expect((await post(body, { 'content-type': type })).status).toBe(200);
    expect(memory.predictions()).toHaveLength(count);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('takes a body compressed by %s', async (encoding, compress) => {
    const { status, body } = await post(compress(JSON.stringify([event('a'), event('b')])), {
      'content-encoding': encoding,
    });
    expect([status, body.accepted]).toEqual([200, 2]);
  });

  it('counts what it accepts, knows and refuses, and keeps what it refuses', async () => {
    const lines = [
      JSON.stringify(event('a')),
      '{"prediction_id": "b", "age": NaN}',
      JSON.stringify(event('a')),
      JSON.stringify(event('c', { model: 'other' })),
      '"text"',
    ];
    const { status, body } = await post(lines.join('\n'));
    expect(status).toBe(200);
    expect(body).toMatchObject({ received: 5, accepted: 1, duplicate: 1, rejected: 3 });
    expect(body.errors.map((error) => [error.index, error.code])).toEqual([
      [1, 'malformed_json'],
      [3, 'unknown_model'],
      [4, 'not_an_object'],
    ]);
    expect(memory.rejected().map((row) => row.payload)).toEqual([lines[1], lines[3], lines[4]]);
  });

  it('answers 400 when nothing is JSON, and keeps it all the same', async () => {
    const { status, body } = await post('this is\nnot json');
    expect([status, body.rejected]).toEqual([400, 2]);
    expect(memory.rejected()).toHaveLength(2);
  });

  it('answers 400 to an empty body', async () => {
    expect((await post('')).body).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(await post('[]')).toMatchObject({ status: 200, body: { received: 0 } });
  });

  it('keeps 1e400 as infinity, null as missing, and a feature called __proto__', async () => {
    const body = `{"prediction_id":"x","model":"churn","model_version":"3","timestamp":"2026-01-01T00:00:00Z","prediction":1,
      "features":{"age":1e400,"plan":null,"__proto__":3}}`;
    expect((await post(body)).body.accepted).toBe(1);
    expect(Object.entries(memory.predictions()[0]?.numeric ?? {})).toEqual([
      ['age', Number.POSITIVE_INFINITY],
      ['__proto__', 3],
    ]);
  });

  it('refuses an event with 10,000 features, and one beyond 1 MiB, and takes their neighbours', async () => {
    const wide = event('w', {
      features: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`f${i}`, i])),
    });
    const long = event('l', { tags: { t: 'x'.repeat(1_100_000) } });
    const { body } = await post(
      [event('a'), wide, long, event('b')].map((e) => JSON.stringify(e)).join('\n'),
    );
    expect(body).toMatchObject({ received: 4, accepted: 2, rejected: 2 });
    expect(body.errors.map((error) => error.code)).toEqual(['too_many_features', 'too_large']);
    const array = await post(JSON.stringify([event('c'), wide, long]));
    expect(array.body.errors.map((error) => error.code)).toEqual(['too_many_features', 'too_large']);
  });

  it('refuses what is nested deeper than any event, without falling over', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    expect((await post(`${JSON.stringify(event('a'))}\n{"prediction_id":${deep}}`)).body).toMatchObject({
      accepted: 1,
      rejected: 1,
    });
    expect((await post(`[{"features":${deep}}]`)).status).toBeLessThan(500);
  });

  it('answers 413 to 40 MB, plain or not', async () => {
    const big = Buffer.alloc(40_000_000, 'x');
    expect((await post(big)).body).toMatchObject({ status: 413, code: 'payload_too_large' });
    expect((await post(JSON.stringify(event('a')))).status).toBe(200);
  });

  it('stops reading a gzip bomb at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000), { level: 9 });
    expect(bomb.length).toBeLessThan(2_000_000);
    const before = process.memoryUsage().rss;
    expect((await post(bomb, { 'content-encoding': 'gzip' })).body).toMatchObject({
      code: 'payload_too_large',
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  });

  it('names an encoding it does not know, and a body that is not what it says', async () => {
    expect((await post('x', { 'content-encoding': 'zstd' })).body).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
    });
    expect((await post('x', { 'content-encoding': 'gzip' })).body).toMatchObject({ status: 400 });
  });

  it('answers 503 with Retry-After while the store fails, and goes on when it is back', async () => {
    memory.control.failure = new AppError('store_unavailable', 'planned', { retryable: true });
    const failed = await post(JSON.stringify(event('a')));
    expect([failed.status, failed.body.code]).toEqual([503, 'store_unavailable']);
    expect(Number(failed.headers.get('retry-after'))).toBeGreaterThan(0);
    memory.control.failure = null;
    expect((await post(JSON.stringify(event('a')))).body).toMatchObject({ accepted: 1 });
  });

  it('accepts an id once, however many requests carry it at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(JSON.stringify(event('same')))));
    expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(answers.reduce((sum, answer) => sum + Number(answer.body.accepted), 0)).toBe(1);
    expect(memory.predictions()).toHaveLength(1);
  });

  it('takes labels, and PUT as POST', async () => {
    const label = { ...event('a'), features: undefined, prediction: undefined, label: 1 };
    expect((await post(JSON.stringify([label]), {}, '/v1/labels')).body).toMatchObject({ accepted: 1 });
    const put = await fetch(`${url}/v1/ingest`, { method: 'PUT', body: JSON.stringify(event('p')) });
    expect(put.status).toBe(200);
    expect(memory.labels()).toHaveLength(1);
  });

  it('survives a sender that goes away in the middle', async () => {
    await new Promise<void>((resolve) => {
      const request = httpRequest(`${url}/v1/ingest`, {
        method: 'POST',
        headers: { 'content-length': 1000 },
      });
      request.on('error', () => resolve());
      request.write('{"prediction_id"');
      setTimeout(() => request.destroy(), 50);
    });
    expect((await post(JSON.stringify(event('a')))).status).toBe(200);
  });

  it('refuses a host name that is not this machine', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(`${url}/metrics`, { headers: { host: 'evil.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
      request.end();
    });
    expect(status).toBe(403);
  });

  describe('with a short deadline', () => {
    beforeAll(() => {
      deadlineMs = 100;
    });
    afterAll(() => {
      deadlineMs = 5_000;
    });
    it('answers 503 when the store is slow', async () => {
      let open = (): void => undefined;
      memory.control.gate = new Promise((resolve) => {
        open = resolve;
      });
      const slow = await post(JSON.stringify(event('a')));
      expect([slow.status, slow.body.code]).toEqual([503, 'overloaded']);
      expect(slow.headers.get('retry-after')).not.toBeNull();
      open();
    });
  });

  it('serves health, readiness and metrics, and says where nothing is', async () => {
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await post(JSON.stringify(event('a')));
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('plumbline_predictions_total{model="churn",model_version="3"} 1');
    const missing = await fetch(`${url}/v2/nothing`);
    expect(missing.headers.get('content-type')).toContain('application/problem+json');
    expect(missing.headers.get('x-powered-by')).toBeNull();
    expect(await missing.json()).toMatchObject({ status: 404, code: 'not_found' });
  });
});
