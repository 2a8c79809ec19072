import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ModelVersion } from '../../src/domain/model.js';
import type { StoredReport } from '../../src/domain/report.js';
import { timeOfWall, type WallTimes } from '../../src/domain/schedule.js';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { createClaimer } from '../../src/jobs/claimer.js';
import type { ReportRequest } from '../../src/jobs/make-report.js';
import { createScheduledReports, LEASE_MS, type ReportSetting } from '../../src/jobs/scheduled-reports.js';
import { createMetrics } from '../../src/metrics.js';
import { createStore } from '../../src/store/store.js';
import { run } from '../support/entities.js';
import { reportOf } from '../support/reports.js';
import { HTTP_SOURCE, predictionRow } from '../support/rows.js';
import { openBackend, SILENT, type StoreBackend, type TestStore } from '../support/store-backends.js';
import { until } from '../support/until.js';

const MINUTE_MS = 60_000;
const EVERY = {
  daysOfMonth: Array.from({ length: 31 }, (_, i) => i + 1),
  months: Array.from({ length: 12 }, (_, i) => i + 1),
  daysOfWeek: [0, 1, 2, 3, 4, 5, 6],
  ...{ second: 0, minute: 0 },
};
const at = (text: string) => Date.parse(text);

describe('reports by schedule, over one store on a server', () => {
  let backend: StoreBackend;
  let other: TestStore;
  const models: string[] = [];
  let model = '';
  let nowMs = 0;

  beforeAll(async () => {
    backend = await openBackend('http');
    other = await createStore({ ...backend.location, logger: SILENT });
  });
  afterAll(async () => {
    await other.close();
    await backend.close();
  });
  beforeEach(async () => {
    model = `model ${models.length}`;
    models.push(model);
    nowMs = at('2026-03-02T12:00:00Z');
    const version: ModelVersion = {
      ...{ model, modelVersion: '1', registeredAtMs: 0 },
      schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
    };
    await backend.store.saveModel(version);
  });

  /** One process's reports of the model of this test, with what it made and told. */
  function process(options: {
    readonly owner: string;
    readonly store?: TestStore;
    readonly setting?: Partial<ReportSetting>;
    readonly make?: (request: ReportRequest) => Promise<StoredReport>;
    readonly announce?: (report: StoredReport) => Promise<void>;
  }) {
    const times: WallTimes = { ...EVERY, zone: 'UTC', hours: [7] };
    const setting: ReportSetting = {
      name: 'daily',
      times,
      period: 'day',
      keep: { count: 60 },
      ...options.setting,
    };
    const made: ReportRequest[] = [];
    const told: string[] = [];
    const metrics = createMetrics();
    const own = model;
    const reports = createScheduledReports({
      store: options.store ?? backend.store,
      settings: (name) => (name === own ? [setting] : []),
      stepMs: () => HOUR_MS,
      makeReport: async (request) => {
        made.push(request);
        if (options.make !== undefined) return options.make(request);
        return reportOf({ ...request, madeAtMs: nowMs });
      },
      announce: async (report) => {
        if (options.announce !== undefined) await options.announce(report);
        told.push(report.facts.id);
      },
      clock: { now: () => nowMs },
      wallClock: { now: () => nowMs },
      claim: createClaimer({ leases: options.store ?? backend.store, owner: options.owner, ttlMs: LEASE_MS }),
      metrics,
      logger: SILENT,
    });
    const outcome = async (name: string) =>
      (await metrics.reports.get()).values.find(({ labels }) => labels.outcome === name)?.value;
    return { run: reports.run, runNow: reports.runNow, made, told, outcome, metrics };
  }

  const kept = async () => (await backend.store.listReports({ model, limit: 99 })).map(({ id }) => id);

  test('begin when they are first seen, and are made once at each time', async () => {
    const one = process({ owner: 'a' });
    await one.run();
    expect(one.made).toEqual([]);
    nowMs = at('2026-03-03T06:59:59Z');
    await one.run();
    expect(one.made).toEqual([]);
    nowMs = at('2026-03-03T07:00:00Z');
    for (let i = 0; i < 3; i += 1) await one.run();
    expect(one.made).toMatchObject([
      {
        ...{ model, schedule: 'daily', timeZone: 'UTC', missed: 0 },
        period: { startMs: at('2026-03-02'), endMs: at('2026-03-03') },
        previous: { startMs: at('2026-03-01'), endMs: at('2026-03-02') },
      },
    ]);
    expect(one.told).toEqual(await kept());
    expect(await one.outcome('made')).toBe(1);
    expect(await one.metrics.registry.metrics()).toContain(
      `plumbline_report_last_success_timestamp_seconds{model="${model}",schedule="daily"} ${nowMs / 1_000}`,
    );
    // a restart shows it again, and makes nothing
    const restarted = process({ owner: 'a' });
    await restarted.run();
    expect(restarted.made).toEqual([]);
    expect(await restarted.metrics.registry.metrics()).toContain(`schedule="daily"} ${nowMs / 1_000}`);
  });

  test('that were missed are made up for once, by the newest, which says how many', async () => {
    await process({ owner: 'a' }).run();
    nowMs = at('2026-03-09T10:00:00Z');
    const after = process({ owner: 'b' });
    await after.run();
    await after.run();
    expect(after.made).toMatchObject([
      { missed: 6, period: { startMs: at('2026-03-08'), endMs: at('2026-03-09') } },
    ]);
    expect((await backend.store.listReports({ model, limit: 9 }))[0]).toMatchObject({ missed: 6 });
    nowMs += DAY_MS;
    await after.run();
    expect(after.made[1]).toMatchObject({ missed: 0 });
  });

  test('are made once for a period that several times of the schedule ask for', async () => {
    const times: WallTimes = { ...EVERY, zone: 'UTC', hours: [6, 12, 18] };
    const one = process({ owner: 'a', setting: { times } });
    await one.run();
    for (; nowMs < at('2026-03-05'); nowMs += 3 * HOUR_MS) await one.run();
    expect(one.made.map(({ missed, period }) => [missed, period.endMs])).toEqual([
      [0, at('2026-03-03')],
      [0, at('2026-03-04')],
    ]);
  });

  test('follow the clock of their zone through summer time', async () => {
    const zone = 'Europe/Berlin';
    nowMs = at('2026-03-27T12:00:00Z');
    const one = process({ owner: 'a', setting: { times: { ...EVERY, zone, minute: 30, hours: [2] } } });
    await one.run();
    // every hour over the night without 02:30, and later the one that has two
    for (; nowMs < at('2026-03-31'); nowMs += HOUR_MS) await one.run();
    expect(one.made.map(({ period }) => (period.endMs - period.startMs) / HOUR_MS)).toEqual([24, 24, 23]);
    expect(one.made.at(-1)?.period.endMs).toBe(timeOfWall(zone, at('2026-03-30')));
    expect(one.made.every(({ missed }) => missed === 0)).toBe(true);

    nowMs = at('2026-10-24T00:00:00Z');
    await one.run();
    one.made.length = 0;
    for (; nowMs < at('2026-10-27'); nowMs += HOUR_MS) await one.run();
    expect(one.made.map(({ period }) => (period.endMs - period.startMs) / HOUR_MS)).toEqual([24, 24, 25]);
  });

  test('of two processes at one store one makes them, and tells of them', async () => {
    const two = [process({ owner: 'a' }), process({ owner: 'b', store: other })];
    await Promise.all(two.map((each) => each.run()));
    for (let day = 3; day <= 9; day += 1) {
      nowMs = Date.UTC(2026, 2, day, 7);
      await Promise.all(two.map((each) => each.run()));
      await Promise.all(two.map((each) => each.run()));
    }
    const made = two.flatMap((each) => each.made.map(({ id }) => id));
    const told = two.flatMap((each) => each.told);
    expect(made).toHaveLength(7);
    expect(new Set(made).size).toBe(7);
    expect(told.toSorted()).toEqual(made.toSorted());
    expect((await kept()).toSorted()).toEqual(made.toSorted());
  });

  test('that a crash cut short are told of by the next process, and not made again', async () => {
    await process({ owner: 'a' }).run();
    nowMs = at('2026-03-03T07:00:00Z');
    // The process ends between the report and its announcement: nothing that follows it is written.
    const dying = process({ owner: 'a', announce: () => new Promise(() => undefined) });
    dying.run().catch(() => undefined);
    await until(async () => (await kept()).length > 0);
    // Another process waits for its lease, the same one begins again at once.
    const stranger = process({ owner: 'b' });
    await stranger.run();
    expect(stranger.told).toEqual([]);
    const next = process({ owner: 'a' });
    await next.run();
    await next.run();
    expect(next.made).toEqual([]);
    expect(next.told).toEqual(await kept());
  });

  test('that fail are tried again with longer and longer waits, and given up', async () => {
    let fails = true;
    const make = async (request: ReportRequest) => {
      if (fails) throw new Error('the engine is on fire');
      return reportOf({ ...request, madeAtMs: nowMs });
    };
    const one = process({ owner: 'a', make });
    await one.run();
    nowMs = at('2026-03-03T07:00:00Z');
    await one.run();
    nowMs += MINUTE_MS - 1;
    await one.run();
    expect(one.made).toHaveLength(1);
    nowMs += 1;
    await one.run();
    expect(one.made).toHaveLength(2);
    for (; nowMs < at('2026-03-04T06:00:00Z'); nowMs += HOUR_MS) await one.run();
    expect(one.made).toHaveLength(6);
    expect(await backend.store.lastReportRun(model, 'daily')).toMatchObject({
      ...{ state: 'given_up', attempts: 6, detail: 'the engine is on fire' },
    });
    expect([await one.outcome('failed'), await one.outcome('given_up')]).toEqual([5, 1]);
    fails = false;
    nowMs = at('2026-03-04T07:00:00Z');
    await one.run();
    expect(await one.outcome('made')).toBe(1);
    expect(one.made.at(-1)).toMatchObject({ missed: 0 });
  });

  test('wait for the windows of their period, an hour at most', async () => {
    const { store } = backend;
    const key = { model, modelVersion: '1' };
    await store.saveReference({
      ...{ ...key, hash: 'h', rows: 1, period: null, provenance: 'test', createdAtMs: 0, forest: null },
      nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
    });
    await store.insertRows({
      predictions: [
        predictionRow('p', { ...key, timestampMs: at('2026-03-02T10:00:00Z'), source: HTTP_SOURCE }),
      ],
      ...{ labels: [], rejected: [], halves: [], token: `token ${model}` },
    });
    const one = process({ owner: 'a' });
    await one.run();
    nowMs = at('2026-03-03T07:00:00Z');
    await one.run();
    nowMs += 59 * MINUTE_MS;
    await one.run();
    expect(one.made).toHaveLength(0);
    nowMs += MINUTE_MS;
    await one.run();
    expect(one.made).toHaveLength(1);
    nowMs = at('2026-03-04T07:00:00Z');
    await one.run();
    expect(one.made).toHaveLength(2); // no rows on that day: nothing to wait for
    const window = { startMs: at('2026-03-04T23:00:00Z'), endMs: at('2026-03-05') };
    await store.saveRun(run(0, { ...key, window }));
    nowMs = at('2026-03-05T07:00:00Z');
    await one.run();
    expect(one.made).toHaveLength(3);
  });

  test('are kept as long as was said, the newest in any case', async () => {
    const one = process({ owner: 'a', setting: { keep: { count: 2 } } });
    await one.run();
    for (let day = 3; day <= 6; day += 1) {
      nowMs = Date.UTC(2026, 2, day, 7);
      await one.run();
    }
    expect(await kept()).toEqual([one.told[3], one.told[2]]);
    const two = process({ owner: 'a', setting: { name: 'other', keep: { days: 2 } } });
    await two.run();
    for (let day = 7; day <= 12; day += 1) {
      nowMs = Date.UTC(2026, 2, day, 7);
      await two.run();
    }
    const others = await backend.store.listReports({ model, schedule: 'other', limit: 9 });
    expect(others.map(({ id }) => id)).toEqual([two.told[5], two.told[4], two.told[3]]);
    expect(await kept()).toHaveLength(5);
  });

  test('are made by hand beside them, and say what was wrong with a wish', async () => {
    const one = process({ owner: 'a' });
    const ask = (more: object) => one.runNow({ model, announce: false, nonce: 'n', ...more });
    const first = await ask({});
    expect(first.facts).toMatchObject({ schedule: 'manual', period: { endMs: at('2026-03-02') } });
    const period = { startMs: at('2026-01-05'), endMs: at('2026-01-07') };
    const second = await ask({ period, announce: true, nonce: 'm' });
    expect(second.facts.previous).toEqual({ startMs: at('2026-01-03'), endMs: at('2026-01-05') });
    expect(one.told).toEqual([second.facts.id]);
    expect(await kept()).toHaveLength(2);
    await expect(ask({ schedule: 'hourly' })).rejects.toMatchObject({
      ...{ code: 'not_found', message: `${model} has no report hourly: it has daily` },
    });
    await expect(one.runNow({ model: 'bare', announce: true, nonce: 'n' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  test('one that cannot be made keeps no other from being made, and a deleted model shows none', async () => {
    const one = process({
      owner: 'a',
      make: () => Promise.reject(new TypeError('a bug')),
    });
    const fine = process({ owner: 'a', setting: { name: 'fine' } });
    for (const each of [one, fine]) await each.run();
    nowMs = at('2026-03-03T07:00:00Z');
    for (const each of [one, fine]) await each.run();
    expect(await fine.outcome('made')).toBe(1);
    await backend.store.deleteModel(model);
    await fine.run();
    expect(await fine.metrics.registry.metrics()).not.toContain(`{model="${model}"`);
  });
});
