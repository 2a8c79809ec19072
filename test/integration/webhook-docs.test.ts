import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createAddressGuard } from '../../src/alerts/address-guard.js';
import { createGuardedRequest } from '../../src/alerts/guarded-request.js';
import { createWebhookSink } from '../../src/alerts/webhook-sink.js';
import type { WebhookEvent } from '../../src/domain/episode.js';
import { freePort } from '../support/free-port.js';

const secret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/webhooks.md', root), 'utf8');

function snippet(language: string): string {
  const found = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(page)?.[1];
  if (found === undefined) throw new Error(`no ${language} snippet in docs/webhooks.md`);
  return found;
}

const event: WebhookEvent = {
  id: 'evt_docs',
  type: 'retraining.requested',
  model: 'churn',
  hook: 'retrain',
  episodeId: 'e1',
  body: '{"type":"retraining.requested"}',
  createdAtMs: 0,
};

describe('receivers of docs/webhooks.md', () => {
  it.each([
    ['python', 'python3', ['-c', snippet('python')]],
    ['js', process.execPath, ['--input-type=module', '-e', snippet('js')]],
  ])(
    'in %s verifies, starts training once per id, and refuses a wrong signature',
    async (_name, command, args) => {
      const port = await freePort();
      const child: ChildProcess = spawn(command, args, {
        cwd: root,
        env: { PATH: process.env.PATH, PORT: String(port), RETRAIN_SECRET: secret },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      try {
        let printed = '';
        child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
          printed += chunk;
        });
        const url = `http://127.0.0.1:${port}/`;
        const sinkWith = (key: string, skewMs = 0) =>
          createWebhookSink({
            address: { url, params: {}, inputs: {} },
            credentials: { secret: key },
            clock: { now: () => Date.now() - skewMs, observe: () => undefined },
            send: createGuardedRequest(createAddressGuard({ allow: ['127.0.0.1'] })),
          });
        let delivery = await sinkWith(secret).send(event);
        for (const deadline = Date.now() + 30_000; delivery.status === 0 && Date.now() < deadline; ) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          delivery = await sinkWith(secret).send(event);
        }
        expect(delivery).toEqual({ ok: true, status: 204 });
        expect(await sinkWith(secret).send(event)).toEqual({ ok: true, status: 204 });
        const stranger = `whsec_${Buffer.alloc(32, 4).toString('base64')}`;
        expect(await sinkWith(stranger).send({ ...event, id: 'evt_forged' })).toMatchObject({ status: 401 });
        expect(await sinkWith(secret, 600_000).send({ ...event, id: 'evt_old' })).toMatchObject({
          status: 401,
        });
        expect(printed.trim().split('\n')).toEqual(['start training: {"type":"retraining.requested"}']);
      } finally {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    },
  );
});
