import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createForwarder } from '../../../src/sidecar/forwarder.js';
import { createSidecarMetrics } from '../../../src/sidecar/metrics.js';
import { createRefusedRequests } from '../../../src/sidecar/refused.js';
import { openSpool, type Spool } from '../../../src/sidecar/spool.js';
import { createSilentLogger } from '../../support/silent-logger.js';
import { until } from '../../support/until.js';

interface Seen {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

describe('the forwarder', () => {
  let directory: string;
  let spool: Spool;
  let server: Server;
  let seen: Seen[];
  let answer: (
    request: Seen,
    time: number,
  ) => { status: number; headers?: Record<string, string>; body?: string } | 'cut';
  const metrics = () => createSidecarMetrics(() => spool);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-forwarder-'));
    spool = await openSpool({ directory, maxBytes: 1_000_000, logger: createSilentLogger() });
    seen = [];
    answer = () => ({ status: 200 });
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const one = {
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      seen.push(one);
      const told = answer(one, seen.filter(({ body }) => body === one.body).length);
      if (told === 'cut') response.destroy();
      else response.writeHead(told.status, told.headers).end(told.body ?? '{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await spool.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function forward(key?: string, prefix = '/') {
    const forwarder = createForwarder({
      spool,
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
      key,
      refused: createRefusedRequests(directory, createSilentLogger()),
      metrics: metrics(),
      logger: createSilentLogger(),
      minBackoffMs: 1,
      maxBackoffMs: 5,
      // None is to run out, however busy the machine: its request would be sent twice.
      timeoutMs: 60_000,
    });
    const ended = new AbortController();
    const running = forwarder.run(ended.signal);
    return {
      forwarder,
      async end() {
        ended.abort();
        await running;
      },
      async untilEmpty() {
        await until(() => spool.records === 0).finally(() => ended.abort());
        await running;
      },
    };
  }
  const put = (body: string, headers: Record<string, string> = {}) =>
    spool.append({ path: '/v1/ingest?model=m', headers, body: Buffer.from(body) });

  it('sends what was kept as it came, with its own key', async () => {
    await put('one', { 'content-type': 'application/x-ndjson', 'ce-id': '7' });
    await (await forward('plk_key')).untilEmpty();
    expect(seen).toMatchObject([
      {
        url: '/v1/ingest?model=m',
        body: 'one',
        headers: { 'content-type': 'application/x-ndjson', 'ce-id': '7', authorization: 'Bearer plk_key' },
      },
    ]);
  });

  it('asks again while the service is busy, has lost the connection, does not know the key yet, or is not the service', async () => {
    const answers = ['cut', 503, 500, 429, 401, 403, 404, 405, 409, 410, 421, 431, 302, 200] as const;
    answer = (_request, time) => {
      const told = answers[time - 1] ?? 200;
      return told === 'cut' ? 'cut' : { status: told, headers: { 'retry-after': '0' } };
    };
    for (const body of ['a', 'b', 'c']) await put(body);
    await (await forward()).untilEmpty();
    for (const body of ['a', 'b', 'c'])
      expect(seen.filter((one) => one.body === body)).toHaveLength(answers.length);
  });

  it('keeps what the service refuses for good in a file, and goes on', async () => {
    answer = ({ body }) => {
      if (body === 'foreign') return { status: 403, body: '{"code":"model_forbidden"}' };
      const statuses: Record<string, number> = { bad: 415, broken: 400, large: 413, strange: 422 };
      return { status: statuses[body] ?? 200 };
    };
    for (const body of ['good', 'bad', 'broken', 'large', 'strange', 'foreign', 'better']) await put(body);
    await (await forward()).untilEmpty();
    const lines = (await readFile(join(directory, 'refused.ndjson'), 'utf8')).trimEnd().split('\n');
    const all = lines.map((line) => JSON.parse(line));
    expect(all.map(({ body }) => Buffer.from(body, 'base64').toString()).sort()).toEqual([
      'bad',
      'broken',
      'foreign',
      'large',
      'strange',
    ]);
    const kept = all.find(({ reason }) => reason.includes('415'));
    expect(kept).toMatchObject({
      path: '/v1/ingest?model=m',
      reason: expect.stringContaining('answered 415'),
    });
    expect(Buffer.from(kept.body, 'base64').toString()).toBe('bad');
  });

  it('says why nothing is delivered, and delivers it later', async () => {
    answer = () => ({ status: 503 });
    await put('late');
    const first = await forward();
    await until(() => first.forwarder.failure() !== null);
    expect(first.forwarder.failure()).toMatch(/answered 503/);
    await first.end();
    expect(spool.records).toBe(1);
    answer = () => ({ status: 200 });
    await (await forward()).untilEmpty();
  });

  it('sends nothing that the sidecar would not have taken, to nobody, and keeps it', async () => {
    const { port } = server.address() as AddressInfo;
    const body = Buffer.from('forged');
    const paths = [
      '0/v1/ingest',
      ':1/v1/ingest',
      '@other/v1/ingest',
      '//other/v1/ingest',
      `http://127.0.0.1:${port}/v1/ingest`,
      '/v1/erasures',
      '/v1/ingest/../erasures',
      'http://[',
    ];
    for (const path of paths) await spool.append({ path, headers: {}, body });
    for (const headers of [{ cookie: 'a' }, { 'ce-id': 'a\nb' }] as Record<string, string>[])
      await spool.append({ path: '/v1/ingest', headers, body });
    await spool.append({ path: '/V1/labels/?a=%2F', headers: {}, body: Buffer.from('own') });
    await (await forward('plk_key', '/plumbline/')).untilEmpty();
    expect(seen).toMatchObject([{ url: '/plumbline/V1/labels/?a=%2F', body: 'own' }]);
    const lines = (await readFile(join(directory, 'refused.ndjson'), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).path).sort()).toEqual(
      [...paths, '/v1/ingest', '/v1/ingest'].sort(),
    );
  });
});
