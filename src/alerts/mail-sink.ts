import { rootCertificates } from 'node:tls';
import { createTransport, type Transporter } from 'nodemailer';
import type { WebhookEvent } from '../domain/episode.js';
import { messageOf } from '../errors.js';
import type { Delivery, Sink } from './sink.js';
import { hider, lineOf } from './webhook-sink.js';

const CONNECT_TIMEOUT_MS = 15_000;
/** Without a byte from the server. */
const SILENCE_TIMEOUT_MS = 30_000;
const MAX_REASON_LENGTH = 200;

/** The server that mails go through, its secrets read. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  readonly tls: 'starttls' | 'implicit' | 'none';
  /** PEM of authorities that are trusted beside the usual ones. */
  readonly ca?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly from: string;
}

export interface MailMessage {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly attachments: readonly {
    readonly filename: string;
    readonly contentType: string;
    readonly content: string;
  }[];
}

export interface MailerOptions {
  readonly server: MailServer;
  /** What an event says to a person; null where what it tells of is gone. */
  readonly compose: (event: WebhookEvent, address: string) => Promise<MailMessage | null>;
  /** Render and record, send nothing. */
  readonly dryRun?: boolean;
}

/** Fields of nodemailer's errors. */
interface SmtpError {
  readonly responseCode?: number;
  readonly response?: string;
  readonly command?: string;
}

/** Answers to who writes, to whom, or what, that no other attempt would change. */
const FINAL_COMMANDS: ReadonlySet<string> = new Set(['MAIL FROM', 'RCPT TO', 'DATA']);

/** The machine part of an address, for ids of messages. */
function domainOf(from: string): string {
  return /@([^<>\s@]+?)>?$/.exec(from)?.[1] ?? 'plumbline.invalid';
}

/**
 * Sends events to people by SMTP: each address is a sink, each event one message. One attempt. A message has the same Message-ID whenever
 * it is sent. An answer 5yz about sender, recipient or content is final; everything else is worth another attempt, a refused
 * login too, because passwords get mended.
 */
export function createMailer({ server, compose, dryRun = false }: MailerOptions) {
  const { host, port, tls, ca, user, password, from } = server;
  const hide = hider({ ...(password === undefined ? {} : { password }) });
  const origin = `smtp://${host}:${port}`;

  function openTransport(): Transporter {
    return createTransport({
      ...{
        host,
        port,
        secure: tls === 'implicit',
        requireTLS: tls === 'starttls',
        ignoreTLS: tls === 'none',
      },
      ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
      tls: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) },
      connectionTimeout: CONNECT_TIMEOUT_MS,
      greetingTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_TIMEOUT_MS,
      // Contents are given as text: nothing that they hold may name a file or an address to fetch.
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }
  const transport = openTransport();

  function failureOf(error: unknown): Delivery {
    const { responseCode = 0, response, command = '' } = (error ?? {}) as SmtpError;
    const answer = hide(lineOf(response ?? messageOf(error))).slice(0, MAX_REASON_LENGTH);
    const isFinal = responseCode >= 500 && FINAL_COMMANDS.has(command);
    return {
      ok: false,
      retryable: !isFinal,
      reason: command === '' ? answer : `${command}: ${answer}`,
      status: responseCode,
    };
  }

  async function send(event: WebhookEvent, address: string): Promise<Delivery> {
    const message = await compose(event, address);
    if (message === null)
      return { ok: false, retryable: false, reason: 'the report is kept no longer', status: 0 };
    if (dryRun)
      return {
        ok: true,
        status: 0,
        dryRun: `dry run: mail to ${address}, ${message.html.length} characters, ${message.attachments.length} attached`,
      };
    try {
      await transport.sendMail({
        ...{ from, to: address, subject: message.subject, text: message.text, html: message.html },
        attachments: message.attachments.map((each) => ({ ...each })),
        messageId: `<${event.id}@${domainOf(from)}>`,
        // Nobody's holiday answers it.
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Plumbline-Event': event.id },
      });
      return { ok: true, status: 250 };
    } catch (error) {
      return failureOf(error);
    }
  }

  return {
    sinkFor: (address: string): Sink => ({
      name: 'mail',
      origin,
      send: (event) => send(event, address),
    }),
  };
}

export type Mailer = ReturnType<typeof createMailer>;
