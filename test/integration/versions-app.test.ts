import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { createProgram } from '../../src/cli/program.js';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import type { TrainingSkew } from '../../src/domain/training-skew.js';
import type { LatencyAnswer, VersionComparison } from '../../src/domain/version-comparison.js';
import { DAY_MS } from '../../src/domain/window.js';
import { createRandom } from '../../src/stats/random.js';
import { dailyConfig } from '../support/daily-config.js';

const START_MS = Date.UTC(2026, 0, 1);
const ROWS_PER_DAY = 240;
const DAYS = 9;
const VERSIONS = ['1', '2'] as const;

const random = createRandom(11);
const time = (ms: number) => new Date(ms).toISOString();
const timesOf = (day: number) =>
  Array.from({ length: ROWS_PER_DAY }, (_, i) => START_MS + day * DAY_MS + i * (DAY_MS / ROWS_PER_DAY));
const number = () => Number(random().toFixed(6));

/** `x` says how likely the label is; production's `y` is half a width higher than training's. */
const rowAt = (ms: number, shift: number) => {
  const x = number();
  return { ms, x, y: Number((random() + shift).toFixed(6)), label: random() < x ? 1 : 0 };
};
/** Version 1 sees a quarter of what `x` says, version 2 all of it, and takes twice as long. */
const answerOf = (version: string, x: number, noise: number) => {
  const proba = Number((version === '2' ? x : 0.25 * x + 0.75 * noise).toFixed(4));
  return { prediction: proba >= 0.5 ? 1 : 0, prediction_proba: proba };
};

const reference = Array.from({ length: 30 }, (_, day) => timesOf(day - 40))
  .flat()
  .map((ms) => {
    const { x, y, label } = rowAt(ms, 0);
    return { timestamp: time(ms), x, y, ...answerOf('1', x, number()), label };
  });
const requests = Array.from({ length: DAYS }, (_, day) => timesOf(day))
  .flat()
  .map((ms, i) => ({ ...rowAt(ms, 0.5), noise: number(), id: `r${i}`, latency: 1 + (i % 100) }));

const lines = (some: readonly object[]) => some.map((row) => JSON.stringify(row));

