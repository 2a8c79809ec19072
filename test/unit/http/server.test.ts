import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Router } from 'express';
import { AppError } from '../../../src/errors.js';
import { createAccess } from '../../../src/http/access.js';
import { createHttpServer } from '../../../src/http/server.js';
import { createMetrics } from '../../../src/metrics.js';
import { EVENT, type HttpService, startHttpService } from '../../support/http-service.js';
import { createSilentLogger } from '../../support/silent-logger.js';
import { until } from '../../support/until.js';

let health: Error | null = null;

describe('the HTTP server', () => {
  let service: HttpService;
  beforeAll(async () => {
    service = await startHttpService({
      ready: async () => {
        if (health !== null) throw health;
      },
      api: (access) => {
        const router = Router();
        router.get('/bug', access.require('read'), () => {
          throw new TypeError('secret words of a bug');
        });
        return router;
      },
    });
  });
  afterAll(() => service.stop());
  const get = (path: string) => fetch(`${service.url}${path}`);

  it('is alive, and ready only while its store answers', async () => {
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
    health = new AppError('store_unavailable', 'the store does not answer');
    const response = await get('/readyz');
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: 'not ready', reason: 'the store does not answer' });
    expect((await get('/healthz')).status).toBe(200);
    health = null;
    expect((await get('/readyz')).status).toBe(200);
  });

  it('shows metrics as text', async () => {
    await service.send('/v1/ingest', JSON.stringify(EVENT));
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toContain('plumbline_predictions_total{model="churn",model_version="3"} 1');
  });

  it('sends no header that helps an attacker, and a strict policy', async () => {
    for (const path of ['/healthz', '/nothing']) {
      const { headers } = await get(path);
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('content-security-policy')).not.toContain('script-src');
    }
  });

  it('answers problems as documents with a code', async () => {
    const missing = await get('/v1/nothing');
    expect(missing.status).toBe(404);
    expect(await missing.json()).toEqual({
      type: 'about:blank',
      title: 'Not found',
      status: 404,
      code: 'not_found',
      detail: 'nothing is at GET /v1/nothing',
    });
    expect((await get('/v1/%E0%A4%A')).status).toBeLessThan(500);
  });

  it("keeps a bug's words in the log", async () => {
    const response = await get('/bug');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret words');
    expect(service.logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('never redirects', async () => {
    for (const path of ['/v1/ingest/', '/v1//ingest', '//evil.example/', '/healthz/'])
      expect(
        (await fetch(`${service.url}${path}`, { redirect: 'manual' })).headers.get('location'),
      ).toBeNull();
  });

  it('survives a request that is no HTTP', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(service.port, '127.0.0.1', () => socket.write('\u0000\u0001 nonsense\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
    });
    expect(answer).toContain('400 Bad Request');
    expect((await get('/healthz')).status).toBe(200);
  });

  const another = (host: string, port: number, insecureListen = false) => {
    const logger = createSilentLogger();
    const server = createHttpServer({
      host,
      port,
      hasKeys: false,
      insecureListen,
      access: createAccess(null),
      metrics: createMetrics(),
      logger,
      ready: async () => undefined,
    });
    return { server, logger };
  };

  it('says which port is taken, and what to do', async () => {
    const error = await another('127.0.0.1', service.port)
      .server.start()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'port_in_use' });
    expect((error as Error).message).toContain(String(service.port));
    expect((error as Error).message).toContain('--port');
  });

  it('does not listen for the world without keys, unless told to, and then says so', async () => {
    await expect(another('0.0.0.0', 0).server.start()).rejects.toMatchObject({ code: 'config_invalid' });
    const { server, logger } = another('0.0.0.0', 0, true);
    await server.start();
    await server.stop();
    expect(logger.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('without keys') }]);
  });

  it('answers what has begun when it stops', async () => {
    const own = await startHttpService();
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let asked = false;
    Object.defineProperty(own.store, 'gate', {
      get: () => {
        asked = true;
        return gate;
      },
    });
    const answer = own.send('/v1/ingest', JSON.stringify(EVENT));
    await until(() => asked);
    const stopped = own.stop();
    open();
    expect((await answer).status).toBe(200);
    await stopped;
    expect(own.store.predictions).toHaveLength(1);
    await expect(fetch(`${own.url}/healthz`)).rejects.toThrow();
  });
});
