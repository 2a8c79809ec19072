import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

/** For tests alone: a certificate of localhost, and the key that goes with it. */
export const CERTIFICATE = 'test/fixtures/smtp/cert.pem';
const KEY = 'test/fixtures/smtp/key.pem';

export interface MailPart {
  readonly type: string;
  readonly filename: string | null;
  readonly content: string;
}

export interface ReceivedMail {
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: string | null;
  readonly headers: ReadonlyMap<string, string>;
  /** Leaves of the MIME tree, decoded. */
  readonly parts: readonly MailPart[];
}

/** What the next message gets: an answer to its recipient, or to its content; `hang` takes it and never answers. */
export type SmtpAnswer = { readonly to: number } | { readonly content: number } | 'hang';

function headersOf(text: string): Map<string, string> {
  const lines = text.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  return new Map(
    lines.map((line) => {
      const at = line.indexOf(':');
      return [line.slice(0, at).toLowerCase(), decodeWords(line.slice(at + 1).trim())];
    }),
  );
}

/** `=?UTF-8?Q?…?=` and `=?UTF-8?B?…?=` (RFC 2047). */
function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([QB])\?([^?]*)\?=/gi, (_all, kind: string, word: string) =>
      kind.toUpperCase() === 'B'
        ? Buffer.from(word, 'base64').toString('utf8')
        : decodeQuoted(word.replace(/_/g, ' ')),
    );
}

function decodeQuoted(text: string): string {
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function* leavesOf(source: string): Generator<MailPart> {
  const end = source.indexOf('\r\n\r\n');
  const headers = headersOf(source.slice(0, end));
  const body = source.slice(end + 4);
  const type = headers.get('content-type') ?? 'text/plain';
  const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1];
  if (boundary !== undefined) {
    const pieces = body.split(`--${boundary}`).slice(1, -1);
    for (const piece of pieces) yield* leavesOf(piece.replace(/^\r\n/, ''));
    return;
  }
  const encoding = headers.get('content-transfer-encoding') ?? '7bit';
  const content =
    encoding === 'base64'
      ? Buffer.from(body, 'base64').toString('utf8')
      : encoding === 'quoted-printable'
        ? decodeQuoted(body)
        : body;
  const disposition = headers.get('content-disposition') ?? '';
  yield {
    type: type.split(';')[0] ?? '',
    filename: /filename="?([^";]+)"?/.exec(disposition)?.[1] ?? null,
    content,
  };
}

/** A mail server on loopback that keeps what it gets. */
export async function startSmtpReceiver(
  options: { readonly password?: string; readonly port?: number; readonly plain?: boolean } = {},
) {
  const mails: ReceivedMail[] = [];
  const answers: SmtpAnswer[] = [];
  const { password, plain = false } = options;
  const refusal = (responseCode: number) => Object.assign(new Error('not today'), { responseCode });
  let attempts = 0;

  const server = new SMTPServer({
    ...(plain ? { hideSTARTTLS: true } : { cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) }),
    authOptional: password === undefined,
    logger: false,
    onAuth: ({ username, password: given }, _session, done) =>
      given === password ? done(null, { user: username ?? '' }) : done(new Error('wrong password')),
    onRcptTo: (_address, _session, done) => {
      attempts += 1;
      const [next] = answers;
      if (next === undefined || next === 'hang' || !('to' in next)) return done();
      answers.shift();
      done(refusal(next.to));
    },
    onData: (stream, session, done) => {
      buffer(stream).then((bytes) => {
        const source = bytes.toString('latin1');
        const answer = answers.shift();
        if (answer !== undefined && answer !== 'hang' && 'content' in answer)
          return done(refusal(answer.content));
        mails.push({
          to: session.envelope.rcptTo.map(({ address }) => address),
          secure: session.secure,
          user: typeof session.user === 'string' ? session.user : null,
          headers: headersOf(source.slice(0, source.indexOf('\r\n\r\n'))),
          parts: [...leavesOf(source)],
        });
        if (answer !== 'hang') done();
      }, done);
    },
  });
  // A client that goes away in the middle is what some tests are about.
  server.on('error', () => undefined);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    /** Recipients that were named, whatever became of it. */
    attempts: () => attempts,
    /** Queues answers for the messages to come. */
    answerNext: (...next: SmtpAnswer[]) => answers.push(...next),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const connection of server.connections) connection.close();
      }),
  };
}

export type SmtpReceiver = Awaited<ReturnType<typeof startSmtpReceiver>>;
