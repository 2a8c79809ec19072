import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createBodyReader } from '../../../src/http/body.js';
import { until } from '../../support/until.js';

const SIZE = 200_000;

describe('bodies in memory that is used again', () => {
  let server: Server;
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('gives the memory of a body back once, when its sender goes away after bytes behind the compressed ones', async () => {
    const bodies = createBodyReader({ maxBytes: 10 * SIZE, maxHeldBytes: 100 * SIZE });
    const used: Buffer[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let gone: () => void = () => undefined;
    const left = new Promise<void>((resolve) => {
      gone = resolve;
    });
    server = createServer((request, response) => {
      request.on('aborted', gone);
      void bodies
        .withBody(request, async (body) => {
          used.push(body);
          await held;
        })
        .then(() => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;

    const packed = gzipSync(Buffer.alloc(SIZE, 'a'));
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST / HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.length + 9}\r\n\r\n`,
    );
    socket.write(Buffer.concat([packed, Buffer.alloc(3)]));
    await until(() => used.length === 1);
    socket.destroy();
    await left;
    // While the first is still in use, two more come.
    const post = (letter: string) =>
      fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: Buffer.alloc(SIZE, letter) });
    const posts = [post('b'), post('c')];
    await until(() => used.length === 3);
    expect(used.map((body) => new Set(body).size)).toEqual([1, 1, 1]);
    expect(used.map((body) => String.fromCharCode(body[0] ?? 0)).sort()).toEqual(['a', 'b', 'c']);
    release();
    await Promise.all(posts);
  });
});
