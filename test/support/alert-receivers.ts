import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A message to a chat, as Slack gets it. */
export interface ChatMessage {
  readonly channel: string;
  readonly title: string;
  readonly text: string;
  readonly color: string;
  readonly atMs: number;
}

/** An event of PagerDuty's Events API v2. */
export interface Page {
  readonly action: 'trigger' | 'resolve';
  /** Events of one incident share it. */
  readonly dedupKey: string;
  readonly payload: {
    readonly summary: string;
    readonly severity: string;
    readonly component?: string;
    readonly class?: string;
    readonly custom_details?: { readonly text: string };
  };
  readonly link: string;
  readonly atMs: number;
}

interface SlackBody {
  readonly channel: string;
  readonly attachments: readonly { title: string; text: string; color: string }[];
}
interface PagerBody {
  readonly event_action: Page['action'];
  readonly dedup_key: string;
  readonly payload: Page['payload'];
  readonly client_url?: string;
}

/** Chat, pager and watchdog on loopback, which keep what Alertmanager sends them. */
export async function startAlertReceivers() {
  const chats: ChatMessage[] = [];
  const pages: Page[] = [];
  let heartbeats = 0;

  function keep(path: string, body: unknown): void {
    const atMs = Date.now();
    if (path === '/watchdog') heartbeats += 1;
    else if (path === '/slack') {
      const { channel, attachments } = body as SlackBody;
      for (const { title, text: words, color } of attachments)
        chats.push({ channel, title, text: words, color, atMs });
    } else {
      const { event_action: action, dedup_key: dedupKey, payload, client_url: link = '' } = body as PagerBody;
      pages.push({ action, dedupKey, payload, link, atMs });
    }
  }

  const server = createServer((request, response) => {
    text(request).then(
      (body) => {
        keep(request.url ?? '', JSON.parse(body));
        response.writeHead(request.url === '/pager' ? 202 : 200).end('ok');
      },
      (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    urls: { slackUrl: `${url}/slack`, pagerUrl: `${url}/pager`, watchdogUrl: `${url}/watchdog` },
    chats,
    pages,
    heartbeats: () => heartbeats,
    /** `trigger` or `resolve`, and what about. */
    paged: () => pages.map(({ action, payload }) => `${action} ${payload.summary.split(':')[0]}`),
    close(): void {
      server.closeAllConnections();
      server.close();
    },
  };
}

export type AlertReceivers = Awaited<ReturnType<typeof startAlertReceivers>>;
