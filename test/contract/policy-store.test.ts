import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EpisodeAction } from '../../src/domain/episode-action.js';
import type { StoredPolicy } from '../../src/domain/stored-policy.js';
import { createStore } from '../../src/store/store.js';
import { episode } from '../support/entities.js';
import { BACKENDS, openBackend, SILENT, type StoreBackend } from '../support/store-backends.js';

const action = (id: string, overrides: Partial<EpisodeAction> = {}): EpisodeAction => ({
  model: 'm',
  id,
  category: null,
  episodeId: null,
  kind: 'snoozed',
  by: 'ada',
  via: 'local',
  note: `it's \\ "ü"`,
  atMs: 1_000,
  untilMs: 1_234_567,
  ...overrides,
});

describe.each(BACKENDS)('policies and actions in the %s store', (kind) => {
  let backend: StoreBackend;
  beforeAll(async () => {
    backend = await openBackend(kind);
  });
  afterAll(() => backend.close());

  test('actions are kept in the order in which they were written, each id once', async () => {
    const { store } = backend;
    const acknowledged = action('b', { kind: 'acknowledged', episodeId: 'e1', untilMs: null, atMs: 1 });
    await store.saveAction(action('a', { category: 'drift' }));
    await store.saveAction(acknowledged);
    await store.saveAction(acknowledged);
    await store.saveAction(action('x', { model: 'other' }));
    expect(await store.listActions('m')).toEqual([action('a', { category: 'drift' }), acknowledged]);
    expect(await store.listActions('nobody')).toEqual([]);
  });

  test('what is written once keeps its place, whoever writes it again, and comes anew with its model', async () => {
    const { store } = backend;
    const other =
      kind === 'http' ? await createStore({ ...backend.location, logger: SILENT }) : backend.store;
    const model = 'once';
    const about = { model, episodeId: 'e', untilMs: null };
    const raised = action('e:severity_raised:1', { ...about, kind: 'severity_raised' });
    const acknowledged = action('ack', { ...about, kind: 'acknowledged' });
    await Promise.all([1, 2, 3].flatMap((_) => [store, other].map((each) => each.saveAction(raised, true))));
    await other.saveAction(acknowledged);
    await store.saveAction({ ...raised, atMs: 9_000 }, true);
    await other.saveAction({ ...raised, atMs: 9_000 }, true);
    expect(await store.listActions(model)).toEqual([raised, acknowledged]);
    await store.deleteModel(model);
    expect(await store.listActions(model)).toEqual([]);
    await store.saveAction({ ...raised, atMs: 9_000 }, true);
    expect(await store.listActions(model)).toEqual([{ ...raised, atMs: 9_000 }]);
    await store.deleteModel(model);
    if (other !== store) await other.close();
  });

  test('the current ones are those of models, of open episodes, and of those with something held', async () => {
    const { store } = backend;
    const held = action('h:opened', { kind: 'held', episodeId: 'e2', untilMs: null });
    await store.saveAction(held);
    const ids = async () => (await store.currentActions()).map(({ model, id }) => `${model} ${id}`);
    expect(await ids()).toEqual(['m a', 'other x', 'm h:opened']);
    await store.saveEpisode(episode('e1', { model: 'm', modelVersion: '1' }), null);
    expect(await ids()).toEqual(['m a', 'm b', 'other x', 'm h:opened']);
    await store.saveAction({ ...held, id: 'r:opened', kind: 'released' });
    expect(await ids()).toEqual(['m a', 'm b', 'other x']);
  });

  test('the policy that was set last is in force until it is removed, and none is forgotten', async () => {
    const { store } = backend;
    const policy = (model: string, close: number | null): StoredPolicy => ({
      model,
      policy: close === null ? null : { close },
      by: 'ada',
      via: 'local',
      note: 'ü',
      atMs: 5,
    });
    for (const close of [2, 3]) await store.savePolicy(policy('m', close));
    await store.savePolicy(policy('other', 4));
    expect((await store.storedPolicies()).sort((a, b) => (a.model < b.model ? -1 : 1))).toEqual([
      policy('m', 3),
      policy('other', 4),
    ]);
    await store.savePolicy(policy('m', null));
    expect(await store.storedPolicies()).toEqual([policy('other', 4)]);
    expect(await store.policyHistory('m')).toEqual([policy('m', null), policy('m', 3), policy('m', 2)]);
  });

  test('an episode is found by its id, in its own model', async () => {
    const { store } = backend;
    const known = episode('found', { model: 'm', modelVersion: '1' });
    await store.saveEpisode(known);
    expect(await store.findEpisode({ model: 'm', id: 'found' })).toEqual(known);
    expect(await store.findEpisode({ model: 'other', id: 'found' })).toBeNull();
    expect(await store.findEpisode({ model: 'm', id: 'lost' })).toBeNull();
  });
});
