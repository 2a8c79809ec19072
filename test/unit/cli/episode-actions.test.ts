import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from '@jest/globals';
import { acknowledgeEpisode, showEpisode, snooze, unsnooze } from '../../../src/cli/episode-actions.js';
import { resetPolicy, setPolicy, showPolicy } from '../../../src/cli/policy-setting.js';
import { HOUR_MS } from '../../../src/domain/window.js';
import { createMemoryDesk } from '../../support/episode-desk.js';
import { outcomesOf } from '../../support/outcomes.js';

type Client = Parameters<typeof showEpisode>[0] &
  Parameters<typeof acknowledgeEpisode>[0] &
  Parameters<typeof snooze>[0];

/** What a command printed, and what it asked for; each call is answered by `answers`. */
async function run(
  command: (client: Client, output: Parameters<typeof showEpisode>[2]) => Promise<void>,
  answers: (path: string) => unknown = () => ({ by: 'ada', untilMs: 3 * HOUR_MS }),
): Promise<{ printed: string; asked: unknown[] }> {
  const asked: unknown[] = [];
  const output = { json: false, stdout: new PassThrough(), stderr: new PassThrough() };
  const client: Client = {
    get: async (path) => {
      asked.push(path);
      return answers(path);
    },
    putJson: async (path, body) => {
      asked.push([path, body]);
      return answers(path);
    },
    delete: async (path) => {
      asked.push(path);
      return answers(path);
    },
  };
  await command(client, output);
  output.stdout.end();
  output.stderr.end();
  return { printed: await text(output.stdout), asked };
}

describe('plumbline episodes', () => {
  it('shows an episode with its history and evidence', async () => {
    const memory = createMemoryDesk([]);
    await memory.judge(outcomesOf('dd'));
    const [known] = await memory.desk.list({ model: 'churn', limit: 1 });
    const id = known?.id ?? '';
    await memory.desk.acknowledge('churn', id, { by: 'ada', via: 'local', note: 'on it' });
    await memory.desk.snooze({ model: 'churn', category: null, episodeId: id }, 12 * HOUR_MS, {
      by: 'bob',
      via: 'local',
      note: '',
    });
    const detail = await memory.desk.read('churn', id);
    const { printed, asked } = await run(
      (client, output) => showEpisode(client, { model: 'churn', id }, output),
      () => detail,
    );
    expect(asked).toEqual([`/v1/models/churn/episodes/${id}`]);
    expect(printed).toContain('Drift in churn version 3 (critical) since 1970-01-01 00:00 UTC: age.');
    expect(printed).toContain(
      'Status: acknowledged, by ada; nobody is told until 1970-01-01 12:00:00 UTC (snoozed by bob).',
    );
    expect(printed).toMatch(/age +ks +2 +0\.300 +0\.1/);
    expect(printed).toMatch(/1970-01-01 10:00:00 UTC +acknowledged +episode +ada +on it/);
    expect(printed).toMatch(/snoozed +episode +bob +1970-01-01 12:00:00 UTC/);
  });

  it('acknowledges, and takes that back', async () => {
    const names = { model: 'm/1', id: 'e1', note: 'on it' };
    const said = await run((client, output) =>
      acknowledgeEpisode(client, { ...names, takeBack: false }, output),
    );
    expect(said.asked).toEqual([['/v1/models/m%2F1/episodes/e1/acknowledgement', { note: 'on it' }]]);
    expect(said.printed).toContain('Episode e1 is acknowledged by ada.');
    const back = await run((client, output) =>
      acknowledgeEpisode(client, { ...names, takeBack: true }, output),
    );
    expect(back.asked).toEqual(['/v1/models/m%2F1/episodes/e1/acknowledgement?note=on+it']);
  });

  it('snoozes an episode, a kind and a model, and ends it', async () => {
    const one = await run((client, output) => snooze(client, { model: 'm', id: 'e1', for: '2h' }, output));
    expect(one.asked).toEqual([['/v1/models/m/episodes/e1/snooze', { for: '2h' }]]);
    expect(one.printed).toContain('Episode e1 is snoozed until 1970-01-01 03:00:00 UTC.');
    const kind = await run((client, output) =>
      snooze(client, { model: 'm', category: 'drift', until: '2026-01-01', by: 'ada' }, output),
    );
    expect(kind.asked).toEqual([
      ['/v1/models/m/snooze', { category: 'drift', until: '2026-01-01', by: 'ada' }],
    ]);
    const end = await run((client, output) => unsnooze(client, { model: 'm', category: 'drift' }, output));
    expect(end.asked).toEqual(['/v1/models/m/snooze?category=drift']);
    expect(end.printed).toContain('drift of m is not snoozed any more.');
    const whole = await run((client, output) => unsnooze(client, { model: 'm' }, output));
    expect(whole.asked).toEqual(['/v1/models/m/snooze']);
    expect(whole.printed).toContain('m as a whole is not snoozed any more; kinds and episodes that are:');
  });
});

describe('plumbline policy', () => {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-policy-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('shows what is in force, what is silent, and who set it', async () => {
    const { printed } = await run(
      (client, output) => showPolicy(client, 'm', output),
      (path) =>
        path.endsWith('/snooze')
          ? {
              snoozes: [{ category: 'drift', episodeId: null, untilMs: HOUR_MS, by: 'ada', note: '' }],
              maintenance: { name: 'move', untilMs: 2 * HOUR_MS },
            }
          : {
              policy: { open: '2of3', cooldown: '6h' },
              source: 'store',
              policyFrom: 'store',
              history: [
                { policy: null, by: 'bob', note: '', atMs: 1 },
                { policy: { open: '2of3' }, by: 'ada', note: 'calmer', atMs: 0 },
              ],
            },
    );
    expect(printed).toContain('The policy of m is that of the API:\nopen: 2of3\ncooldown: 6h');
    expect(printed).toContain('Maintenance (move) until 1970-01-01 02:00:00 UTC: nobody is told.');
    expect(printed).toContain('Snoozed until 1970-01-01 01:00:00 UTC by ada: drift.');
    expect(printed).toMatch(/ada +\{"open":"2of3"\} +calmer/);
    expect(printed).toContain('(removed)');
  });

  it('sets it from a file, alone or below policy, and resets it', async () => {
    const file = join(directory, 'calm.yaml');
    writeFileSync(file, 'policy: { open: 3of4 }\n');
    const set = await run((client, output) => setPolicy(client, { model: 'm', file, note: 'x' }, output));
    expect(set.asked).toEqual([['/v1/models/m/policy', { policy: { open: '3of4' }, note: 'x' }]]);
    const reset = await run((client, output) => resetPolicy(client, { model: 'm', by: 'ada' }, output));
    expect(reset.asked).toEqual(['/v1/models/m/policy?by=ada']);
    writeFileSync(file, '- 1\n');
    await expect(run((client, output) => setPolicy(client, { model: 'm', file }, output))).rejects.toThrow(
      'holds no policy',
    );
  });
});
