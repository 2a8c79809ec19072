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
});
