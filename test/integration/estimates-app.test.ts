import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type App, createApp } from '../../src/app.js';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import type { EstimateAnswer } from '../../src/domain/estimate.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { createRandom } from '../../src/stats/random.js';
import { dailyConfig } from '../support/daily-config.js';

const START_MS = Date.UTC(2026, 0, 1);
const random = createRandom(29);
const time = (ms: number) => new Date(ms).toISOString();
const round = (value: number) => Math.round(value * 1e4) / 1e4;
/** The error grows with x; x grows from one day to the next. */
const regressionRow = (ms: number, shift: number) => {
  const x = round(random() + shift);
  const prediction = round(10 * random());
  return { ms, x, prediction, label: round(prediction + (0.5 + 2 * x) * (2 * random() - 1)) };
};
const regressionRows = (day: number, shift: number) =>
  Array.from({ length: 400 }, (_, i) => regressionRow(START_MS + day * DAY_MS + i * 200_000, shift));
const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row));

describe('performance before its labels, through the service', () => {
  let directory = '';
  let app: App;
  let client: ServiceClient;
  let url = '';

  const estimates = async (model: string, query: string) =>
    (await client.get(`/v1/models/${model}/estimates?version=1&${query}`)) as EstimateAnswer;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-estimates-'));
    app = await createApp(dailyConfig(directory));
    ({ url } = await app.start());
    client = createServiceClient({ url });
  });
  afterAll(async () => {
    await app?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('estimates a classifier before its labels, and shows them beside the estimates when they come', async () => {
    const row = (ms: number, shift: number) => {
      const score = round(Math.min(1, random() ** 1.5 + shift));
      return { ms, score, prediction: Number(score >= 0.5), label: Number(random() < 0.1 + 0.6 * score) };
    };
    const rowsOf = (day: number, shift: number) =>
      Array.from({ length: 400 }, (_, i) => row(START_MS + day * DAY_MS + i * 200_000, shift));
    const reference = join(directory, 'binary.ndjson');
    await writeFile(
      reference,
      `${lines(
        [-9, -8, -7, -6, -5, -4].flatMap((day) =>
          rowsOf(day, 0).map(({ ms, score, prediction, label }) => ({
            timestamp: time(ms),
            x: 1,
            prediction_proba: score,
            prediction,
            label,
          })),
        ),
      ).join('\n')}\n`,
    );
    await client.putFile('/v1/models/churn/versions/1/reference', reference, 'application/x-ndjson');
    const days = [rowsOf(0, 0), rowsOf(1, 0.2)];
    const key = (ms: number) => ({
      prediction_id: `c${ms}`,
      model: 'churn',
      model_version: '1',
      timestamp: time(ms),
    });
    await client.postLines(
      '/v1/ingest',
      lines(
        days.flat().map(({ ms, score, prediction }) => ({
          ...key(ms),
          features: {},
          prediction,
          prediction_proba: score,
        })),
      ),
    );
    await app.settle();
    const before = await estimates('churn', 'bucket=day');
    expect(before.learnedFrom).toBe(2_400);
    expect(before.periods.map(({ status, maturity, realised }) => ({ status, maturity, realised }))).toEqual(
      days.map(() => ({ status: 'estimated', maturity: 0, realised: {} })),
    );
    // The first day is over: it is the newest judged window.
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const gauge =
      /plumbline_performance\{model="churn",model_version="1",metric="accuracy",kind="estimated"\} ([\d.]+)/.exec(
        metrics,
      );
    expect(Number(gauge?.[1])).toBeCloseTo(before.periods[0]?.figures.accuracy?.value ?? Number.NaN, 10);
    await client.postLines(
      '/v1/labels',
      lines((days[0] ?? []).map(({ ms, label }) => ({ ...key(ms), label }))),
    );
    await app.settle();
    const after = await estimates('churn', 'bucket=day');
    expect(after.periods.map(({ figures }) => figures)).toEqual(before.periods.map(({ figures }) => figures));
    expect(after.periods.map(({ maturity }) => maturity)).toEqual([1, 0]);
    for (const name of ['accuracy', 'rocAuc', 'precision', 'recall', 'f1', 'brier', 'logLoss']) {
      const { low, high } = after.periods[0]?.figures[name] ?? { low: Number.NaN, high: Number.NaN };
      const value = after.periods[0]?.realised[name]?.value ?? Number.NaN;
      const slack = (high - low) / 4;
      expect({ name, inside: low - slack < value && value < high + slack }).toEqual({ name, inside: true });
    }
  });

  it('estimates the errors of a regression as its features go, and says where it cannot', async () => {
    const reference = join(directory, 'regression.ndjson');
    await writeFile(
      reference,
      `${lines(
        [-9, -8, -7, -6, -5].flatMap((day) =>
          regressionRows(day, 0.5 * random()).map(({ ms, ...row }) => ({ timestamp: time(ms), ...row })),
        ),
      ).join('\n')}\n`,
    );
    await client.putFile('/v1/models/price/versions/1/reference', reference, 'application/x-ndjson');
    const days = [0, 0.25, 0.5].map((shift, day) => regressionRows(day, shift));
    await client.postLines(
      '/v1/ingest',
      lines(
        days.flat().map(({ ms, x, prediction }) => ({
          prediction_id: `p${ms}`,
          model: 'price',
          model_version: '1',
          timestamp: time(ms),
          features: { x },
          prediction,
        })),
      ),
    );
    await app.settle();
    const { periods } = await estimates('price', 'bucket=day');
    expect(periods.map(({ status, predictions }) => ({ status, predictions }))).toEqual(
      days.map(() => ({ status: 'estimated', predictions: 400 })),
    );
    for (const [day, rows] of days.entries()) {
      const errors = rows.map(({ prediction, label }) => prediction - label);
      const mean = (values: readonly number[]) =>
        values.reduce((sum, value) => sum + value, 0) / values.length;
      const realised: Record<string, number> = {
        meanAbsoluteError: mean(errors.map(Math.abs)),
        rootMeanSquaredError: Math.sqrt(mean(errors.map((error) => error * error))),
        bias: mean(errors),
      };
      for (const [name, value] of Object.entries(realised)) {
        const { low, high } = periods[day]?.figures[name] ?? { low: Number.NaN, high: Number.NaN };
        // Three standard errors, for nine figures.
        const slack = (high - low) / 4;
        expect({ day, name, inside: low - slack < value && value < high + slack }).toEqual({
          day,
          name,
          inside: true,
        });
      }
    }
    const maes = periods.map(({ figures }) => figures.meanAbsoluteError?.value ?? Number.NaN);
    expect(maes[2]).toBeGreaterThan(1.3 * (maes[0] ?? Number.NaN));
  });

  it('says that nothing was learned where the reference has no labels, and refuses too many periods', async () => {
    const reference = join(directory, 'unlabelled.ndjson');
    const rows = regressionRows(-9, 0).map(({ ms, x, prediction }) => ({
      timestamp: time(ms),
      x,
      prediction,
    }));
    await writeFile(reference, `${lines(rows).join('\n')}\n`);
    await client.putFile('/v1/models/bare/versions/1/reference', reference, 'application/x-ndjson');
    await client.postLines(
      '/v1/ingest',
      lines(
        [0, 60 * 24].map((hours) => ({
          prediction_id: `b${hours}`,
          model: 'bare',
          model_version: '1',
          timestamp: time(START_MS + hours * HOUR_MS),
          features: { x: 0.5 },
          prediction: 1,
        })),
      ),
    );
    await app.settle();
    const answer = await estimates('bare', 'bucket=day');
    expect(answer).toMatchObject({ learnedFrom: 0, referenceHash: null });
    expect(
      answer.periods.map(({ status, reason, predictions }) => ({ status, reason, predictions })),
    ).toEqual(
      [1, 1].map((predictions) => ({ status: 'undecided', reason: 'no_labelled_reference', predictions })),
    );
    await expect(estimates('bare', 'bucket=hour')).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(estimates('nobody', 'bucket=day')).rejects.toMatchObject({ code: 'not_found' });
  });
});
