import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createServiceClient } from '../../../src/cli/service-client.js';

describe('the service client', () => {
  it('says soon that no service is there, and how to start one', async () => {
    const client = createServiceClient({ url: 'http://127.0.0.1:1', patienceMs: 300 });
    const startMs = performance.now();
    await expect(client.get('/v1/models')).rejects.toMatchObject({
      code: 'service_unreachable',
      message:
        'no service answers at http://127.0.0.1:1: start it with "plumbline serve", or name it with --url',
    });
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  it('asks an overloaded service again, longer than one that is not there', async () => {
    let calls = 0;
    const server = createServer((_request, response) => {
      calls += 1;
      if (calls < 3) response.writeHead(503).end();
      else response.end('{"models":[]}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const client = createServiceClient({ url: `http://127.0.0.1:${port}/`, patienceMs: 1 });
      await expect(client.get('/v1/models')).resolves.toEqual({ models: [] });
      expect(calls).toBe(3);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('says what a service that cannot answer has to say', async () => {
    const server = createServer((_request, response) => {
      response
        .writeHead(503, { 'retry-after': '600' })
        .end('{"detail":"the store cannot run a statement: disk full"}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const url = `http://127.0.0.1:${port}`;
      const client = createServiceClient({ url, patienceMs: 1, overloadedPatienceMs: 1 });
      await expect(client.get('/v1/models')).rejects.toMatchObject({
        code: 'overloaded',
        message: `the service at ${url} cannot do this now, try again later: the store cannot run a statement: disk full`,
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('tells why a file was refused, though the service hung up while it was being sent', async () => {
    const server = createServer((request, response) => {
      if (request.headers['transfer-encoding'] !== undefined) request.socket.destroy();
      else response.writeHead(403).end('{"detail":"this key lacks the scope admin"}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const client = createServiceClient({ url: `http://127.0.0.1:${port}`, patienceMs: 1 });
      await expect(client.putFile('/reference', 'package.json', 'text/csv')).rejects.toThrow(
        'PUT /reference was answered 403: this key lacks the scope admin',
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('takes counts as the answer to lines, also where none of them was JSON; any other 400 is a failure', async () => {
    const counts = { received: 2, accepted: 0, duplicate: 0, rejected: 2 };
    const server = createServer((request, response) => {
      const answer = { status: 400, detail: 'nothing in the body is JSON' };
      response
        .writeHead(400)
        .end(JSON.stringify(request.url === '/v1/ingest' ? { ...answer, ...counts } : answer));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const client = createServiceClient({ url: `http://127.0.0.1:${port}`, patienceMs: 1 });
      await expect(client.postLines('/v1/ingest', ['a', 'b'])).resolves.toMatchObject(counts);
      await expect(client.postLines('/v1/labels', ['a'])).rejects.toThrow('nothing in the body is JSON');
      await expect(client.postJson('/v1/ingest', {})).rejects.toMatchObject({ code: 'invalid_request' });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('refuses what is no address of a service', () => {
    for (const url of ['localhost:8080', 'not a url', ''])
      expect(() => createServiceClient({ url })).toThrow(
        expect.objectContaining({
          code: 'config_invalid',
          message: `${url} is no address of a service: write http://HOST:PORT`,
        }),
      );
  });
});
