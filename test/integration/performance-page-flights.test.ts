import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseHTML } from 'linkedom';
import { type App, createApp } from '../../src/app.js';
import { createServiceClient, type ServiceClient } from '../../src/cli/service-client.js';
import type { ErrorStreamAnswer } from '../../src/domain/error-stream.js';
import type { EstimateAnswer } from '../../src/domain/estimate.js';
import type { PerformanceAnswer } from '../../src/domain/performance-figures.js';
import { DAY_MS } from '../../src/domain/window.js';
import { formatCount, formatNumber, formatWindow, windowParameter } from '../../src/views/format.js';
import { dailyConfig } from '../support/daily-config.js';
import { dayOf, FLIGHTS_MODEL, FLIGHTS_REFERENCE, firstFlights, idOf } from '../support/flight-events.js';

const VERSION = '1';
/** UTC days of March, which one more has ended: the last two have no label yet. */
const [LABELLED, DAYS] = [10, 12];
const range = { startMs: Date.UTC(2013, 2, 1), endMs: Date.UTC(2013, 2, 1 + DAYS) };
const dayNumber = (line: string) => Number(dayOf(line).slice(8));
const { predictions, labels } = (() => {
  const all = firstFlights(20_000);
  const shown = all.predictions.filter((line) => dayNumber(line) <= DAYS + 1);
  const old = new Set(shown.filter((line) => dayNumber(line) <= LABELLED).map(idOf));
  return { predictions: shown, labels: all.labels.filter((line) => old.has(idOf(line))) };
})();

/** A section of a page or report as text, and its table's cells by row. */
function performanceOf(page: string) {
  const { document } = parseHTML(page);
  const section = [...document.querySelectorAll('section')].find(
    (each) => each.querySelector('h2')?.textContent === 'Performance',
  );
  if (section === undefined) throw new Error('there is no section on performance');
  const [figures, drift] = [...section.querySelectorAll('table')].map((table) =>
    [...table.querySelectorAll('tbody tr')].map((row) =>
      [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? ''),
    ),
  );
  return { text: section.textContent ?? '', picture: section.querySelector('svg'), figures, drift };
}

describe('flights of March on the page: estimated, realised, and where the errors changed', () => {
  let directory = '';
  let app: App;
  let client: ServiceClient;
  let url = '';
  let estimates: EstimateAnswer;
  let realised: PerformanceAnswer;
  let errors: ErrorStreamAnswer;

  /** Labels are looked at ten seconds after they came. */
  async function followed(): Promise<ErrorStreamAnswer> {
    for (let attempt = 0; attempt < 60; attempt++) {
      await app.settle();
      const now = (await client.get(
        `/v1/models/${FLIGHTS_MODEL}/concept-drift?version=${VERSION}`,
      )) as ErrorStreamAnswer;
      if (now.errors >= labels.length) return now;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    throw new Error('the labels were not looked at');
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plumbline-performance-page-'));
    app = await createApp(dailyConfig(directory));
    ({ url } = await app.start());
    client = createServiceClient({ url });
    await client.putFile(
      `/v1/models/${FLIGHTS_MODEL}/versions/${VERSION}/reference`,
      FLIGHTS_REFERENCE,
      'application/vnd.apache.parquet',
    );
    await client.postLines('/v1/ingest', predictions);
    await client.postLines('/v1/labels', labels);
    errors = await followed();
    const query = `version=${VERSION}&bucket=day&from=2013-03-01&to=2013-03-13`;
    const path = `/v1/models/${FLIGHTS_MODEL}`;
    estimates = (await client.get(`${path}/estimates?${query}`)) as EstimateAnswer;
    realised = (await client.get(`${path}/performance?${query}`)) as PerformanceAnswer;
  }, 300_000);
  afterAll(async () => {
    await app?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** Both documents tell what the API answers, from this day on. */
  function expectAll(
    { text, picture, figures, drift }: ReturnType<typeof performanceOf>,
    first: number,
  ): void {
    expect(estimates.periods).toHaveLength(DAYS);
    const days = estimates.periods
      .map((estimate, day) => ({ estimate, day, period: realised.periods[day] }))
      .slice(first);
    const auc = (of: Readonly<Record<string, { readonly value: number }>> | undefined) =>
      formatNumber(of?.rocAuc?.value ?? null);
    const rows = days.map(({ estimate, day, period }) => [
      formatWindow(period?.window ?? estimate.window),
      formatCount(estimate.predictions),
      `${day < LABELLED ? auc(period?.figures) : '–'}est. ${auc(estimate.figures)}`,
    ]);
    expect(figures?.slice(1).map(([when, count, , figure]) => [when, count, figure])).toEqual(rows);
    const decided = days.filter(({ period }) => period?.status === 'decided');
    expect(decided).toHaveLength(LABELLED - first);
    const inside = decided.filter(({ estimate, period }) => {
      const [value, expected] = [period?.figures.rocAuc?.value, estimate.figures.rocAuc];
      return value !== undefined && expected !== undefined && value >= expected.low && value <= expected.high;
    });
    expect(text).toContain(`interval in ${inside.length} of ${decided.length} periods with enough labels`);
    expect(picture?.querySelector('desc')?.textContent).toContain(
      `${decided.length} periods with enough labels, ${DAYS - LABELLED} without`,
    );
    expect(picture?.querySelectorAll('g[fill="var(--special)"] rect')).toHaveLength(days.length);
    const shown = errors.detections.filter(({ labelMs }) => labelMs >= range.startMs + first * DAY_MS);
    expect(shown.length).toBeGreaterThan(0);
    for (const [at, detector] of (['adwin', 'pageHinkley', 'ddm'] as const).entries())
      expect(drift?.[at]?.[1]).toBe(formatCount(shown.filter((each) => each.detector === detector).length));
    expect(picture?.textContent).toContain('Errors changed');
  }

  it('stand beside each other on the page of the version', async () => {
    const page = await fetch(
      `${url}/models/${FLIGHTS_MODEL}/versions/${VERSION}?range=${windowParameter(range)}`,
    );
    expect(page.status).toBe(200);
    expectAll(performanceOf(await page.text()), 0);
  });

  it('stand beside each other in a report', async () => {
    const { path } = (await client.postJson('/v1/reports', {
      ...{ model: FLIGHTS_MODEL, modelVersion: VERSION, from: '2013-03-01', to: '2013-03-13' },
    })) as { path: string };
    // The first day began at ten: it is no whole window, and a report is of what was judged.
    expectAll(performanceOf(await readFile(path, 'utf8')), 1);
  });
});
