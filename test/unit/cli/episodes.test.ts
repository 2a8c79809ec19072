import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { listEpisodes, markEpisode, showPrecision } from '../../../src/cli/episodes.js';

const FEEDBACK = {
  detectors: [
    {
      category: 'drift',
      detector: 'ks',
      trueEpisodes: 3,
      falseEpisodes: 1,
      unmarked: 2,
      precision: { value: 0.75, low: 0.3, high: 0.95, rows: 4 },
    },
    {
      category: 'dataQuality',
      detector: 'missing',
      trueEpisodes: 0,
      falseEpisodes: 0,
      unmarked: 1,
      precision: null,
    },
  ],
  trust: [{ detector: 'ks', category: 'drift', draw: 0.7 }],
  marks: [{ model: 'm/1', episodeId: 'e1', mark: 'true', note: '', atMs: 1 }],
};
const EPISODE = {
  id: 'e1',
  modelVersion: '3',
  category: 'drift',
  state: 'open',
  status: 'acknowledged',
  silence: { reason: 'snoozed' },
  firstWindow: { startMs: 0, endMs: 1 },
  drivers: [{ feature: '', detector: 'outlierRate' }],
  retrainings: [
    { modelVersion: '4', cure: { verdict: 'not_cured' } },
    { modelVersion: '5', cure: { verdict: 'cannot_tell' } },
  ],
};

const PENDING = { id: 'p1', modelVersion: '3', category: 'service', drifted: 1, needed: 2 };

/** What a command printed, and what it asked for. */
async function run(
  command: (client: Client, output: Output) => Promise<void>,
  json: boolean,
): Promise<{ printed: string; asked: unknown[] }> {
  const asked: unknown[] = [];
  const output = { json, stdout: new PassThrough(), stderr: new PassThrough() };
  const client: Client = {
    get: async (path) => {
      asked.push(path);
      return path.includes('/feedback') ? FEEDBACK : { episodes: [EPISODE], pending: [PENDING] };
    },
    putJson: async (path, body) => {
      asked.push([path, body]);
      return body;
    },
  };
  await command(client, output);
  output.stdout.end();
  return { printed: await text(output.stdout), asked };
}
type Client = Parameters<typeof listEpisodes>[0] & Parameters<typeof markEpisode>[0];
type Output = Parameters<typeof listEpisodes>[2];

describe('plumbline episodes', () => {
  it('lists episodes with their marks and the versions trained for them', async () => {
    const { printed, asked } = await run(
      (client, output) => listEpisodes(client, { model: 'm/1', limit: '5' }, output),
      false,
    );
    expect(asked[0]).toBe('/v1/models/m%2F1/episodes?limit=5');
    expect(printed).toMatch(
      /e1 +3 +drift +acknowledged \(snoozed\) +1970-01-01T00:00:00.000Z +true +whole rows \(outlierRate\) +4 \(not cured\), 5 \(cannot tell\)/,
    );
    expect(printed).toContain('Pending: service in version 3, 1 drifted of 2 that open an episode.');
    expect(printed).toContain('Pending: service in version 3, 1 drifted of 2 that open an episode.');
  });

  it('sends a mark, and null to take it back', async () => {
    const mark = (word: string) =>
      run((client, output) => markEpisode(client, { model: 'm', id: 'e 1', mark: word }, output), true);
    expect((await mark('false')).asked).toEqual([['/v1/models/m/episodes/e%201/mark', { mark: 'false' }]]);
    expect((await mark('none')).asked).toEqual([['/v1/models/m/episodes/e%201/mark', { mark: null }]]);
  });

  it('shows precision with its interval where there are marks, and whom to trust', async () => {
    const { printed, asked } = await run(
      (client, output) => showPrecision(client, { model: 'm', seed: '7' }, output),
      false,
    );
    expect(asked).toEqual(['/v1/models/m/feedback?seed=7']);
    expect(printed).toMatch(/drift +ks +3 +1 +2 +75 % +30 % – 95 %/);
    expect(printed).toMatch(/dataQuality +missing +0 +0 +1\s*\n/);
    expect(printed).toContain('trust first: ks (drift)');
  });
});
