import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startSidecar } from '../../../src/sidecar/sidecar.js';
import { createSilentLogger } from '../../support/silent-logger.js';
import { until } from '../../support/until.js';

describe('a sidecar', () => {
  let directory: string;
  let service: Server;
  let status: number;
  let sidecar: Awaited<ReturnType<typeof startSidecar>>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-sidecar-'));
    status = 200;
    service = createServer((request, response) => {
      request.resume().once('end', () => response.writeHead(status).end('{}'));
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await sidecar.stop();
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
    await rm(directory, { recursive: true, force: true });
  });

  const start = async (maxBytes: number) => {
    sidecar = await startSidecar({
      url: `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
      directory,
      maxBytes,
      host: '127.0.0.1',
      port: 0,
      drainMs: 0,
      logger: createSilentLogger(),
    });
  };
  const send = async (bytes: number) => {
    const response = await fetch(`${sidecar.url}/v1/ingest`, { method: 'POST', body: 'x'.repeat(bytes) });
    return { code: response.status, text: await response.text(), retry: response.headers.get('retry-after') };
  };
  const ready = async () => {
    const response = await fetch(`${sidecar.url}/readyz`);
    return { code: response.status, text: await response.text() };
  };
  const metric = async (name: string) => {
    const text = await (await fetch(`${sidecar.url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
  };

  it('counts what the service refused, takes no more when that fills it, and does again when it was taken away', async () => {
    status = 400;
    await start(2_000);
    expect((await send(1_200)).code).toBe(202);
    await until(async () => (await metric('plumbline_sidecar_refused_requests')) === 1);
    expect(await metric('plumbline_sidecar_refused_bytes')).toBe(
      (await readFile(join(directory, 'refused.ndjson'))).length,
    );
    expect(await ready()).toMatchObject({
      code: 200,
      text: expect.stringMatching(/1 requests \(\d+ bytes\) that the service refused are in refused\.ndjson/),
    });
    expect(await send(1_200)).toMatchObject({ code: 503, text: expect.stringContaining('refused.ndjson') });
    await rm(join(directory, 'refused.ndjson'));
    expect((await send(1_200)).code).toBe(202);
  });

  it('knows after a start what is in the file of refused requests', async () => {
    status = 422;
    await start(100_000);
    for (let sent = 0; sent < 3; sent += 1) await send(10);
    await until(async () => (await metric('plumbline_sidecar_refused_requests')) === 3);
    await sidecar.stop();
    await start(100_000);
    expect((await ready()).text).toContain('3 requests');
  });

  it('refuses what will never fit, instead of asking for it again and again', async () => {
    await start(2_000);
    expect(await send(2_001)).toEqual({
      code: 413,
      text: expect.stringMatching(/payload_too_large.*2000.*--max-bytes/s),
      retry: null,
    });
    expect(await metric('plumbline_sidecar_requests_total{outcome="turned_away"}')).toBe(1);
  });

  it('waits for an address that is not the service, and says so', async () => {
    status = 405;
    await start(100_000);
    await send(10);
    await until(async () => (await ready()).text.includes('answered 405'));
    expect([
      await metric('plumbline_sidecar_waiting_requests'),
      await metric('plumbline_sidecar_refused_requests'),
    ]).toEqual([1, 0]);
  });
});