describe('two versions through the service', () => {
  let directory = '';
  let address = '';
  let app: App;
  let client: ServiceClient;
  const compared = async (query: Record<string, string> = {}) =>
    (await client.get(
      `/v1/models/shadow/compare-versions?${new URLSearchParams({ champion: '1', challenger: '2', ...query })}`,
    )) as VersionComparison;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-versions-'));
    app = await createApp(
      dailyConfig(directory, {
        performance: { requestId: 'v{version}:{request}' },
      }),
    );
    const { url } = await app.start();
    address = url;
    client = createServiceClient({ url });
    const file = join(directory, 'reference.ndjson');
    await writeFile(file, `${lines(reference).join('\n')}\n`);
    for (const version of VERSIONS) {
      await client.putFile(`/v1/models/shadow/versions/${version}/reference`, file, 'application/x-ndjson');
      const of = { model: 'shadow', model_version: version };
      const idOf = (id: string) => ({ prediction_id: `v${version}:${id}`, ...of });
      await client.postLines(
        '/v1/ingest',
        lines(
          requests.map(({ ms, id, x, y, noise, latency }) => ({
            ...idOf(id),
            timestamp: time(ms),
            features: { x, y },
            ...answerOf(version, x, noise),
            latency_ms: latency * Number(version),
          })),
        ),
      );
      await client.postLines(
        '/v1/labels',
        lines(requests.map(({ ms, id, label }) => ({ ...idOf(id), timestamp: time(ms + DAY_MS), label }))),
      );
    }
    await app.settle();
  }, 300_000);
  afterAll(async () => {
    await app?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('are compared request by request, and the better one is told', async () => {
    const found = await compared();
    expect(found).toMatchObject({
      paired: true,
      figure: 'rocAuc',
      verdict: 'better',
      requests: { matched: requests.length, labelled: requests.length, conflictingLabels: 0 },
      period: { startMs: START_MS, endMs: START_MS + DAYS * DAY_MS },
    });
    expect(found.summary).toContain('Version 2 is better than version 1');
    const hits = (version: string) =>
      requests.filter(({ x, noise, label }) => answerOf(version, x, noise).prediction === label).length;
    const { accuracy } = found.figures;
    expect(accuracy?.difference.value).toBeCloseTo((hits('2') - hits('1')) / requests.length, 12);
    expect((accuracy?.mcNemar?.challengerOnly ?? 0) - (accuracy?.mcNemar?.championOnly ?? 0)).toBe(
      hits('2') - hits('1'),
    );
    const same = requests.filter(
      ({ x, noise }) => answerOf('1', x, noise).prediction === answerOf('2', x, noise).prediction,
    );
    expect(found.agreement?.share?.value).toBeCloseTo(same.length / requests.length, 12);
    expect(found.periods).toHaveLength(DAYS);
    expect(found.distributions.map(({ feature }) => feature)).toEqual(['prediction', 'prediction_proba']);
  });

  it('are not judged in a day, nor before both have predictions', async () => {
    const day = { from: time(START_MS), to: time(START_MS + DAY_MS) };
    expect(await compared(day)).toMatchObject({ verdict: 'undecided', reason: 'too_few_days' });
    expect(await compared({ ...day, minimumDays: '1' })).toMatchObject({ verdict: 'better' });
    expect(await compared({ figure: 'logLoss', margin: '0.3' })).toMatchObject({
      figure: 'logLoss',
      figures: { logLoss: { margin: 0.3 }, rocAuc: { margin: 0.01 } },
    });
    for (const [query, code] of [
      [{ figure: 'f1' }, 'figure: of a binary model it is one of rocAuc, accuracy, logLoss, brier'],
      [{ challenger: '1' }, 'challenger: must be another version than champion'],
      [{ challenger: '9' }, 'version 9 of this model is not registered'],
    ] as const)
      await expect(compared(query)).rejects.toThrow(code);
  });

  it('have latencies of their own', async () => {
    const { champion, challenger } = await compared();
    for (const [side, version] of [
      [champion, 1],
      [challenger, 2],
    ] as const) {
      expect(side.latency?.rows).toBe(requests.length);
      // Of 1 to 100 ms; the grid's cells are a twentieth wide at most.
      for (const [name, exact] of [
        ['p50', 50],
        ['p95', 95],
        ['p99', 99],
      ] as const) {
        expect(side.latency?.[name]).toBeGreaterThanOrEqual(exact * version);
        expect(side.latency?.[name]).toBeLessThanOrEqual(exact * version * 1.1);
      }
    }
    const week = (await client.get('/v1/models/shadow/latency')) as LatencyAnswer;
    expect(week.versions.map(({ modelVersion, latency }) => [modelVersion, latency?.rows])).toEqual([
      ['1', 7 * ROWS_PER_DAY],
      ['2', 7 * ROWS_PER_DAY],
    ]);
  });

  it('are told apart from what they were trained on', async () => {
    const skew = (await client.get('/v1/models/shadow/skew?version=1')) as TrainingSkew;
    expect(skew).toMatchObject({
      status: 'drifted',
      complete: true,
      pieceMs: DAY_MS,
      rows: 7 * ROWS_PER_DAY,
      week: { startMs: START_MS, endMs: START_MS + 7 * DAY_MS },
    });
    expect(skew.columns[0]).toMatchObject({ feature: 'y', status: 'drifted', material: true });
    expect(skew.columns.find(({ feature }) => feature === 'x')).toMatchObject({ status: 'stable' });
    const none = (await client.get(
      `/v1/models/shadow/skew?version=1&from=${time(START_MS + 30 * DAY_MS)}`,
    )) as TrainingSkew;
    expect(none).toMatchObject({ status: 'undecided', rows: 0, complete: false });
    expect(none.columns.every(({ status }) => status === 'undecided')).toBe(true);
  });

  it('are answered from the command line, as JSON and in words', async () => {
    const run = async (...args: string[]) => {
      const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
      const program = createProgram({ ...streams, noColor: true, onExitCode: () => undefined });
      await program.parseAsync(['node', 'plumbline', ...args, '--url', address]);
      const [answer, said] = [streams.stdout, streams.stderr].map((stream) => String(stream.read() ?? ''));
      return { answer: answer ?? '', words: `${answer}${said}` };
    };
    const compare = ['versions', 'compare', 'shadow', '1', '2', '--figure', 'brier', '--minimum-days', '9'];
    expect(JSON.parse((await run(...compare, '--json')).answer)).toMatchObject({
      figure: 'brier',
      verdict: 'better',
    });
    expect((await run(...compare)).words).toContain('Version 2 is better than version 1: Brier score');
    const skew = ['skew', 'shadow', '--version', '1'];
    expect(JSON.parse((await run(...skew, '--json')).answer)).toMatchObject({ status: 'drifted' });
    expect((await run(...skew)).words).toContain('differ from training');
  });

  it('have pages, and stand beside each other in a report', async () => {
    const page = async (path: string, status = 200) => {
      const response = await fetch(`${address}${path}`);
      expect([path, response.status]).toEqual([path, status]);
      return response.text();
    };
    const compare = await page('/models/shadow/compare/1/2');
    for (const part of [
      'Version 2 is better than version 1',
      '<title>Difference of ROC AUC over time</title>',
      'prediction_proba',
      'Cohen’s kappa',
      'p99',
    ])
      expect(compare).toContain(part);
    expect(compare).not.toMatch(/NaN|undefined|Infinity/);
    expect(await page('/models/shadow/compare/1/9', 404)).toContain(
      'version 9 of this model is not registered',
    );
    expect(await page('/models/shadow/compare/1/1', 400)).toContain('must be another version');
    expect(await page('/models/shadow/compare/1/2?range=x', 400)).toContain('That period cannot be read');
    const model = await page('/models/shadow/versions/1');
    expect(model).toContain('href="/models/shadow/compare/1/2"');
    expect(model).toContain('href="/models/shadow/versions/1/skew"');
    expect(await page('/models/shadow/versions/1/skew')).toContain('differ from training');
    const { path } = (await client.postJson('/v1/reports', { model: 'shadow', modelVersion: '2' })) as {
      path: string;
    };
    const report = await readFile(path, 'utf8');
    expect(report).toContain('Which is better');
    expect(report).toContain('Version 2 is better than version 1');
  });
});
