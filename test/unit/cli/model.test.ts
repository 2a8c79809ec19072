import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { registerModel } from '../../../src/cli/model.js';
import { createServiceClient } from '../../../src/cli/service-client.js';

const sink = () => new Writable({ write: (_chunk, _encoding, done) => done() });

describe('model register', () => {
  it('names a reference that is not there, without asking the service', async () => {
    const client = createServiceClient({ url: 'http://127.0.0.1:1' });
    const options = { model: 'churn', version: '1', reference: '/nowhere/baseline.parquet' };
    const output = { json: true, stdout: sink(), stderr: sink() };
    await expect(registerModel(client, options, output)).rejects.toMatchObject({
      code: 'file_unreadable',
      message: expect.stringContaining('/nowhere/baseline.parquet'),
    });
  });

  it('says what a version was trained for, once its reference is there', async () => {
    const sent: unknown[] = [];
    const client = {
      ...createServiceClient({ url: 'http://127.0.0.1:1' }),
      putFile: async (path: string) => {
        sent.push(path);
        return { reference: { hash: 'h' } };
      },
      putJson: async (path: string, body: unknown) => {
        sent.push([path, body]);
        return { retrainings: [{ episodeId: 'e1' }, { episodeId: 'e2' }] };
      },
    };
    const output = { json: true, stdout: new PassThrough(), stderr: sink() };
    const reference = 'examples/flights/reference.parquet';
    await registerModel(
      client,
      { model: 'm', version: '4', reference, retrainedFor: ['evt_1', 'e2'] },
      output,
    );
    output.stdout.end();
    expect(sent).toEqual([
      '/v1/models/m/versions/4/reference',
      ['/v1/models/m/versions/4', { retrainedFor: ['evt_1', 'e2'] }],
    ]);
    expect(JSON.parse(await text(output.stdout))).toEqual({
      reference: { hash: 'h' },
      retrainings: [{ episodeId: 'e1' }, { episodeId: 'e2' }],
    });
  });

  it('sends how the isolation forest is grown: beside a query, and in the address of a file', async () => {
    const sent: unknown[] = [];
    const client = {
      ...createServiceClient({ url: 'http://127.0.0.1:1' }),
      putJson: async (path: string, body: unknown) => sent.push([path, body]),
      putFile: async (path: string) => sent.push(path),
    };
    const output = { json: false, stdout: sink(), stderr: sink() };
    const options = { model: 'churn', version: '1', trees: '200', sampleSize: '512' };
    await registerModel(client, { ...options, query: 'SELECT 1' }, output);
    await registerModel(client, { ...options, reference: 'examples/flights/reference.parquet' }, output);
    await registerModel(
      client,
      { model: 'a/b', version: '1', reference: 'examples/flights/reference.parquet' },
      output,
    );
    expect(sent).toEqual([
      [
        '/v1/models/churn/versions/1/reference',
        { query: 'SELECT 1', reason: undefined, outliers: { trees: '200', sampleSize: '512' } },
      ],
      '/v1/models/churn/versions/1/reference?trees=200&sampleSize=512',
      '/v1/models/a%2Fb/versions/1/reference',
    ]);
  });
});
