import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createMailer, type MailServer } from '../../src/alerts/mail-sink.js';
import { mailHook, reportEvent } from '../../src/alerts/report-events.js';
import { freePort } from '../support/free-port.js';
import { factsOf } from '../support/reports.js';
import { CERTIFICATE, type SmtpReceiver, startSmtpReceiver } from '../support/smtp-receiver.js';

const ADDRESS = 'ann@example.com';
const event = reportEvent(factsOf(), mailHook(ADDRESS), null);
const MESSAGE = {
  subject: 'Drift in “loan”, 95 % sure\r\nBcc: eve@example.com',
  text: 'plain ☃\n.\nafter a dot',
  html: '<p>rich ☃</p>',
  attachments: [{ filename: 'a.html', contentType: 'text/html; charset=utf-8', content: '<svg>☃</svg>' }],
};

describe('a mail, to a real server', () => {
  let smtp: SmtpReceiver;
  beforeEach(async () => {
    smtp = await startSmtpReceiver({ password: 'right' });
  });
  afterEach(() => smtp.close());

  const sinkOf = (server: Partial<MailServer> = {}, more: { dryRun?: boolean; gone?: boolean } = {}) =>
    createMailer({
      server: {
        ...{ host: '127.0.0.1', port: smtp.port, tls: 'starttls', from: 'Plumbline <p@example.org>' },
        ...{ ca: readFileSync(CERTIFICATE, 'utf8'), user: 'u', password: 'right' },
        ...server,
      },
      compose: async () => (more.gone === true ? null : MESSAGE),
      dryRun: more.dryRun ?? false,
    }).sinkFor(ADDRESS);

  it('goes encrypted, with a login, and means what it was written as', async () => {
    expect(await sinkOf().send(event)).toEqual({ ok: true, status: 250 });
    const [mail] = smtp.mails;
    expect(mail).toMatchObject({ to: [ADDRESS], secure: true, user: 'u' });
    expect(mail?.headers.get('message-id')).toBe(`<${event.id}@example.org>`);
    // one header, whatever the subject holds
    expect(mail?.headers.get('subject')).toBe('Drift in “loan”, 95 % sure Bcc: eve@example.com');
    expect(mail?.headers.has('bcc')).toBe(false);
    expect(
      mail?.parts.map(({ type, filename, content }) => [
        type,
        filename,
        content.trim().replaceAll('\r\n', '\n'),
      ]),
    ).toEqual([
      ['text/plain', null, MESSAGE.text],
      ['text/html', null, MESSAGE.html],
      ['text/html', 'a.html', '<svg>☃</svg>'],
    ]);
  });

  it('has the same id when it is sent again', async () => {
    for (let time = 0; time < 2; time += 1) await sinkOf().send(event);
    expect(smtp.mails.map(({ headers }) => headers.get('message-id'))).toEqual(
      Array.from({ length: 2 }, () => `<${event.id}@example.org>`),
    );
  });

  it('waits for a password that is mended, and tells nobody the wrong one', async () => {
    const delivery = await sinkOf({ password: 'wrong-and-secret' }).send(event);
    expect(delivery).toMatchObject({ ok: false, retryable: true, status: 535 });
    expect(JSON.stringify(delivery)).not.toContain('secret');
    expect(smtp.mails).toEqual([]);
  });

  it('goes to nobody without the encryption that it wants', async () => {
    expect(await sinkOf({ ca: undefined }).send(event)).toMatchObject({ ok: false, retryable: true });
    const plain = await startSmtpReceiver({ plain: true });
    const { user, password, ...bare } = { user: undefined, password: undefined, port: plain.port };
    expect(await sinkOf({ ...bare, user, password }).send(event)).toMatchObject({
      ok: false,
      retryable: true,
    });
    expect([smtp.mails, plain.mails, plain.attempts()]).toEqual([[], [], 0]);
    expect(await sinkOf({ ...bare, user, password, tls: 'none' }).send(event)).toMatchObject({ ok: true });
    expect(plain.mails).toMatchObject([{ secure: false, user: null }]);
    await plain.close();
  });

  it.each([
    [{ to: 550 }, false, 550],
    [{ to: 450 }, true, 450],
    [{ content: 554 }, false, 554],
    [{ content: 452 }, true, 452],
  ] as const)('answered %j is tried again: %p', async (answer, retryable, status) => {
    smtp.answerNext(answer);
    expect(await sinkOf().send(event)).toMatchObject({ ok: false, retryable, status });
    expect(smtp.mails).toEqual([]);
  });

  it('is tried again when nobody is there', async () => {
    const sink = sinkOf({ port: await freePort() });
    expect(await sink.send(event)).toMatchObject({ ok: false, retryable: true, status: 0 });
  });

  it('is given up when its report is gone, and only shown when running dry', async () => {
    expect(await sinkOf({}, { gone: true }).send(event)).toMatchObject({ ok: false, retryable: false });
    expect(await sinkOf({}, { dryRun: true }).send(event)).toMatchObject({
      ok: true,
      dryRun: expect.stringContaining(`mail to ${ADDRESS}`),
    });
    expect(smtp.mails).toEqual([]);
  });
});
