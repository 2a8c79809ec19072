import { describe, expect, test } from '@jest/globals';
import type { StoreClient } from '../../../src/store/client.js';
import { createRefusedLabels } from '../../../src/store/refused-labels.js';

/** A table with the labels of these predictions, and a clock. */
function setUp(stored: readonly string[]) {
  const labels = new Set(stored);
  const statements: string[] = [];
  let nowMs = 0;
  let failures = 0;
  const named = (sql: string) => [...labels].filter((id) => sql.includes(`'${id}'`));
  const client = {
    database: 'd',
    query: async (sql: string) => [{ n: named(sql).length }],
    command: async (sql: string) => {
      failures -= 1;
      if (failures >= 0) throw new Error('away');
      statements.push(sql);
      if (sql.startsWith('ALTER TABLE labels DELETE')) for (const id of named(sql)) labels.delete(id);
    },
  };
  return {
    refused: createRefusedLabels(client as unknown as StoreClient, () => nowMs),
    labels,
    statements,
    setNow: (ms: number) => {
      nowMs = ms;
    },
    failOnce: () => {
      failures = 1;
    },
  };
}
const row = (predictionId: string) => ({ model: 'm', predictionId });

describe('labels that were stored before their predictions were refused', () => {
  test('are removed when those that others took are stored, too', async () => {
    const { refused, labels, setNow } = setUp(['late', 'other']);
    refused.add([row('late'), row('without')]);
    expect(await refused.remove()).toBe(0);
    expect([...labels]).toEqual(['late', 'other']);
    setNow(30_000);
    expect(await refused.remove()).toBe(1);
    expect([...labels]).toEqual(['other']);
  });

  test('are looked for once, without a mutation where there are none', async () => {
    const { refused, labels, statements, setNow } = setUp([]);
    refused.add([row('late')]);
    setNow(30_000);
    expect(await refused.remove()).toBe(0);
    labels.add('late');
    expect(await refused.remove()).toBe(0);
    expect(statements).toEqual([]);
  });

  test('are tried again when that failed', async () => {
    const { refused, labels, setNow, failOnce } = setUp(['late']);
    refused.add([row('late')]);
    setNow(30_000);
    failOnce();
    await expect(refused.remove()).rejects.toThrow('cannot be removed');
    expect(await refused.remove()).toBe(1);
    expect(labels.size).toBe(0);
  });
});
