import { describe, expect, it } from '@jest/globals';
import type { RecordDecoders } from '../../../src/collectors/range-buffer.js';
import { createMetrics } from '../../../src/metrics.js';
import { createMemoryLog } from '../../fakes/memory-log.js';
import { EVENT_DECODERS } from '../../support/event-decoders.js';
import { collectorOf, events, FAST } from '../../support/memory-collector.js';
import { createMemoryRowSink } from '../../support/memory-row-sink.js';
import { ascending, range } from '../../support/offsets.js';
import { until } from '../../support/until.js';

describe('kafka collector', () => {
  it('stores every record once, rejects what is none, and commits behind the last', async () => {
    const log = createMemoryLog();
    log.append('p', 0, [...events(50), null, 'nonsense', '{"id":7}', 'x'.repeat(1024 * 1024 + 1)]);
    log.append('l', 0, events(5));
    const sink = createMemoryRowSink();
    const metrics = createMetrics();
    const collector = collectorOf(log.member({ batchSize: 7 }), sink, { metrics });
    collector.start();
    await until(() => log.committed('p', 0)?.offset === 54 && log.committed('l', 0)?.offset === 5);
    await collector.stop();
    expect(ascending(sink.offsets('p', 0))).toEqual(range(54));
    expect(sink.offsets('l', 0)).toEqual(range(5));
    expect(sink.reasons()).toEqual(['unsupported_payload', 'malformed_json', 'missing_field', 'too_large']);
    const counted = (await metrics.kafkaRecords.get()).values.map(({ labels, value }) => [
      labels.topic,
      value,
    ]);
    expect(Object.fromEntries(counted)).toEqual({ p: 54, l: 5 });
    // At most maxRows and one fetch more in one insert.
    expect(Math.max(...sink.batches.map(({ rows }) => rows))).toBeLessThan(FAST.maxRows + 7);
  });

  it('keeps a record whose decoder is broken', async () => {
    const log = createMemoryLog();
    log.append('p', 0, events(3));
    const sink = createMemoryRowSink();
    const decoders: RecordDecoders = {
      ...EVENT_DECODERS,
      read: (kind, value, text, source) => {
        if (source.offset === 1) throw new TypeError('oops');
        return EVENT_DECODERS.read(kind, value, text, source);
      },
    };
    const collector = collectorOf(log.member({ batchSize: 10 }), sink, { decoders });
    collector.start();
    await until(() => log.committed('p', 0)?.offset === 3);
    await collector.stop();
    expect(ascending(sink.offsets('p', 0))).toEqual([0, 1, 2]);
    expect(sink.reasons()).toEqual(['unsupported_payload']);
  });

  it('keeps a record whose quick decoder is broken', async () => {
    const log = createMemoryLog();
    log.append('p', 0, events(4));
    const sink = createMemoryRowSink();
    const decoders: RecordDecoders = {
      ...EVENT_DECODERS,
      quickPrediction: (_value, { offset }) => {
        if (offset === 2) throw new TypeError('oops');
        return null;
      },
    };
    const collector = collectorOf(log.member({ batchSize: 10 }), sink, { decoders });
    collector.start();
    await until(() => log.committed('p', 0)?.offset === 4);
    await collector.stop();
    expect(ascending(sink.offsets('p', 0))).toEqual([0, 1, 2, 3]);
    expect(sink.reasons()).toEqual(['unsupported_payload']);
  });

  it('announces a range before it inserts it', async () => {
    const log = createMemoryLog();
    log.append('p', 0, events(5));
    const sink = createMemoryRowSink();
    const seen: unknown[] = [];
    sink.fault = async (_batch, stored) => {
      if (!stored) seen.push(JSON.parse(log.committed('p', 0)?.metadata ?? 'null'));
    };
    const collector = collectorOf(log.member({ batchSize: 5 }), sink);
    collector.start();
    await until(() => log.committed('p', 0)?.offset === 5);
    await collector.stop();
    expect(seen).toEqual([{ v: 1, epoch: expect.any(String), topic: 'id-of-p', s: 0, e: 4 }]);
  });

  it('waits for a store that is down, says so, and goes on when it is back', async () => {
    const log = createMemoryLog();
    log.append('p', 0, events(500));
    const sink = createMemoryRowSink();
    let down = true;
    sink.fault = async (_batch, stored) => {
      if (down && !stored) throw new Error('connection refused');
    };
    const collector = collectorOf(log.member({ batchSize: 10 }), sink);
    collector.start();
    await until(() => !collector.health().ready);
    expect(collector.health().detail).toBe('kafka: 1 partition(s) wait for the store: connection refused');
    await new Promise((wake) => setTimeout(wake, 50));
    expect(log.committed('p', 0)?.offset).toBe(0);
    expect(sink.offsets('p', 0)).toEqual([]);
    down = false;
    await until(() => log.committed('p', 0)?.offset === 500);
    expect(collector.health().ready).toBe(true);
    await collector.stop();
    expect(sink.offsets('p', 0)).toEqual(range(500));
  });

  it('says what each partition waits for', async () => {
    const log = createMemoryLog();
    log.append('p', 0, events(3));
    log.append('l', 0, events(3));
    const sink = createMemoryRowSink();
    let down = true;
    sink.fault = async (batch) => {
      if (down && batch.labels.length > 0) throw new Error('connection refused');
    };
    const member = log.member({
      batchSize: 10,
      onCommit: async (_done, topic) => {
        if (down && topic === 'p') throw new Error('the coordinator is loading');
      },
    });
    const collector = collectorOf(member, sink);
    collector.start();
    await until(() => collector.health().detail.includes(';'));
    expect(collector.health()).toEqual({
      ready: false,
      detail:
        'kafka: 1 partition(s) wait for the store: connection refused; 1 partition(s) wait for the brokers to take their commit: the coordinator is loading',
    });
    down = false;
    await until(() => log.committed('p', 0)?.offset === 3 && log.committed('l', 0)?.offset === 3);
    expect(collector.health().ready).toBe(true);
    await collector.stop();
  });

  it('lets a store that is down rest, however much comes in meanwhile', async () => {
    const log = createMemoryLog();
    log.append('p', 0, events(400));
    const sink = createMemoryRowSink();
    const metrics = createMetrics();
    let attempts = 0;
    sink.fault = async () => {
      attempts += 1;
      throw new Error('connection refused');
    };
    const collector = collectorOf(log.member({ batchSize: 2 }), sink, {
      metrics,
      limits: { insertRows: 4, maxRows: 200, minBackoffMs: 600_000, maxBackoffMs: 600_000 },
    });
    collector.start();
    const pending = async () => (await metrics.kafkaPending.get()).values[0]?.value ?? 0;
    await until(async () => (await pending()) >= 200);
    expect(collector.health().ready).toBe(false);
    expect(attempts).toBe(1);
    await collector.stop();
  });

  it('holds no more than it may while the store is slow', async () => {
    const log = createMemoryLog();
    log.append('p', 0, events(3_000));
    log.append('p', 1, events(3_000));
    const sink = createMemoryRowSink();
    const metrics = createMetrics();
    let most = 0;
    sink.fault = async () => {
      await new Promise((wake) => setTimeout(wake, 1));
      const [pending] = (await metrics.kafkaPending.get()).values;
      most = Math.max(most, pending?.value ?? 0);
    };
    const collector = collectorOf(log.member({ batchSize: 10 }), sink, { metrics });
    collector.start();
    await until(() => log.committed('p', 0)?.offset === 3_000 && log.committed('p', 1)?.offset === 3_000);
    await collector.stop();
    // Two partitions, one range in flight and one in the making each, one fetch over the limit.
    expect(most).toBeLessThanOrEqual(2 * 2 * (FAST.maxRows + 10));
    expect(most).toBeGreaterThan(FAST.maxRows);
  });

  it.each([0, 1, 150, 700])(
    'stores everything of many partitions that may hold %d bytes together, with a range to repeat among them',
    async (maxTotalBytes) => {
      const log = createMemoryLog();
      const partitions = range(24);
      for (const partition of partitions) log.append('p', partition, events(60));
      const sink = createMemoryRowSink();
      const limits = { maxTotalBytes, insertRows: 1_000, maxRows: 1_000 };
      const first = log.member({ batchSize: 7 });
      let struck = false;
      sink.fault = async (_batch, stored) => {
        if (!stored && sink.batches.length < 9) return;
        struck = true;
        throw new Error('down');
      };
      collectorOf(first, sink, { limits }).start();
      await until(() => struck);
      first.crash();
      sink.fault = async () => {
        await new Promise((wake) => setImmediate(wake));
      };
      const collector = collectorOf(log.member({ batchSize: 5 }), sink, { limits });
      collector.start();
      await until(() => partitions.every((partition) => log.committed('p', partition)?.offset === 60));
      await collector.stop();
      for (const partition of partitions) expect(ascending(sink.offsets('p', partition))).toEqual(range(60));
    },
  );

  it('counts what the log dropped before it was read', async () => {
    const log = createMemoryLog();
    log.append('p', 0, events(30));
    log.dropBefore('p', 0, 12);
    log.reset('p', 0, 5);
    const sink = createMemoryRowSink();
    const metrics = createMetrics();
    const collector = collectorOf(log.member({ batchSize: 10 }), sink, { metrics });
    collector.start();
    await until(() => log.committed('p', 0)?.offset === 30);
    await collector.stop();
    expect((await metrics.kafkaRecordsLost.get()).values).toEqual([{ labels: { topic: 'p' }, value: 7 }]);
    expect(sink.offsets('p', 0)).toEqual(range(30).slice(12));
  });
});
