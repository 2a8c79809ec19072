import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createKafkaCollector, type KafkaCollector } from '../../../src/collectors/kafka-collector.js';
import type { CollectorLimits } from '../../../src/collectors/kafka-partition.js';
import type { LogSource } from '../../../src/collectors/log-source.js';
import type { RecordDecoders } from '../../../src/collectors/range-buffer.js';
import type { RowBatch } from '../../../src/domain/ports.js';
import { createLogger } from '../../../src/logger.js';
import { createMetrics, type Metrics } from '../../../src/metrics.js';
import { createMemoryLog } from '../../fakes/memory-log.js';
import { EVENT_DECODERS } from '../../support/event-decoders.js';
import { createMemoryRowSink, type MemoryRowSink } from '../../support/memory-row-sink.js';

const logger = createLogger({ level: 'silent' });
const event = (id: number) => JSON.stringify({ id: `r${id}` });
const events = (count: number) => Array.from({ length: count }, (_, i) => event(i));
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const ascending = (values: number[]) => [...values].sort((a, b) => a - b);

const FAST: CollectorLimits = {
  insertRows: 20,
  insertBytes: 1_000_000,
  maxRows: 20,
  maxBytes: 1_000_000,
  lingerMs: 2,
  maxTotalBytes: 10_000_000,
  minBackoffMs: 1,
  maxBackoffMs: 4,
};

let epochs = 0;
function collectorOf(
  source: LogSource,
  sink: MemoryRowSink,
  options: {
    metrics?: Metrics;
    limits?: Partial<CollectorLimits>;
    decoders?: RecordDecoders;
    write?: (batch: RowBatch) => Promise<void>;
  } = {},
): KafkaCollector {
  return createKafkaCollector({
    source,
    predictionTopics: ['p'],
    labelTopics: ['l'],
    decoders: options.decoders ?? EVENT_DECODERS,
    write: options.write ?? sink.write,
    newPredictions: () => [],
    audit: sink,
    metrics: options.metrics ?? createMetrics(),
    logger,
    newEpoch: () => {
      epochs += 1;
      return `e${epochs}`;
    },
    limits: { ...FAST, ...options.limits },
  });
}

