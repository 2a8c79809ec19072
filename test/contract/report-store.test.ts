import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DAY_MS } from '../../src/domain/window.js';
import { event } from '../support/entities.js';
import { factsOf, reportOf, reportRun } from '../support/reports.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

describe.each(BACKENDS)('reports in the %s store', (kind) => {
  let backend: StoreBackend;
  beforeAll(async () => {
    backend = await openBackend(kind);
  });
  afterAll(() => backend.close());

  test('come back as they were saved, after a restart too', async () => {
    const { store } = backend;
    const odd = reportOf(
      { id: 'rep_odd', model: "it's", summary: 'a "quoted" text\n', missed: 3 },
      '<p>☃</p>',
    );
    await store.saveReport(odd);
    await store.saveReport({ ...odd, html: '<p>again</p>' });
    await backend.reopen();
    expect(await backend.store.findReport("it's", 'rep_odd')).toEqual({ ...odd, html: '<p>again</p>' });
    expect(await backend.store.findReport('other', 'rep_odd')).toBeNull();
    expect(await backend.store.findReport("it's", 'rep_none')).toBeNull();
  });

  test('are listed without their text, newest first, of one model or all', async () => {
    const { store } = backend;
    const first = factsOf({ model: 'churn' });
    for (const day of [0, 1, 2])
      await store.saveReport(
        reportOf({
          id: `rep_${day}`,
          madeAtMs: first.madeAtMs + day * DAY_MS,
          schedule: day === 1 ? 'weekly' : 'daily',
        }),
      );
    const ids = async (query: { model?: string; schedule?: string; limit: number }) =>
      (await store.listReports(query)).map(({ id }) => id);
    expect(await ids({ model: 'churn', limit: 9 })).toEqual(['rep_2', 'rep_1', 'rep_0']);
    expect(await ids({ model: 'churn', limit: 2 })).toEqual(['rep_2', 'rep_1']);
    expect(await ids({ model: 'churn', schedule: 'weekly', limit: 9 })).toEqual(['rep_1']);
    expect(await ids({ limit: 9 })).toHaveLength(4);
    expect(await ids({ model: 'nobody', limit: 9 })).toEqual([]);
    const { id, model, schedule, timeZone, period, missed, summary } = first;
    expect((await store.listReports({ model: 'churn', limit: 9 }))[2]).toEqual({
      ...{ id, model, schedule, timeZone, period, missed, summary, versions: [] },
      id: 'rep_0',
      madeAtMs: first.madeAtMs,
    });
  });

  test('are removed by id, and by a text in them, with the events about them', async () => {
    const { store } = backend;
    await store.saveReport(reportOf({ id: 'rep_told' }, '<p>tags.user = Ann &amp; Bob</p>'));
    await store.saveReport(reportOf({ id: 'rep_said', summary: 'most of Ann' }));
    await store.saveEvent(event('evt_told', { model: 'churn', type: 'report.ready', episodeId: 'rep_told' }));
    await store.saveEvent(
      event('evt_other', { model: 'churn', type: 'drift.detected', episodeId: 'rep_told' }),
    );
    expect(await store.removeReportsWith('other', ['Ann'])).toBe(0);
    expect(await store.removeReportsWith('churn', ['', 'Zoe'])).toBe(0);
    expect(await store.removeReportsWith('churn', ['Ann'])).toBe(2);
    expect((await store.listEvents({ model: 'churn', limit: 9 })).map(({ event: { id } }) => id)).toEqual([
      'evt_other',
    ]);
    expect(await store.removeReports('churn', ['rep_0', 'rep_none'])).toBe(1);
    expect(await store.removeReports('churn', [])).toBe(0);
    expect((await store.listReports({ model: 'churn', limit: 9 })).map(({ id }) => id)).toEqual([
      'rep_2',
      'rep_1',
    ]);
  });

  test('have runs, of which the one of the newest time counts', async () => {
    const { store } = backend;
    expect(await store.lastReportRun('churn', 'daily')).toBeNull();
    const run = reportRun({ id: 'b', state: 'failed', detail: 'the store was away', missed: 4 });
    await store.saveReportRun(run);
    await store.saveReportRun(reportRun({ id: 'a', firesAtMs: run.firesAtMs - DAY_MS }));
    expect(await store.lastReportRun('churn', 'daily')).toEqual(run);
    await store.saveReportRun({ ...run, state: 'made', attempts: 2 });
    expect(await store.lastReportRun('churn', 'daily')).toMatchObject({
      id: 'b',
      state: 'made',
      attempts: 2,
    });
    expect(await store.lastReportRun('churn', 'weekly')).toBeNull();
    expect(await store.lastReportRun('other', 'daily')).toBeNull();
  });
});
