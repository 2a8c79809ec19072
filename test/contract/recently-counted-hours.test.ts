import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { VersionKey } from '../../src/domain/ports.js';
import { HOUR_MS } from '../../src/domain/window.js';
import { createStoreClient, type StoreClient } from '../../src/store/client.js';
import { BACKENDS, openBackend, type StoreBackend } from '../support/store-backends.js';

const MINUTE_US = 60_000_000;
/** Each version's windows were last judged now, µs. */
const NOW_US = Date.UTC(2026, 0, 1) * 1_000;

describe.each(BACKENDS)('hours that windows may not know, %s', (kind) => {
  let backend: StoreBackend;
  let client: StoreClient;
  beforeAll(async () => {
    backend = await openBackend(kind);
    client = await createStoreClient(backend.location);
  });
  afterAll(async () => {
    await client.close();
    await backend.close();
  });

  const counted = (key: VersionKey, hour: number, revision: number) =>
    client.insert('profiled_hours', [
      { model: key.model, version: key.modelVersion, hour, raw_rows: 1, rows: 1, revision },
    ]);
  const judged = (key: VersionKey, endHour: number, revision: number) =>
    client.insert('runs', [
      {
        model: key.model,
        version: key.modelVersion,
        window_start: (endHour - 24) * 3_600,
        window_end: endHour * 3_600,
        status: 'judged',
        rows: 1,
        revision,
      },
    ]);

  it('are those counted within an hour before the newest judgement, or later, of each version by itself', async () => {
    const one = { model: 'm', modelVersion: '1' };
    const two = { model: 'm', modelVersion: '2' };
    const fresh = { model: 'm', modelVersion: '3' };
    await judged(one, 48, NOW_US - 600 * MINUTE_US);
    await judged(one, 24, NOW_US);
    await judged(two, 24, NOW_US - 300 * MINUTE_US);
    for (const key of [one, two, fresh]) {
      await counted(key, 10, NOW_US - 200 * MINUTE_US);
      await counted(key, 12, NOW_US - 61 * MINUTE_US);
      await counted(key, 11, NOW_US - 59 * MINUTE_US);
      await counted(key, 9, NOW_US + 1);
      await counted(key, 8, NOW_US - 400 * MINUTE_US);
      // Counted again: the newest time is the one that matters.
      await counted(key, 8, NOW_US - 30 * MINUTE_US);
      await counted(key, 7, NOW_US - 400 * MINUTE_US);
    }
    const found = await Promise.all([one, two, fresh].map((key) => backend.store.recentlyCountedHours(key)));
    expect(found.map((hours) => hours.map((ms) => ms / HOUR_MS))).toEqual([
      [8, 9, 11],
      [8, 9, 10, 11, 12],
      // Without a judgement nothing is late.
      [],
    ]);
  });
});