async function until(holds: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('not in time');
    await new Promise((wake) => setTimeout(wake, 1));
  }
}

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
    while ((await pending()) < 200) await new Promise((wake) => setTimeout(wake, 1));
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

  it.each(['dies', 'stops', 'fails'] as const)(
    'stores every offset once when a member %s with a fetch half decoded',
    async (what) => {
      const log = createMemoryLog();
      log.append('p', 0, events(9_000));
      const sink = createMemoryRowSink();
      const limits = { insertRows: 4_000, maxRows: 8_000 };
      const source = log.member({ batchSize: 2_500 });
      let slices = 0;
      let stopped: Promise<void> | undefined;
      const decoders: RecordDecoders = {
        ...EVENT_DECODERS,
        begin: () => {
          slices += 1;
          if (slices % 5 !== 0) return;
          if (what === 'fails') throw new TypeError('oops');
          if (slices > 5) return;
          if (what === 'dies') source.crash();
          else stopped = first.stop();
        },
      };
      const first = collectorOf(source, sink, { limits, decoders });
      first.start();
      await until(() => slices >= 5);
      await stopped;
      const second =
        what === 'fails' ? first : collectorOf(log.member({ batchSize: 2_000 }), sink, { limits });
      if (second !== first) second.start();
      await until(() => log.committed('p', 0)?.offset === 9_000);
      await second.stop();
      expect(ascending(sink.offsets('p', 0))).toEqual(range(9_000));
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

  it('after a crash leaves alone what was stored, even when it would be judged differently now', async () => {
    const log = createMemoryLog();
    log.append('p', 0, events(10));
    const sink = createMemoryRowSink();
    const first = log.member({ batchSize: 10 });
    // The odd ones are rejected the first time (say, their model was not registered yet), the even ones the second time.
    const picky = (parity: number): RecordDecoders => ({
      ...EVENT_DECODERS,
      read: (kind, value, text, source) => {
        if (source.offset % 2 !== parity) return EVENT_DECODERS.read(kind, value, text, source);
        const row = {
          kind,
          reason: 'unknown_model',
          detail: '',
          model: '',
          payload: text,
          rowIndex: 0,
        } as const;
        return [{ kind: 'rejected', row: { ...row, source } }];
      },
    });
    sink.fault = async (_batch, stored) => {
      if (stored) {
        first.crash();
        throw new Error('the answer never came');
      }
    };
    collectorOf(first, sink, { decoders: picky(1) }).start();
    await until(() => sink.batches.length === 1);
    sink.fault = null;
    const second = collectorOf(log.member({ batchSize: 3 }), sink, { decoders: picky(0) });
    second.start();
    await until(() => log.committed('p', 0)?.offset === 10);
    await second.stop();
    expect(ascending(sink.offsets('p', 0))).toEqual(range(10));
    expect(sink.reasons()).toHaveLength(5);
  });

  it('after a crash stores rows whose token alone was kept', async () => {
    const log = createMemoryLog();
    log.append('p', 0, ['bad', event(1), 'bad', event(3)]);
    const sink = createMemoryRowSink();
    const first = log.member({ batchSize: 10 });
    let killed = false;
    const killedInBetween = async (batch: RowBatch) => {
      sink.spend(batch.token);
      killed = true;
      first.crash();
      throw new Error('killed in the middle');
    };
    collectorOf(first, sink, { write: killedInBetween }).start();
    await until(() => killed);
    const second = collectorOf(log.member({ batchSize: 10 }), sink);
    second.start();
    await until(() => log.committed('p', 0)?.offset === 4);
    await second.stop();
    expect(ascending(sink.offsets('p', 0))).toEqual(range(4));
  });

  it('after a crash repairs a range of which only a part was stored', async () => {
    const log = createMemoryLog();
    log.append('p', 0, ['bad', event(1), 'bad', event(3)]);
    const sink = createMemoryRowSink();
    const first = log.member({ batchSize: 10 });
    const partly = async (batch: RowBatch) => {
      await sink.write({ ...batch, rejected: [] });
      first.crash();
      throw new Error('killed in the middle');
    };
    collectorOf(first, sink, { write: partly }).start();
    await until(() => sink.offsets('p', 0).length === 2);
    const second = collectorOf(log.member({ batchSize: 10 }), sink);
    second.start();
    await until(() => log.committed('p', 0)?.offset === 4);
    await second.stop();
    expect(ascending(sink.offsets('p', 0))).toEqual(range(4));
    // Nothing of the rejected rows was there: the token alone keeps an insert of them that is still on its way out.
    expect(new Set(sink.batches.map(({ token }) => token)).size).toBe(1);
  });

  it("stores a range once when a killed member's insert arrives after its repair", async () => {
    const log = createMemoryLog();
    log.append('p', 0, ['bad', event(1), 'bad', event(3)]);
    const sink = createMemoryRowSink();
    const first = log.member({ batchSize: 10 });
    let arrive: () => void = () => undefined;
    let late = Promise.resolve();
    sink.delay = async (list) => {
      if (list !== 'predictions') return;
      // Its rejected rows are stored, its predictions on the way.
      sink.delay = null;
      first.crash();
      await new Promise<void>((resolve) => {
        arrive = resolve;
      });
    };
    const write = (batch: RowBatch) => {
      late = sink.write(batch);
      return late;
    };
    collectorOf(first, sink, { write }).start();
    await until(() => sink.offsets('p', 0).length === 2);
    const second = collectorOf(log.member({ batchSize: 10 }), sink);
    second.start();
    await until(() => log.committed('p', 0)?.offset === 4);
    arrive();
    await late;
    await second.stop();
    expect(ascending(sink.offsets('p', 0))).toEqual(range(4));
  });

  it.each([
    ['all of them are accepted by now', [event(0), event(1), event(2)], 'after the repair'],
    ['some are rejected still', [event(0), 'bad', event(2)], 'after the repair'],
    ['some are rejected still', [event(0), 'bad', event(2)], 'in the middle of it'],
  ])(
    'stores a range once when late rows of a killed member were rejected: %s, %j, %s',
    async (_, values, when) => {
      const log = createMemoryLog();
      log.append('p', 0, values);
      const sink = createMemoryRowSink();
      const first = log.member({ batchSize: 10 });
      let arrive: () => void = () => undefined;
      let late: Promise<void> | null = null;
      const write = async (batch: RowBatch) => {
        first.crash();
        await new Promise<void>((resolve) => {
          arrive = resolve;
        });
        late = sink.write(batch);
        return late;
      };
      const refusing: RecordDecoders = {
        read: (kind, _value, text, source) => EVENT_DECODERS.read(kind, null, text, source),
      };
      let sent = false;
      collectorOf(first, sink, {
        decoders: refusing,
        write: (batch) => {
          sent = true;
          return write(batch);
        },
      }).start();
      await until(() => sent);
      if (when === 'in the middle of it')
        sink.delay = async () => {
          sink.delay = null;
          arrive();
          await until(() => late !== null);
          await late;
        };
      const second = collectorOf(log.member({ batchSize: 10 }), sink);
      second.start();
      await until(() => log.committed('p', 0)?.offset === 3);
      arrive();
      await until(() => late !== null);
      await late;
      await second.stop();
      expect(ascending(sink.offsets('p', 0))).toEqual(range(3));
    },
  );

  it('stores every offset exactly once whatever fails or dies, with one to three members', async () => {
    /** Where the n-th step of all members fails or kills its member. */
    const faults = fc.array(fc.tuple(fc.nat(60), fc.constantFrom('fail', 'crash')), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        faults,
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 60 })), { minLength: 1, maxLength: 4 }),
        async (plan, memberCount, batchSize, appends) => {
          const pending = new Map(plan);
          const log = createMemoryLog();
          const sink = createMemoryRowSink();
          const sizes = [0, 0, 0];
          for (const [partition, count] of appends) {
            const values = range(count).map((i) => (i % 5 === 0 ? 'bad' : event(i)));
            log.append('p', partition, values);
            sizes[partition] = (sizes[partition] ?? 0) + count;
          }
          let steps = 0;
          const alive = new Set<KafkaCollector>();
          const begin = () => {
            const step = async () => {
              await new Promise((wake) => setImmediate(wake));
              const fault = pending.get(steps);
              steps += 1;
              if (fault === undefined) return;
              // A step of a dead member may still come by.
              if (fault === 'crash' && alive.delete(collector)) {
                source.crash();
                begin();
              }
              throw new Error(fault);
            };
            const source = log.member({ batchSize, onCommit: step });
            const write = async (batch: RowBatch) => {
              await step();
              await sink.write(batch);
              await step();
            };
            const collector = collectorOf(source, sink, { write });
            alive.add(collector);
            collector.start();
          };
          range(memberCount).forEach(begin);
          await until(() => sizes.every((size, p) => size === 0 || log.committed('p', p)?.offset === size));
          await Promise.all([...alive].map((collector) => collector.stop()));
          sizes.forEach((size, partition) => {
            expect(ascending(sink.offsets('p', partition))).toEqual(range(size));
          });
        },
      ),
      { numRuns: 80, seed: 20261124 },
    );
  }, 60_000);
});
