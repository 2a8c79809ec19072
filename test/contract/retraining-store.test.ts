import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

describe.each(BACKENDS)('retrainings in the %s store', (kind) => {
  let backend: StoreBackend;
  beforeAll(async () => {
    backend = await openBackend(kind);
  });
  afterAll(() => backend.close());

  test('each version that answers an episode is kept once, newest first', async () => {
    const { store } = backend;
    const save = (episodeId: string, modelVersion: string, announcedAtMs: number, model = 'm') =>
      store.saveRetraining({ model, episodeId, modelVersion, announcedAtMs, by: `it's "me" \\ ü` });
    await save('a', '2', 1_000);
    await save('b', '2', 1_000);
    await save('a', '3', 2_500);
    await save('a', '2', 1_000);
    await save('a', '2', 9_000, 'other');
    expect(await store.listRetrainings('m')).toEqual([
      { model: 'm', episodeId: 'a', modelVersion: '3', announcedAtMs: 2_500, by: `it's "me" \\ ü` },
      { model: 'm', episodeId: 'a', modelVersion: '2', announcedAtMs: 1_000, by: `it's "me" \\ ü` },
      { model: 'm', episodeId: 'b', modelVersion: '2', announcedAtMs: 1_000, by: `it's "me" \\ ü` },
    ]);
    expect(await store.listRetrainings('nobody')).toEqual([]);
  });
});
