import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { createStore } from '../../src/store/store.js';
import { attempt, episode, event, fillOutbox, hour, key, other, START_MS } from '../support/entities.js';
import { until } from '../support/service-process.js';
import { BACKENDS, openBackend, SILENT, type StoreBackend } from '../support/store-backends.js';

describe.each(BACKENDS)('episodes and the outbox in the %s store', (kind) => {
  let backend: StoreBackend;
  let admin: StoreClient;

  beforeAll(async () => {
    backend = await openBackend(kind);
    admin = await createStoreClient(backend.location);
  });
  afterAll(async () => {
    await admin.close();
    await backend.close();
  });
  beforeEach(async () => {
    for (const table of ['episodes', 'webhook_events', 'webhook_attempts', 'webhook_holds'])
      await admin.command(`TRUNCATE TABLE ${table}`);
  });

  test('episodes: saved again under the id is one, newest first, by model and state', async () => {
    const { store } = backend;
    const later = episode('e2', { openedAtMs: START_MS + DAY_MS, category: 'outliers' });
    const closed = episode('e1', { state: 'closed', closedBy: hour(4), closedAtMs: START_MS + 5 * HOUR_MS });
    const elsewhere = episode('e3', { model: 'm', openedAtMs: START_MS });
    for (const saved of [episode('e1'), episode('e1'), later, closed, elsewhere])
      await store.saveEpisode(saved);
    expect(await store.listEpisodes({ limit: 9 })).toEqual([later, closed, elsewhere]);
    expect(await store.listEpisodes({ limit: 1 })).toEqual([later]);
    expect(await store.listEpisodes({ state: 'open', limit: 9 })).toEqual([later, elsewhere]);
    expect(await store.listEpisodes({ model: 'm', state: 'open', limit: 9 })).toEqual([elsewhere]);
    expect(await store.latestEpisode({ ...key, category: 'drift' })).toEqual(closed);
    expect(await store.latestEpisode({ ...other, category: 'drift' })).toBeNull();
  });

  test('episodes: of two that were decided from the same one the first is stored, and a late one never', async () => {
    const { store } = backend;
    const other =
      kind === 'http'
        ? await createStore({ ...backend.location, logger: SILENT, wallClock: () => 0 })
        : store;
    const first = episode('race', { why: ['x: "ü" \\ 1e-7'], severity: 'warning' });
    const got = await Promise.all([
      store.saveEpisode(first, null),
      other.saveEpisode({ ...first, openedAtMs: START_MS + 1 }, null),
    ]);
    expect(got.filter((each) => each)).toHaveLength(1);
    const [opened] = await store.listEpisodes({ limit: 9 });
    if (opened === undefined) throw new TypeError('nothing is stored');
    // The same once more is no change, whoever says so.
    expect(await other.saveEpisode(opened, null)).toBe(true);
    const closed = { ...opened, state: 'closed', closedBy: hour(4), closedAtMs: START_MS + HOUR_MS } as const;
    // Its clock is far behind.
    expect(await other.saveEpisode(closed, opened)).toBe(true);
    expect(await store.saveEpisode({ ...opened, lastWindow: hour(3) }, opened)).toBe(false);
    expect(await store.listEpisodes({ limit: 9 })).toEqual([closed]);
    // Deleted and come again, with the same ids.
    await admin.command("ALTER TABLE episodes DELETE WHERE id = 'race' SETTINGS mutations_sync = 2");
    expect(await store.saveEpisode(opened, null)).toBe(true);
    expect(await store.saveEpisode(closed, opened)).toBe(true);
    expect(await store.listEpisodes({ limit: 9 })).toEqual([closed]);
    if (other !== store) await other.close();
  });

  test('the outbox: an event keeps its first body and is pending until a last attempt', async () => {
    const { store } = backend;
    await store.saveEvent(event('w2', { createdAtMs: START_MS + 1, model: 'm' }));
    await store.saveEvent(event('w1'));
    await store.saveEvent(event('w1', { body: 'another', createdAtMs: START_MS + 9 }));
    // Past the window of remembered tokens, too.
    await admin.command(
      "INSERT INTO webhook_events SELECT * REPLACE ('third' AS body, revision + 1 AS revision) FROM webhook_events WHERE id = 'w1'",
    );
    await admin.command('OPTIMIZE TABLE webhook_events FINAL');
    const second = event('w2', { createdAtMs: START_MS + 1, model: 'm' });
    expect(await store.pendingEvents()).toEqual([
      { event: event('w1'), lastAttempt: null, failures: 0, claimed: false },
      { event: second, lastAttempt: null, failures: 0, claimed: false },
    ]);
    for (const saved of [attempt('w1', 1, 'retry'), attempt('w1', 2, 'retry'), attempt('w1', 2, 'retry')])
      await store.saveAttempt(saved);
    await store.saveAttempt(attempt('w2', 1, 'failed'));
    expect(await store.pendingEvents()).toEqual([
      { event: event('w1'), lastAttempt: attempt('w1', 2, 'retry'), failures: 2, claimed: false },
    ]);
    await store.saveAttempt(attempt('w1', 3, 'delivered'));
    expect(await store.pendingEvents()).toEqual([]);
    expect(await store.listEvents({ limit: 9 })).toEqual([
      { event: second, attempts: [attempt('w2', 1, 'failed')] },
      {
        event: event('w1'),
        attempts: [attempt('w1', 1, 'retry'), attempt('w1', 2, 'retry'), attempt('w1', 3, 'delivered')],
      },
    ]);
    expect(await store.listEvents({ model: 'm', limit: 9 })).toHaveLength(1);
    expect(await store.listEvents({ limit: 1 })).toMatchObject([{ event: { id: 'w2' } }]);
  });

  test('the outbox: events are found by id, hook and state, and a replay makes one pending again', async () => {
    const { store } = backend;
    const other = event('w2', { hook: 'fallback', createdAtMs: START_MS + 1 });
    await store.saveEvent(event('w1'));
    await store.saveEvent(other);
    await store.saveAttempt(attempt('w1', 1, 'retry'));
    await store.saveAttempt(attempt('w1', 2, 'failed'));
    const ids = async (query: Omit<Parameters<typeof store.listEvents>[0], 'limit'>) =>
      (await store.listEvents({ ...query, limit: 9 })).map(({ event: { id } }) => id);
    expect(await ids({ id: 'w2' })).toEqual(['w2']);
    expect(await ids({ hook: 'fallback' })).toEqual(['w2']);
    expect(await ids({ state: 'failed' })).toEqual(['w1']);
    expect(await ids({ state: 'pending' })).toEqual(['w2']);
    expect(await ids({ state: 'delivered' })).toEqual([]);
    await store.saveAttempt(attempt('w1', 3, 'replay'));
    expect(await store.pendingEvents()).toEqual([
      { event: event('w1'), lastAttempt: attempt('w1', 3, 'replay'), failures: 0, claimed: false },
      { event: other, lastAttempt: null, failures: 0, claimed: false },
    ]);
    expect(await ids({ state: 'pending' })).toEqual(['w2', 'w1']);
    await store.saveAttempt(attempt('w1', 4, 'skipped'));
    expect(await ids({ state: 'skipped' })).toEqual(['w1']);
    expect(await store.pendingEvents()).toHaveLength(1);
  });

  test('claims: one of many gets an attempt, which nobody makes again before its time', async () => {
    const { store } = backend;
    await store.saveEvent(event('w1'));
    const others = await Promise.all(
      kind === 'http' ? [1, 2].map(() => createStore({ ...backend.location, logger: SILENT })) : [],
    );
    const claim = (attempt: number, ttlMs = 60_000) => ({ eventId: 'w1', attempt, ttlMs, atMs: START_MS });
    const asked = await Promise.all(
      [store, ...others].flatMap((each) => [each.claimAttempt(claim(1)), each.claimAttempt(claim(1))]),
    );
    // The one that has it is told so again; no other is.
    expect(asked.filter((got) => got)).toHaveLength(2);
    expect(asked.some((got, i) => got && asked[i % 2 === 0 ? i + 1 : i - 1])).toBe(true);
    expect(await store.pendingEvents()).toMatchObject([
      { lastAttempt: { attempt: 1, outcome: 'sending' }, failures: 0, claimed: true },
    ]);
    expect(await store.listEvents({ state: 'pending', limit: 9 })).toHaveLength(1);

    expect(await store.claimAttempt(claim(2, 1))).toBe(true);
    await until('the claim has run out', 60_000, async () =>
      (await store.pendingEvents())[0]?.claimed === false ? true : null,
    );
    // A late word about the first attempt does not touch the second.
    await store.saveAttempt(attempt('w1', 2, 'retry'));
    await store.saveAttempt(attempt('w1', 1, 'retry'));
    expect(await store.pendingEvents()).toMatchObject([
      { lastAttempt: attempt('w1', 2, 'retry'), failures: 2, claimed: false },
    ]);
    // A late delivery stands.
    await store.saveAttempt(attempt('w1', 1, 'delivered'));
    expect(await store.pendingEvents()).toEqual([]);
    expect(await store.listEvents({ state: 'delivered', limit: 9 })).toHaveLength(1);
    await store.saveAttempt(attempt('w1', 3, 'replay'));
    expect(await store.pendingEvents()).toHaveLength(1);
    for (const other of others) await other.close();
  });

  test('claims: what was deleted and came again can be claimed again, by one', async () => {
    const { store } = backend;
    const claim = { eventId: 'again', attempt: 1, ttlMs: 60_000, atMs: START_MS };
    for (let time = 0; time < 3; time++) {
      expect(await store.claimAttempt(claim)).toBe(true);
      await admin.command(
        "ALTER TABLE webhook_attempts DELETE WHERE event_id = 'again' SETTINGS mutations_sync = 2",
      );
    }
    expect(await store.claimAttempt(claim)).toBe(true);
    const other = kind === 'http' ? await createStore({ ...backend.location, logger: SILENT }) : null;
    expect((await other?.claimAttempt(claim)) ?? false).toBe(false);
    await other?.close();
  });

  if (kind === 'embedded')
    test('claims: after a restart of the one process there is nobody who could hold one', async () => {
      await backend.store.saveEvent(event('w1'));
      await backend.store.claimAttempt({ eventId: 'w1', attempt: 1, ttlMs: 60_000, atMs: START_MS });
      expect(await backend.store.pendingEvents()).toMatchObject([{ claimed: true }]);
      await backend.reopen();
      expect(await backend.store.pendingEvents()).toMatchObject([{ claimed: false }]);
    });

  test('an outbox of 50,000 events is read whole, by requests of a size that servers take', async () => {
    const { store, bridge } = backend;
    await fillOutbox(admin, 'busy', 50_000);
    const pending = await store.pendingEvents();
    expect(pending).toHaveLength(45_000);
    expect(pending.filter(({ lastAttempt }) => lastAttempt?.outcome !== 'retry')).toEqual([]);
    expect(pending[0]).toMatchObject({ event: { episodeId: '1' }, failures: 1, claimed: false });
    const listed = await store.listEvents({ model: 'busy', limit: 10_000 });
    expect(listed).toHaveLength(10_000);
    expect(listed.filter(({ event: { id }, attempts }) => attempts[0]?.eventId !== id)).toEqual([]);
    const longest = (bridge?.statements ?? []).map(({ parameters }) =>
      Math.max(0, ...[...parameters.values()].map(({ length }) => length)),
    );
    expect(Math.max(0, ...longest)).toBeLessThan(131_072);
  });

  test('holds: the last word for a model, hook and reason counts', async () => {
    const { store } = backend;
    const pause = {
      model: '',
      hook: '',
      reason: 'paused',
      held: true,
      detail: 'night',
      atMs: START_MS,
    } as const;
    const gone = { ...pause, model: 'm', hook: 'retrain', reason: 'gone' } as const;
    await store.saveHold(pause);
    await store.saveHold(gone);
    expect(await store.listHolds()).toEqual([pause, gone]);
    await store.saveHold({ ...pause, held: false, atMs: START_MS + 1 });
    expect(await store.listHolds()).toEqual([gone]);
  });
});
