import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../../src/errors.js';
import type { StoreClient } from '../../../src/store/client.js';
import { createWriteHealth } from '../../../src/store/write-health.js';

const MIB = 1024 ** 2;
const full = new AppError('store_unavailable', 'the disk is full', { retryable: true });

/** A store whose inserts end as `state` says. */
function storeThat(state: { fails: Error | null; freeMib?: number }) {
  let probes = 0;
  const insert = async () => {
    if (state.fails !== null) throw state.fails;
  };
  const health = createWriteHealth({
    dataDir: '/data',
    probe: async () => {
      probes += 1;
      await insert();
    },
    freeBytes: async () => (state.freeMib ?? 1_000) * MIB,
  });
  const client = health.watched({ insert, insertBlock: insert } as unknown as StoreClient);
  return { health, client, probes: () => probes };
}

describe('the health of writes', () => {
  test('is asked of nobody while inserts work', async () => {
    const { health, client, probes } = storeThat({ fails: null });
    await client.insertBlock('predictions', [], [], 't');
    await health.assertWritable();
    expect(probes()).toBe(0);
  });

  test('is bad from a failed insert on, until one that is tried, or another one, gets through', async () => {
    const state: { fails: Error | null } = { fails: full };
    const { health, client, probes } = storeThat(state);
    await expect(client.insertBlock('predictions', [], [], 't')).rejects.toBe(full);
    const asked = () => health.assertWritable();
    await expect(Promise.all([asked(), asked()])).rejects.toMatchObject({
      code: 'store_unavailable',
      message: 'the store takes no rows: the disk is full',
    });
    // Questions that come together share one.
    expect(probes()).toBe(1);
    await expect(asked()).rejects.toThrow();
    state.fails = null;
    await asked();
    await asked();
    expect(probes()).toBe(3);

    state.fails = full;
    await expect(client.insert('labels', [])).rejects.toBe(full);
    state.fails = null;
    await client.insert('labels', []);
    await asked();
    expect(probes()).toBe(3);
  });

  test('does not suffer from an insert that no store would take', async () => {
    const bug = new AppError('store_unavailable', 'a wrong column');
    const { health, client } = storeThat({ fails: bug });
    await expect(client.insert('labels', [])).rejects.toBe(bug);
    await health.assertWritable();
  });

  test('is bad before the disk is full, with what to do', async () => {
    const { health } = storeThat({ fails: null, freeMib: 63.9 });
    await expect(health.assertWritable()).rejects.toMatchObject({
      code: 'store_unavailable',
      retryable: true,
      message: expect.stringMatching(/^only 63 MiB are free on the disk of \/data.*free some/),
    });
    await storeThat({ fails: null, freeMib: 64 }).health.assertWritable();
  });
});
