import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { erase, listErasures, targetOf } from '../../../src/cli/erase.js';

const DONE = {
  id: 'e1',
  model: 'churn',
  kind: 'prediction',
  at: '2026-01-02T00:00:00.000Z',
  by: 'k1',
  reason: 'ticket 7',
  erased: { predictions: 2, labels: 1 },
  predictionIds: 1,
};

async function run(
  work: (output: { json: boolean; stdout: PassThrough; stderr: PassThrough }) => Promise<void>,
  json = false,
) {
  const output = { json, stdout: new PassThrough(), stderr: new PassThrough() };
  await work(output);
  output.stdout.end();
  output.stderr.end();
  return { out: await text(output.stdout), err: await text(output.stderr) };
}

describe('plumbline erase', () => {
  it('asks for what is named, and tells what is gone', async () => {
    const asked: unknown[] = [];
    const client = {
      postJson: async (path: string, body: unknown) => {
        asked.push([path, body]);
        return DONE;
      },
    };
    const options = { model: 'a/b', subject: 'customer=a=b', reason: 'ticket 7' };
    const told = await run((output) => erase(client, options, output));
    expect(asked).toEqual([
      ['/v1/models/a%2Fb/erasures', { subject: { tag: 'customer', value: 'a=b' }, reason: 'ticket 7' }],
    ]);
    expect(told.out + told.err).toContain('Erased, and counted as gone: predictions 2, labels 1.');
    const { out } = await run((output) => erase(client, options, output), true);
    expect(JSON.parse(out)).toEqual(DONE);
  });

  it('says when nothing was stored', async () => {
    const client = { postJson: async () => ({ ...DONE, erased: {} }) };
    const told = await run((output) => erase(client, { model: 'm', predictionId: 'p', reason: '' }, output));
    expect(told.out + told.err).toContain(
      'Nothing of it was stored.\nRows of it that come again are refused.',
    );
  });

  it.each([
    [{}, /say what to erase/],
    [{ predictionId: 'p', subject: 'a=b' }, /say what to erase/],
    [{ subject: 'customer' }, /TAG=VALUE/],
    [{ subject: '=b' }, /TAG=VALUE/],
    [{ subject: 'customer=' }, /TAG=VALUE/],
  ])('refuses %j', (target, message) => {
    expect(() => targetOf(target)).toThrow(message);
  });
});

describe('plumbline erasures', () => {
  it('lists what was erased', async () => {
    const told = await run((output) =>
      listErasures({ get: async () => ({ erasures: [DONE] }) }, 'churn', output),
    );
    expect(told.out + told.err).toContain('predictions 2, labels 1');
    const none = await run((output) =>
      listErasures({ get: async () => ({ erasures: [] }) }, 'churn', output),
    );
    expect(none.out + none.err).toContain('Nothing was erased.');
  });
});
