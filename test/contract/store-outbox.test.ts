import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DAY_MS, HOUR_MS } from '../../src/domain/window.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { attempt, episode, event, hour, key, other, START_MS } from '../support/entities.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

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
      { event: event('w1'), lastAttempt: null, failures: 0 },
      { event: second, lastAttempt: null, failures: 0 },
    ]);
    for (const saved of [attempt('w1', 1, 'retry'), attempt('w1', 2, 'retry'), attempt('w1', 2, 'retry')])
      await store.saveAttempt(saved);
    await store.saveAttempt(attempt('w2', 1, 'failed'));
    expect(await store.pendingEvents()).toEqual([
      { event: event('w1'), lastAttempt: attempt('w1', 2, 'retry'), failures: 2 },
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
      { event: event('w1'), lastAttempt: attempt('w1', 3, 'replay'), failures: 0 },
      { event: other, lastAttempt: null, failures: 0 },
    ]);
    expect(await ids({ state: 'pending' })).toEqual(['w2', 'w1']);
    await store.saveAttempt(attempt('w1', 4, 'skipped'));
    expect(await ids({ state: 'skipped' })).toEqual(['w1']);
    expect(await store.pendingEvents()).toHaveLength(1);
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
