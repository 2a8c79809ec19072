import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { dailyConfig } from '../support/daily-config.js';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5);
const PER_DAY = 240;
const timeAt = (index: number) => new Date(START + index * (24 / PER_DAY) * HOUR).toISOString();
const declaredAt = (index: number) => ({
  age: 20 + (index % 40),
  income: 1_000 + (index % 97),
  visits: index % 11,
  plan: index % 3 === 0 ? 'pro' : 'basic',
});
const outputAt = (index: number) => ({
  prediction: index % 2,
  prediction_proba: index % 2 === 0 ? 0.2 : 0.8,
});

/** From the second day on `visits` is gone, `income` is text, and two features are new. */
function eventAt(index: number) {
  const { age, income, visits, plan } = declaredAt(index);
  const changed = index >= PER_DAY;
  return {
    prediction_id: `p-${index}`,
    model: 'churn',
    model_version: '1',
    timestamp: timeAt(index),
    features: changed
      ? { age, income: `${income} EUR`, plan, tenure: index % 7, 'new <b>': 'x' }
      : { age, income, visits, plan },
    ...outputAt(index),
  };
}

describe('a schema that changes in production', () => {
  let directory = '';
  let app: App;
  let url = '';
  const post = async (events: readonly object[]) => {
    const body = events.map((event) => JSON.stringify(event)).join('\n');
    const headers = { 'content-type': 'application/x-ndjson' };
    return (await (await fetch(`${url}/v1/ingest`, { method: 'POST', headers, body })).json()) as object;
  };
  const changes = async (query: string) =>
    (await (await fetch(`${url}/v1/models/churn/schema-changes?version=1${query}`)).json()) as {
      added: { feature: string }[];
    };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-schema-'));
    app = await createApp(dailyConfig(directory));
    ({ url } = await app.start());
    // Enough days to know how they differ.
    const reference = Array.from({ length: 14 * PER_DAY }, (_, index) => ({
      ...declaredAt(index),
      ...outputAt(index),
      timestamp: timeAt(index - 14 * PER_DAY),
    }));
    const registered = await fetch(`${url}/v1/models/churn/versions/1/reference`, {
      method: 'PUT',
      headers: { 'content-type': 'application/x-ndjson' },
      body: reference.map((row) => JSON.stringify(row)).join('\n'),
    });
    expect(registered.status).toBe(201);
  });
  afterAll(async () => {
    await app?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('is taken whole, but for values that are none', async () => {
    const events = Array.from({ length: 3 * PER_DAY }, (_, index) => eventAt(index));
    expect(await post(events)).toMatchObject({ received: 3 * PER_DAY, accepted: 3 * PER_DAY, rejected: 0 });
    const nested = {
      ...eventAt(1),
      prediction_id: 'nested',
      features: { age: 31, address: { street: 'x' } },
    };
    expect(await post([nested])).toMatchObject({ rejected: 1, errors: [{ code: 'too_deep' }] });
    // The next day begins: the third is complete.
    await post([eventAt(3 * PER_DAY + 10)]);
    await app.settle();
  });

  it('is not told of the day before it changed', async () => {
    expect(await changes(`&from=${timeAt(0)}&to=${timeAt(PER_DAY)}`)).toMatchObject({
      rows: PER_DAY,
      added: [],
      removed: [],
      retyped: [],
    });
  });

  it('is told by the API: new, gone and retyped features', async () => {
    const day = `&from=${timeAt(PER_DAY)}&to=${timeAt(2 * PER_DAY)}`;
    expect(await changes(day)).toEqual({
      model: 'churn',
      modelVersion: '1',
      window: { startMs: START + 24 * HOUR, endMs: START + 48 * HOUR },
      rows: PER_DAY,
      added: [
        {
          feature: 'new <b>',
          numbers: 0,
          texts: PER_DAY,
          firstHour: timeAt(PER_DAY),
          lastHour: '2026-01-06T23:00:00.000Z',
        },
        {
          feature: 'tenure',
          numbers: PER_DAY,
          texts: 0,
          firstHour: timeAt(PER_DAY),
          lastHour: '2026-01-06T23:00:00.000Z',
        },
      ],
      removed: ['visits'],
      retyped: [{ feature: 'income', rows: PER_DAY }],
    });
    expect((await changes('')).added.map(({ feature }) => feature)).toEqual(['new <b>', 'tenure']);
    const unknown = await fetch(`${url}/v1/models/churn/schema-changes?version=9`);
    expect([unknown.status, ((await unknown.json()) as { code: string }).code]).toEqual([
      404,
      'unknown_model',
    ]);
    const backwards = await fetch(
      `${url}/v1/models/churn/schema-changes?version=1&from=2026-01-06&to=2026-01-05`,
    );
    expect(backwards.status).toBe(400);
  });

  it('is data quality: verdicts and an episode for what is gone and retyped', async () => {
    const { verdicts } = (await (
      await fetch(`${url}/v1/models/churn/verdicts?version=1&limit=10000`)
    ).json()) as { verdicts: Verdict[] };
    const drifted = verdicts.filter(({ status, material }) => status === 'drifted' && material);
    const of = (detector: string) =>
      new Set(drifted.filter((verdict) => verdict.detector === detector).map(({ feature }) => feature));
    expect(of('missing')).toEqual(new Set(['income', 'visits']));
    expect(of('mistyped')).toEqual(new Set(['income']));
    expect(await app.store.listEpisodes({ model: 'churn', limit: 10 })).toEqual(
      expect.arrayContaining([expect.objectContaining({ category: 'dataQuality', state: 'open' })]),
    );
  });

  it('is shown on the page and in one metric', async () => {
    const page = await (await fetch(`${url}/models/churn/versions/1`)).text();
    expect(page).toContain('Schema changes');
    expect(page).toContain('new: not declared, numbers');
    expect(page).toContain('gone: declared, in no row');
    expect(page).toContain('retyped: numeric, came as text');
    expect(page).toContain('new &lt;b&gt;');
    expect(page).not.toContain('new <b>');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('plumbline_undeclared_features{model="churn",model_version="1"} 2');
    expect(metrics).not.toContain('tenure');
  });
});
