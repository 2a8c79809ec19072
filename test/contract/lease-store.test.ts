import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createStore } from '../../src/store/store.js';
import { until } from '../support/service-process.js';
import {
  BACKENDS,
  openBackend,
  SILENT,
  type StoreBackend,
  type TestStore,
} from '../support/store-backends.js';

describe.each(BACKENDS)('leases in the %s store', (kind) => {
  let backend: StoreBackend;
  const stores: TestStore[] = [];

  beforeAll(async () => {
    backend = await openBackend(kind);
    stores.push(backend.store);
    // Only a server has other processes.
    if (kind === 'http')
      for (let i = 0; i < 3; i++) stores.push(await createStore({ ...backend.location, logger: SILENT }));
  });
  afterAll(async () => {
    for (const store of stores.slice(1)) await store.close();
    await backend.close();
  });

  test('a term belongs to one of all that try to begin it, at the same moment too', async () => {
    for (let term = 1; term <= 5; term++) {
      const tries = stores.flatMap((store, i) =>
        ['a', 'b', 'c'].map((letter) => ({ store, owner: `${letter}${i}` })),
      );
      const got = await Promise.all(
        tries.map(({ store, owner }) => store.takeLease({ name: 'race', term, owner }, 60_000)),
      );
      expect(got.filter((each) => each)).toHaveLength(1);
      const winner = tries[got.indexOf(true)]?.owner;
      expect(await backend.store.findLease('race')).toEqual({
        name: 'race',
        term,
        owner: winner,
        expired: false,
      });
    }
  });

  test('it runs out by the clock of the store, can be prolonged, and given back', async () => {
    const { store } = backend;
    const lease = { name: 'clock', term: 1, owner: 'a' };
    expect(await store.findLease('clock')).toBeNull();
    expect(await store.takeLease(lease, 1)).toBe(true);
    await until('it has run out', 10_000, async () =>
      (await store.findLease('clock'))?.expired === true ? true : null,
    );
    expect(await store.renewLease(lease, 60_000)).toBe(true);
    expect(await store.findLease('clock')).toMatchObject({ term: 1, owner: 'a', expired: false });
    expect(await store.renewLease(lease, 0)).toBe(true);
    expect(await store.findLease('clock')).toMatchObject({ term: 1, expired: true });
  });

  test('a later term ends it, whatever its owner does', async () => {
    const { store } = backend;
    const [first, second] = [1, 2].map((term) => ({ name: 'fence', term, owner: `owner${term}` }));
    if (first === undefined || second === undefined) throw new TypeError('two leases');
    expect(await store.takeLease(first, 60_000)).toBe(true);
    expect(await store.takeLease(second, 60_000)).toBe(true);
    expect(await store.renewLease(first, 600_000)).toBe(false);
    expect(await store.takeLease(first, 60_000)).toBe(false);
    expect(await store.findLease('fence')).toMatchObject({ term: 2, owner: 'owner2' });
  });
});
