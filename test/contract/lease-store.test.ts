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
    await until('it has run out', 60_000, async () =>
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

  test('only its owner prolongs it or gives it back, of all that say it is theirs at the same moment', async () => {
    const { store } = backend;
    const lease = { name: 'owned', term: 1, owner: 'a' };
    expect(await store.renewLease(lease, 60_000)).toBe(false);
    expect(await store.findLease('owned')).toBeNull();
    expect(await store.takeLease(lease, 60_000)).toBe(true);
    const tries = stores.flatMap((each) => ['a', 'b', 'c'].map((owner) => ({ each, owner })));
    const got = await Promise.all(
      tries.map(({ each, owner }) => each.renewLease({ ...lease, owner }, owner === 'a' ? 60_000 : 0)),
    );
    expect(got).toEqual(tries.map(({ owner }) => owner === 'a'));
    expect(await store.findLease('owned')).toEqual({ ...lease, expired: false });
    expect(await store.renewLease({ ...lease, owner: 'b' }, 0)).toBe(false);
    expect(await store.findLease('owned')).toEqual({ ...lease, expired: false });
  });
});
