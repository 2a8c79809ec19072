import { existsSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createModelService } from '../../support/model-service.js';

describe('the route that takes a reference', () => {
  const service = createModelService();
  const { admin, call, state } = service;
  beforeAll(service.start);
  afterAll(service.stop);
  beforeEach(service.reset);

  it.each([
    ['text/csv', 'a,b\n1,2\n', 'csv'],
    ['application/x-ndjson', '{"a":1}\n', 'ndjson'],
    ['application/vnd.apache.parquet', 'PAR1…', 'parquet'],
    ['application/octet-stream', 'PAR1…', 'parquet'],
    ['application/octet-stream', ' {"a":1}', 'ndjson'],
    ['application/octet-stream', 'a,b\n', 'csv'],
  ])('take a reference sent as %s: %j is %s', async (type, content, format) => {
    const { status, body } = await call('PUT', '/v1/models/churn/versions/3/reference', content, type);
    expect(status).toBe(201);
    expect(body.reference).not.toHaveProperty('forest');
    expect(state.uploads).toMatchObject([{ content, provenance: `uploaded as ${format}` }]);
    expect(state.uploads[0]?.path.endsWith(`.${format}`)).toBe(true);
    expect(existsSync(state.uploads[0]?.path ?? '')).toBe(false);
  });

  it('take a compressed reference, and refuse one that is empty, cut, too large or of another type', async () => {
    const put = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
      fetch(`${service.url()}/v1/models/churn/versions/3/reference`, {
        method: 'PUT',
        body,
        headers: { authorization: `Bearer ${admin.key}`, 'content-type': 'text/csv', ...headers },
      });
    const gzip = { 'content-encoding': 'gzip' };
    expect((await put(new Uint8Array(gzipSync('a,b\n')), gzip)).status).toBe(201);
    expect(state.uploads.map(({ content }) => content)).toEqual(['a,b\n']);
    expect((await put('', {})).status).toBe(422);
    expect((await put(new Uint8Array(gzipSync('a,b\n'.repeat(50)).subarray(0, 20)), gzip)).status).toBe(400);
    expect((await put('x'.repeat(1_001), {})).status).toBe(413);
    expect((await put(new Uint8Array(gzipSync('x'.repeat(1_000_000))), gzip)).status).toBe(413);
    expect((await put('x', { 'content-type': 'application/msgpack' })).status).toBe(415);
    expect(state.uploads).toHaveLength(1);
  });
});
