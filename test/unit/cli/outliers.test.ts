import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { listOutliers } from '../../../src/cli/outliers.js';

const PAGE = {
  outliers: [
    {
      model: 'churn',
      predictionId: 'p1',
      rowIndex: 2,
      at: '2026-01-02T00:00:00.000Z',
      score: 0.8125,
      reasons: [
        { feature: 'age', contribution: 0.4 },
        { feature: 'plan', contribution: 0.1 },
      ],
      values: { age: 'Infinity', plan: null },
    },
    {
      model: 'churn',
      predictionId: 'p2',
      rowIndex: 0,
      at: '2026-01-03T10:00:00.500Z',
      score: 0.7,
      reasons: [{ feature: 'age', contribution: 0.2 }],
      values: null,
    },
  ],
  next: '12_34_56',
};

async function run(document: unknown, json: boolean) {
  const asked: string[] = [];
  const output = { json, stdout: new PassThrough(), stderr: new PassThrough() };
  const client = {
    get: async (path: string) => {
      asked.push(path);
      return document;
    },
  };
  await listOutliers(
    client,
    { model: 'a/b', version: '3', from: '2026-01-01', minScore: '0.7', feature: 'age', limit: '20' },
    output,
  );
  output.stdout.end();
  return { asked, out: await text(output.stdout) };
}

describe('outliers', () => {
  it('shows rows with what isolated them, and how to go on', async () => {
    const { asked, out } = await run(PAGE, false);
    expect(asked).toEqual([
      '/v1/models/a%2Fb/versions/3/outliers?from=2026-01-01&minScore=0.7&feature=age&limit=20',
    ]);
    expect(out).toMatch(/0\.813\s+2026-01-02T00:00:00Z\s+p1 row 2\s+age = Infinity, plan = missing/);
    expect(out).toMatch(/0\.700\s+2026-01-03T10:00:00\.500Z\s+p2\s+age\n/);
    expect(out).toContain('--cursor 12_34_56');
  });

  it('gives the document with --json, and says so when there is none', async () => {
    expect(JSON.parse((await run(PAGE, true)).out)).toEqual(PAGE);
    expect((await run({ outliers: [], next: null }, false)).out).toBe('No row is flagged.\n');
  });
});
