import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KafkaCollector } from '../../../src/collectors/kafka-collector.js';
import type { RecordDecoders } from '../../../src/collectors/range-buffer.js';
import type { RowBatch } from '../../../src/domain/ports.js';
import { createMemoryLog } from '../../fakes/memory-log.js';
import { EVENT_DECODERS } from '../../support/event-decoders.js';
import { collectorOf, event, events } from '../../support/memory-collector.js';
import { createMemoryRowSink } from '../../support/memory-row-sink.js';
import { ascending, range } from '../../support/offsets.js';
import { until } from '../../support/until.js';

describe('kafka collector whose members die', () => {
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
  });
});
