import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../support/kafka-collect.js';
import { cutAfter, startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

describe('TCP proxy', () => {
  let echo: Server;
  let proxy: TcpProxy;
  let received = '';
  const sockets: Socket[] = [];
  beforeAll(async () => {
    echo = createServer((socket) => {
      // A reset is one of the things that are tried here.
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        received += bytes.toString();
        socket.write(bytes);
      });
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const address = echo.address();
    if (address === null || typeof address === 'string') throw new TypeError('no port was assigned');
    proxy = await startTcpProxy(address.port);
  });
  afterEach(() => {
    proxy.fault = () => null;
    received = '';
    for (const socket of sockets.splice(0)) socket.destroy();
    proxy.resetAll();
  });
  afterAll(async () => {
    await proxy.stop();
    await new Promise((done) => echo.close(done));
  });

  async function connect() {
    const socket = createConnection({ port: proxy.port, host: '127.0.0.1' });
    sockets.push(socket);
    const seen = { text: '', error: '', ended: false };
    socket.on('data', (bytes) => {
      seen.text += bytes.toString();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      seen.error = error.code ?? '';
    });
    socket.on('close', () => {
      seen.ended = true;
    });
    await once(socket, 'connect');
    return { socket, seen };
  }

  it('carries bytes both ways', async () => {
    const { socket, seen } = await connect();
    socket.write('hello');
    await until('the echo', () => seen.text === 'hello');
    expect(proxy.connections()).toBe(1);
  });

  it.each(['reset', 'close'] as const)('cuts an answer after 3 bytes: %s', async (end) => {
    proxy.fault = cutAfter('down', 3, end);
    const { socket, seen } = await connect();
    socket.write('hello');
    await until('the end', () => seen.ended);
    expect('hello'.startsWith(seen.text)).toBe(true);
    expect(seen.text.length).toBeLessThanOrEqual(3);
    expect(seen.error).toBe(end === 'reset' ? 'ECONNRESET' : '');
  });

  it('falls silent with both sides open', async () => {
    proxy.fault = cutAfter('up', 2, 'silence');
    const { socket, seen } = await connect();
    socket.write('hello');
    await until('what was let through', () => received === 'he');
    socket.write('more');
    proxy.fault = () => null;
    const other = await connect();
    other.socket.write('x');
    await until('the echo of another', () => other.seen.text === 'x');
    expect(received).toBe('hex');
    expect(seen).toEqual({ text: '', error: '', ended: false });
  });

  it('delivers late what a client sent that is gone', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let arrived = 0;
    proxy.fault = ({ direction, bytes }) => {
      if (direction === 'down') return null;
      arrived += bytes.length;
      return { until: held };
    };
    const { socket } = await connect();
    socket.write('late');
    await until('it is in the proxy', () => arrived === 4);
    socket.resetAndDestroy();
    expect(received).toBe('');
    release();
    await until('it arrives', () => received === 'late');
    await until('the connection ends', () => proxy.connections() === 0);
  });
});
