import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

export interface ReceivedRequest {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** By the `standardwebhooks` package, the reference implementation. */
  readonly verified: boolean;
}

/** What the next request gets; `drop` closes the connection without an answer, `hang` never answers. */
export type Answer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string | Buffer }
  | 'drop'
  | 'hang'
  /** Sends the status line and half a body, then closes the connection. */
  | { readonly cutAfterStatus: number };

/** A receiver on loopback that keeps what it gets and answers as it is told, 204 when it is not. */
export async function startWebhookReceiver(secret: string) {
  const oracle = new Webhook(secret);
  const requests: ReceivedRequest[] = [];
  const answers: Answer[] = [];

  function verifies(body: string, headers: IncomingHttpHeaders): boolean {
    try {
      oracle.verify(body, headers as Record<string, string>, { jsonParse: false });
      return true;
    } catch (error) {
      if (error instanceof Error) return false;
      throw error;
    }
  }

  function reply(response: ServerResponse, answer: Answer): void {
    if (answer === 'hang') return;
    if (answer === 'drop') {
      response.destroy();
    } else if ('cutAfterStatus' in answer) {
      response.writeHead(answer.cutAfterStatus, { 'content-length': '1000' });
      response.write('half', () => response.destroy());
    } else {
      response.writeHead(answer.status, answer.headers).end(answer.body);
    }
  }

  const server = createServer((request, response) => {
    text(request).then(
      (body) => {
        const { headers } = request;
        requests.push({
          id: String(headers['webhook-id']),
          headers,
          body,
          verified: verifies(body, headers),
        });
        reply(response, answers.shift() ?? { status: 204 });
      },
      (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/retrain`,
    requests,
    /** Queues answers for the requests to come. */
    answerNext: (...next: Answer[]) => answers.push(...next),
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type WebhookReceiver = Awaited<ReturnType<typeof startWebhookReceiver>>;
