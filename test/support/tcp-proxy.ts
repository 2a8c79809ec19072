import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Bytes on their way: `up` to the server, `down` to the client. */
export interface ProxyChunk {
  readonly direction: 'up' | 'down';
  /** Counted from 1 for each proxy. */
  readonly connection: number;
  readonly bytes: Buffer;
  /** Bytes that came this way on this connection before. */
  readonly before: number;
}

/** What becomes of a chunk: it waits (what comes behind it waits, too), a part of it goes on, then the connection ends. */
export interface ProxyFault {
  readonly until?: Promise<unknown>;
  /** Bytes of it that go on; all when left out. */
  readonly pass?: number;
  /** `reset` both sides, `close` them orderly, or `silence`: both stay open and carry nothing any more (half-open). */
  readonly end?: 'reset' | 'close' | 'silence';
}

export interface TcpProxy {
  readonly port: number;
  /** Where connections go; may change, for those made afterwards. */
  target: number;
  /** Added to each chunk, each way, ms. */
  latencyMs: number;
  /** Asked for each chunk; null lets it pass. */
  fault: (chunk: ProxyChunk) => ProxyFault | null;
  readonly connections: () => number;
  /** Resets what is open now. */
  readonly resetAll: () => void;
  readonly stop: () => Promise<void>;
}

/** A fault that ends every connection once it has carried `bytes` in one direction. */
export const cutAfter =
  (direction: ProxyChunk['direction'], bytes: number, end: NonNullable<ProxyFault['end']>) =>
  (chunk: ProxyChunk): ProxyFault | null => {
    if (chunk.direction !== direction || chunk.before + chunk.bytes.length <= bytes) return null;
    return { pass: Math.max(0, bytes - chunk.before), end };
  };

/** TCP to a loopback port, with faults. What a client sent before it died still arrives, as it would over a network. */
export async function startTcpProxy(target = 0): Promise<TcpProxy> {
  const open = new Map<Socket, Socket>();
  let made = 0;

  const server = createServer({ allowHalfOpen: true }, (client) => {
    made += 1;
    const upstream = createConnection({ port: proxy.target, host: '127.0.0.1', allowHalfOpen: true });
    open.set(client, upstream);
    const connection = { number: made, silent: false, held: false };
    pump(client, upstream, 'up', connection);
    pump(upstream, client, 'down', connection);
    upstream.once('close', () => open.delete(client));
  });

  function pump(
    from: Socket,
    to: Socket,
    direction: ProxyChunk['direction'],
    connection: { readonly number: number; silent: boolean; held: boolean },
  ): void {
    let before = 0;
    let passed: Promise<void> = Promise.resolve();
    const forward = async (bytes: Buffer, fault: ProxyFault | null) => {
      await fault?.until;
      if (proxy.latencyMs > 0) await delay(proxy.latencyMs);
      if (connection.silent || to.destroyed) return;
      to.write(bytes.subarray(0, fault?.pass ?? bytes.length));
      if (fault?.end === 'silence') connection.silent = true;
      else if (fault?.end === 'close') {
        to.end();
        from.destroySoon();
      } else if (fault?.end === 'reset') {
        // What was let through leaves before the reset.
        await once(to, 'drain', { signal: AbortSignal.timeout(20) }).catch(() => undefined);
        to.resetAndDestroy();
        from.resetAndDestroy();
      }
    };
    from.on('data', (bytes: Buffer) => {
      const fault = proxy.fault({ direction, connection: connection.number, bytes, before });
      before += bytes.length;
      if (fault?.until !== undefined) connection.held = true;
      passed = passed.then(() => forward(bytes, fault));
    });
    from.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === undefined) throw error;
    });
    // A server that hears of the end of a client gives up what it asked for: of one that is gone it hears after its answer.
    const isLate = () => direction === 'up' && connection.held;
    from.once('end', () => void passed.then(() => (connection.silent || isLate() ? undefined : to.end())));
    from.once('close', () => {
      if (isLate()) to.once('data', () => to.end());
      void passed.then(() => (isLate() && !connection.silent ? undefined : to.destroy()));
    });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port was assigned');
  const proxy: TcpProxy = {
    port: address.port,
    target,
    latencyMs: 0,
    fault: () => null,
    connections: () => open.size,
    resetAll: () => {
      for (const [client, upstream] of open) {
        client.resetAndDestroy();
        upstream.resetAndDestroy();
      }
    },
    stop: async () => {
      for (const [client, upstream] of open) {
        client.destroy();
        upstream.destroy();
      }
      await new Promise((done) => server.close(done));
    },
  };
  return proxy;
}
