import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

describe.each(BACKENDS)('marks of episodes in the %s store', (kind) => {
  let backend: StoreBackend;
  beforeAll(async () => {
    backend = await openBackend(kind);
  });
  afterAll(() => backend.close());

  test('the last mark of an episode stands, newest first, until it is taken back', async () => {
    const { store } = backend;
    const mark = (episodeId: string, value: 'true' | 'false' | null, atMs: number, model = 'm') =>
      store.saveMark({ model, episodeId, mark: value, note: `it's "${value}" \\ ü`, atMs });
    await mark('a', 'true', 1_000);
    await mark('b', 'true', 2_000);
    await mark('a', 'false', 3_000);
    await mark('x', 'true', 3_000, 'other');
    expect(await store.listMarks('m')).toEqual([
      { model: 'm', episodeId: 'a', mark: 'false', note: `it's "false" \\ ü`, atMs: 3_000 },
      { model: 'm', episodeId: 'b', mark: 'true', note: `it's "true" \\ ü`, atMs: 2_000 },
    ]);
    await mark('a', null, 4_000);
    expect((await store.listMarks('m')).map(({ episodeId }) => episodeId)).toEqual(['b']);
    expect(await store.listMarks('nobody')).toEqual([]);
  });
});
