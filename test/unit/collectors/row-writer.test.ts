import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createRowWriter } from '../../../src/collectors/row-writer.js';
import type { RowBatch, RowStore } from '../../../src/domain/ports.js';
import { AppError } from '../../../src/errors.js';
import { createLogger } from '../../../src/logger.js';
import { createMetrics } from '../../../src/metrics.js';
import { PLAIN_LISTS, predictionRow, rejectedRow } from '../../support/rows.js';

const batchOf = (token: string, ...ids: readonly string[]): RowBatch => ({
  predictions: ids.map((id) => predictionRow(id)),
  labels: [],
  rejected: [],
  token,
});

/** A store that knows what is new, asks only about the rest, and ends inserts when it is told to. */
function slowStore() {
  const noted = new Set<string>();
  const stored: string[] = [];
  const begun: string[] = [];
  const ends = new Map<string, (failure?: Error) => void>();
  const store: RowStore = {
    ...PLAIN_LISTS,
    findDuplicatePredictions: async (rows, settled) => {
      const suspects = [...rows].filter(({ predictionId }) => noted.has(predictionId));
      for (const { predictionId } of rows) noted.add(predictionId);
      if (suspects.length === 0) return new Set();
      await settled?.();
      return new Set([...rows].flatMap((row, index) => (stored.includes(row.predictionId) ? [index] : [])));
    },
    findDuplicateLabels: async () => new Set(),
    insertRows: (batch) =>
      new Promise((resolve, reject) => {
        begun.push(batch.token);
        ends.set(batch.token, (failure) => {
          if (failure !== undefined) return reject(failure);
          for (const { predictionId } of batch.predictions) stored.push(predictionId);
          resolve();
        });
      }),
  };
  const end = (token: string, failure?: Error) => ends.get(token)?.(failure);
  return { store, stored, begun, end };
}

const FINAL = new AppError('invalid_request', 'planned', { retryable: false });

describe('row writer', () => {
  let slow: ReturnType<typeof slowStore>;
  let metrics: ReturnType<typeof createMetrics>;
  let writer: ReturnType<typeof createRowWriter>;
  const turns = () => sleep(5);

  beforeEach(() => {
    slow = slowStore();
    metrics = createMetrics();
    const clock = { now: () => 0, observe: () => undefined };
    writer = createRowWriter({
      store: slow.store,
      metrics,
      clock,
      logger: createLogger({ level: 'silent' }),
      retryForMs: 0,
    });
  });

  test('begins a second insert during the first, and no third', async () => {
    const writes = ['a', 'b', 'c'].map((id) => writer.write(batchOf(id, id)));
    await turns();
    expect(slow.begun).toEqual(['a', 'b']);
    slow.end('b');
    await turns();
    expect(slow.begun).toEqual(['a', 'b', 'c']);
    slow.end('a');
    slow.end('c');
    for (const result of await Promise.all(writes)) expect(result.predictions.accepted).toBe(1);
  });

  test('has a row that is on its way already wait for it', async () => {
    const first = writer.write(batchOf('first', 'x', 'y'));
    const second = writer.write(batchOf('second', 'y', 'z'));
    await turns();
    expect(slow.begun).toEqual(['first']);
    slow.end('first');
    await first;
    await turns();
    slow.end('second');
    expect(await second).toMatchObject({
      predictions: { received: 2, accepted: 1, duplicate: 1 },
      duplicatePredictions: new Set([0]),
    });
    expect(slow.stored).toEqual(['x', 'y', 'z']);
  });

  test('takes a row again whose insert failed, also while that was under way', async () => {
    const first = writer.write(batchOf('first', 'x'));
    const second = writer.write(batchOf('second', 'x'));
    await turns();
    slow.end('first', FINAL);
    await expect(first).rejects.toBe(FINAL);
    await turns();
    slow.end('second');
    expect((await second).predictions).toMatchObject({ accepted: 1, duplicate: 0 });
    expect(slow.stored).toEqual(['x']);
  });

  test('ends a write only after its own insert, and counts then', async () => {
    let ended = false;
    const rejected = [rejectedRow(), rejectedRow()];
    const write = writer.write({ ...batchOf('a', 'x'), rejected }).then(() => {
      ended = true;
    });
    await turns();
    expect(ended).toBe(false);
    expect(await metrics.registry.metrics()).not.toContain('plumbline_predictions_total{');
    slow.end('a');
    await write;
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/plumbline_rejected_total\{[^}]*\} 2/);
    expect(text).toMatch(/plumbline_prediction_latency_seconds_count\{[^}]*\} 1/);
  });
});
