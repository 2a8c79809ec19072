import { request as httpRequest } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  EVENT,
  eventsOf,
  type HttpService,
  LABEL,
  linesOf,
  startHttpService,
} from '../../support/http-service.js';

const MIB = 1024 * 1024;
const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

describe('sending events', () => {
  let service: HttpService;
  beforeEach(async () => {
    service = await startHttpService();
  });
  afterEach(() => service.stop());

  it.each([
    ['an object', JSON.stringify(EVENT), 1],
    ['a pretty object', JSON.stringify(EVENT, null, 2), 1],
    ['an array', JSON.stringify(eventsOf(3)), 3],
    ['a pretty array', JSON.stringify(eventsOf(3), null, 2), 3],
    ['an empty array', '[]', 0],
    ['lines', linesOf(eventsOf(3)), 3],
    [
      'lines with blanks, CRLF and a byte order mark',
      `\uFEFF${linesOf(eventsOf(3)).replaceAll('\n', '\r\n\r\n')}\r\n`,
      3,
    ],
    [
      'an array on each line',
      [JSON.stringify(eventsOf(2, 'a')), JSON.stringify(eventsOf(2, 'b'))].join('\n'),
      4,
    ],
    [
      'objects one after the other',
      eventsOf(3)
        .map((event) => JSON.stringify(event))
        .join(''),
      3,
    ],
    [
      'objects one after the other, with spaces',
      eventsOf(3)
        .map((event) => JSON.stringify(event))
        .join('  '),
      3,
    ],
  ])('takes %s', async (_name, body, count) => {
    const response = await service.send('/v1/ingest', body);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      received: count,
      accepted: count,
      duplicate: 0,
      rejected: 0,
      errors: [],
    });
    expect(service.store.predictions).toHaveLength(count);
  });

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('takes a %s body', async (encoding, compress) => {
    const body = new Uint8Array(compress(linesOf(eventsOf(50))));
    const response = await service.send('/v1/ingest', body, {
      'content-type': 'application/x-ndjson',
      'content-encoding': encoding,
    });
    expect(await response.json()).toMatchObject({ received: 50, accepted: 50 });
  });

  it('takes labels, PUT, and a body whose type is not told', async () => {
    expect(await (await service.send('/v1/labels', JSON.stringify(LABEL))).json()).toMatchObject({
      accepted: 1,
    });
    const put = await fetch(`${service.url}/v1/ingest`, {
      method: 'PUT',
      body: Buffer.from(linesOf(eventsOf(2))),
    });
    expect(await put.json()).toMatchObject({ accepted: 2 });
    expect(service.store.labels).toHaveLength(1);
  });

  it('keeps bad events with their text and a reason, and takes the others', async () => {
    const bad = [
      '{"prediction_id": "cut',
      JSON.stringify({ ...EVENT, prediction_id: null }),
      JSON.stringify({ ...EVENT, model: 'other' }),
      '7',
      JSON.stringify(EVENT).replace('31', 'NaN'),
    ];
    const response = await service.send('/v1/ingest', [linesOf(eventsOf(2)), ...bad].join('\n'), {
      'content-type': 'application/x-ndjson',
    });
    expect(response.status).toBe(200);
    const answer = (await response.json()) as { errors: { index: number; code: string; message: string }[] };
    expect(answer).toMatchObject({ received: 7, accepted: 2, duplicate: 0, rejected: 5 });
    expect(answer.errors.map(({ index, code }) => [index, code])).toEqual([
      [2, 'malformed_json'],
      [3, 'missing_id'],
      [4, 'unknown_model'],
      [5, 'not_an_object'],
      [6, 'malformed_json'],
    ]);
    expect(service.store.rejected.map((row) => row.payload)).toEqual(bad);
    const exposition = await service.metrics.registry.metrics();
    expect(exposition).toContain('plumbline_received_total{kind="prediction",source="http"} 7');
    expect(exposition).toContain('plumbline_rejected_total{kind="prediction",reason="malformed_json"} 2');
  });

  it('loses no element of an array to a bad one', async () => {
    const [first, second] = eventsOf(2).map((event) => JSON.stringify(event));
    const response = await service.send('/v1/ingest', `[${first}, {"a": }, nonsense, ${second}`);
    expect(await response.json()).toMatchObject({ received: 5, accepted: 2, rejected: 3 });
    expect(service.store.rejected.map((row) => row.payload)).toEqual(['{"a": }', 'nonsense', '']);
  });

  it('shows the first hundred errors, and counts all', async () => {
    const response = await service.send('/v1/ingest', 'x\n'.repeat(250) + JSON.stringify(EVENT));
    const answer = (await response.json()) as { errors: unknown[] };
    expect(answer).toMatchObject({ received: 251, accepted: 1, rejected: 250 });
    expect(answer.errors).toHaveLength(100);
  });

  it('answers 400 when nothing is JSON, and still keeps what came', async () => {
    const response = await service.send('/v1/ingest', 'prediction=1&model=churn');
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(await response.json()).toMatchObject({ code: 'invalid_request', received: 1, rejected: 1 });
    expect(service.store.rejected).toMatchObject([
      { reason: 'malformed_json', payload: 'prediction=1&model=churn' },
    ]);
  });

  it.each([
    ['', 400, 'invalid_request'],
    [' \n ', 400, 'invalid_request'],
  ])('answers an empty body %p with %p', async (body, status, code) => {
    const response = await service.send('/v1/ingest', body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, received: 0 });
  });

  it.each([
    ['an unknown compression', { 'content-encoding': 'zstd' }],
    ['another type', { 'content-type': 'application/xml' }],
  ])('answers 415 to %s', async (_name, headers) => {
    const response = await service.send(
      '/v1/ingest',
      JSON.stringify(EVENT),
      headers as Record<string, string>,
    );
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ code: 'unsupported_media_type' });
  });

  it('answers 400 to an archive that is broken or cut', async () => {
    for (const body of [Buffer.from('no archive'), gzipSync(linesOf(eventsOf(50))).subarray(0, 100)]) {
      const response = await service.send('/v1/ingest', new Uint8Array(body), { 'content-encoding': 'gzip' });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'invalid_request' });
    }
  });

  it('answers 413 to a body of 40 MB, told or untold', async () => {
    const body = new Uint8Array(40 * MIB).fill(0x20);
    const told = await service.send('/v1/ingest', body);
    expect(told.status).toBe(413);
    expect(await told.json()).toMatchObject({ code: 'payload_too_large' });
    const untold = await new Promise<number>((resolve, reject) => {
      const request = httpRequest(`${service.url}/v1/ingest`, { method: 'POST' }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', reject);
      for (let sent = 0; sent < 40; sent += 1) request.write(Buffer.alloc(MIB, 0x20));
      request.end();
    });
    expect(untold).toBe(413);
    expect((await service.send('/v1/ingest', JSON.stringify(EVENT))).status).toBe(200);
  });

  it('answers 413 to a small archive of 1 GB, in bounded memory', async () => {
    const block = gzipSync(Buffer.alloc(64 * MIB, 0x20), { level: 1 });
    // Members of a gzip file are decompressed one after the other.
    const bomb = new Uint8Array(Buffer.concat(Array.from({ length: 16 }, () => block)));
    expect(bomb.length).toBeLessThan(8 * MIB);
    const before = process.memoryUsage().rss;
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 5);
    const response = await service.send('/v1/ingest', bomb, { 'content-encoding': 'gzip' });
    clearInterval(watch);
    expect(response.status).toBe(413);
    expect(peak - before).toBeLessThan(200 * MIB);
  });

  it('rejects one event of more than 1 MiB, and takes its neighbours', async () => {
    const large = { ...EVENT, prediction_id: 'large', note: 'x'.repeat(MIB) };
    for (const [index, body] of [
      linesOf([...eventsOf(1, 'a'), large, ...eventsOf(1, 'b')]),
      JSON.stringify([...eventsOf(1, 'c'), large, ...eventsOf(1, 'd')]),
    ].entries()) {
      expect(await (await service.send('/v1/ingest', body)).json()).toMatchObject({
        received: 3,
        accepted: 2,
        errors: [{ index: 1, code: 'too_large' }],
      });
      expect(service.store.rejected[index]?.payload).toHaveLength(64 * 1024);
    }
  });

  it('refuses an event with 10,000 features, and one nested 100,000 deep', async () => {
    const many = {
      ...EVENT,
      features: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`f${i}`, i])),
    };
    const deep = JSON.stringify(EVENT).replace('31', '['.repeat(100_000) + ']'.repeat(100_000));
    const response = await service.send('/v1/ingest', `[${JSON.stringify(many)},${deep}]`);
    expect(await response.json()).toMatchObject({
      errors: [
        { index: 0, code: 'too_many_features' },
        { index: 1, code: 'too_deep' },
      ],
    });
  });

  it.each([
    ['a value', `{"prediction":${DEEP}}`],
    ['a log request', `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${DEEP}}]}]}]}`],
    ['a CloudEvent', `{"specversion":"1.0","type":"t","data":{"prediction":${DEEP}}}`],
    ['a text in an envelope', JSON.stringify({ log: `{"prediction":${DEEP}}` })],
    ['a key', `{"${'k'.repeat(200_000)}":1}`],
  ])('takes the events beside one that goes beyond all measure: %s', async (_, line) => {
    const [first, last] = eventsOf(2);
    const response = await service.send(
      '/v1/ingest',
      `${JSON.stringify(first)}\n${line}\n${JSON.stringify(last)}`,
      { 'content-type': 'application/x-ndjson' },
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ received: 3, accepted: 2, rejected: 1 });
  });

  it.each([
    ['/v1/logs', `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${DEEP}}]}]}]}`, {}],
    ['/v1/cloudevents', DEEP, { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-type': 't', 'ce-source': 's' }],
  ])('keeps as rejected what comes to %s nested beyond all measure', async (path, body, headers) => {
    const response = await service.send(path, body, { 'content-type': 'application/json', ...headers });
    expect(response.status).toBe(200);
    expect(service.store.rejected).toHaveLength(1);
  });

  it('keeps markup and __proto__ as they are', async () => {
    const name = '<img src=x onerror=alert(1)>';
    const body = JSON.stringify({ ...EVENT, features: { [name]: '</script>' } }).replace(
      '"features":{',
      '"features":{"__proto__":5,',
    );
    expect(await (await service.send('/v1/ingest', body)).json()).toMatchObject({ accepted: 1 });
    const [row] = service.store.predictions;
    expect(row?.numeric).toEqual({ names: ['__proto__'], values: [5] });
    expect(row?.categorical).toEqual({ names: [name], values: ['</script>'] });
  });

  it('takes a large body in parts, so that memory stays bounded', async () => {
    const body = `[${eventsOf(60_000)
      .map((event) => JSON.stringify(event))
      .join(',')}]`;
    expect(body.length).toBeGreaterThan(10 * MIB);
    const response = await service.send('/v1/ingest', body);
    expect(await response.json()).toMatchObject({ received: 60_000, accepted: 60_000 });
    expect(service.store.tokens).toHaveLength(2);
    expect(new Set(service.store.predictions.map((row) => row.predictionId)).size).toBe(60_000);
  });

  it('accepts exactly one of many concurrent requests with the same event', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, async () =>
        (await service.send('/v1/ingest', JSON.stringify(EVENT))).json(),
      ),
    );
    const sum = (name: string) =>
      answers.reduce((total: number, answer) => total + Number((answer as never)[name]), 0);
    expect([sum('accepted'), sum('duplicate'), sum('received')]).toEqual([1, 39, 40]);
    expect(service.store.predictions).toHaveLength(1);
  });
});
