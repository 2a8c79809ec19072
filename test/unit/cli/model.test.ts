import { Writable } from 'node:stream';
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
