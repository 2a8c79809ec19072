import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';

export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  | { readonly kind: 'dripBody' | 'cutBody' | 'hugeBody'; readonly status: number }
  | { readonly kind: 'dripHeaders' | 'hugeHeaders' | 'silence' | 'reset' | 'garbage' };

const HUGE_BYTES = 200_000_000;
const DRIP_MS = 20;

function drip(socket: Socket, start: string, piece: string): void {
  socket.write(start);
  const timer = setInterval(() => socket.write(piece), DRIP_MS);
  socket.on('close', () => clearInterval(timer));
}

/** Writes for as long as somebody reads. */
function pour(socket: Socket, piece: Buffer, bytes: number): void {
  let left = bytes;
  const more = () => {
    while (left > 0 && !socket.destroyed) {
      left -= piece.length;
      if (!socket.write(piece)) {
        socket.once('drain', more);
        return;
      }
    }
  };
  more();
}

function misbehave(socket: Socket, fault: Fault): void {
  const head = (status: number, length: number) => `HTTP/1.1 ${status} X\r\ncontent-length: ${length}\r\n`;
  switch (fault.kind) {
    case 'status': {
      const { status, headers = {}, body = '' } = fault;
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(`${head(status, body.length)}${lines.join('')}connection: close\r\n\r\n${body}`);
      return;
    }
    case 'dripBody':
      drip(socket, `${head(fault.status, 1_000)}\r\n`, 'x');
      return;
    case 'cutBody':
      socket.end(`${head(fault.status, 1_000)}\r\nhalf`);
      return;
    case 'hugeBody':
      socket.write(`${head(fault.status, HUGE_BYTES)}\r\n`);
      pour(socket, Buffer.alloc(65_536, 'x'), HUGE_BYTES);
      return;
    case 'dripHeaders':
      drip(socket, 'HTTP/1.1 200 OK\r\n', 'x: y\r\n');
      return;
    case 'hugeHeaders':
      socket.write('HTTP/1.1 200 OK\r\n');
      pour(socket, Buffer.from(`x: ${'y'.repeat(1_000)}\r\n`), HUGE_BYTES);
      return;
    case 'silence':
      return;
    case 'reset':
      socket.resetAndDestroy();
      return;
    case 'garbage':
      socket.end('220 mail.example.com ESMTP\r\n');
  }
}

/**
 * A receiver on loopback, below HTTP so that it can break every rule. Each request gets the next fault; when there is none left it
 * verifies the signature with the `standardwebhooks` package and answers 204. A request whose answer is a fault has no effect here.
 */
export async function startHostileReceiver(secret: string, faults: readonly Fault[] = []) {
  const oracle = new Webhook(secret);
  const queue = [...faults];
  const seen = new Set<string>();
  const sockets = new Set<Socket>();
  let requests = 0;

  function answer(socket: Socket, text: string): void {
    requests += 1;
    const fault = queue.shift();
    if (fault !== undefined) {
      misbehave(socket, fault);
      return;
    }
    const [head = '', body = ''] = text.split('\r\n\r\n');
    const headers = Object.fromEntries(
      head
        .split('\r\n')
        .slice(1)
        .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
    );
    oracle.verify(body, headers, { jsonParse: false });
    seen.add(headers['webhook-id'] ?? '');
    socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    let text = '';
    let answered = false;
    socket.on('close', () => sockets.delete(socket));
    // the caller hangs up in the middle of what we write: that is what it is tested for
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      const [head = '', body] = text.split('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (answered || body === undefined || Buffer.byteLength(body) < length) return;
      answered = true;
      answer(socket, text);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/hooks/retrain`,
    requests: () => requests,
    /** Ids of verified requests that were answered well, each once: what a receiver that drops known ids would do. */
    effects: () => [...seen],
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export type HostileReceiver = Awaited<ReturnType<typeof startHostileReceiver>>;
