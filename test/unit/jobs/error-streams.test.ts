import { beforeEach, describe, expect, it } from '@jest/globals';
import type {
  ErrorStreamState,
  LabelCursor,
  StreamDetection,
  StreamedError,
} from '../../../src/domain/error-stream.js';
import type { Task } from '../../../src/domain/model.js';
import { createErrorStreams } from '../../../src/jobs/error-streams.js';
import { createRandom } from '../../../src/stats/random.js';
import { createAdwin } from '../../../src/stats/stream/adwin.js';
import { createPageHinkley } from '../../../src/stats/stream/page-hinkley.js';
import { scoredModel } from '../../support/performance-rows.js';
import { createSilentLogger } from '../../support/silent-logger.js';

/** One version's labels and what was saved of them. */
function memoryStore(task: Task, errors: StreamedError[]) {
  const saved = {
    state: null as ErrorStreamState | null,
    detections: new Map<string, StreamDetection>(),
    saves: 0,
    pages: 0,
  };
  let failAt = Infinity;
  return {
    saved,
    /** The n-th save from now on stores its detections, and then the process dies. */
    crashAt: (save: number) => {
      failAt = saved.saves + save;
    },
    store: {
      listModels: async () => [scoredModel('m', task)],
      labelArrivals: async () => [{ model: 'm', modelVersion: '1', labels: errors.length, newest: 1 }],
      nextErrors: async (_key: object, after: LabelCursor | null, { rows }: { rows: number }) => {
        saved.pages += 1;
        const from = after === null ? 0 : after.storedMs;
        const page = errors.slice(from, from + rows);
        return {
          errors: page,
          labels: page.length,
          unmatched: 0,
          cursor: page.length === 0 ? null : { storedMs: from + page.length, labelMs: 0, fingerprint: '0' },
        };
      },
      errorStream: async () => saved.state,
      saveErrorStream: async (
        _key: object,
        state: ErrorStreamState,
        detections: readonly StreamDetection[],
      ) => {
        saved.saves += 1;
        for (const each of detections) saved.detections.set(`${each.position} ${each.detector}`, each);
        if (saved.saves === failAt) throw new Error('the process died');
        saved.state = JSON.parse(JSON.stringify(state)) as ErrorStreamState;
      },
    },
  };
}

function errorsOf(draw: (i: number) => number): StreamedError[] {
  return Array.from({ length: 4_000 }, (_, i) => ({ error: draw(i), labelMs: 1_000 + i }));
}

describe('the stream of errors', () => {
  let counted: string[];
  let random: () => number;
  let nowMs: number;

  beforeEach(() => {
    counted = [];
    random = createRandom(31);
    nowMs = 1_000_000;
  });

  const feeder = (store: ReturnType<typeof memoryStore>['store'], pageRows: number) =>
    createErrorStreams({
      store,
      detected: (_model, detector) => counted.push(detector),
      wallClock: { now: () => nowMs, observe: () => undefined },
      logger: createSilentLogger(),
      pageRows,
    });
  const rising = () => errorsOf((i) => Number(random() < (i < 2_000 ? 0.1 : 0.4)));

  it('is the same in one page, in many, and across crashes and restarts', async () => {
    const errors = rising();
    const whole = memoryStore('binary', errors);
    expect(await feeder(whole.store, 10_000).feed()).toBe(4_000);
    const parted = memoryStore('binary', errors);
    for (const save of [3, 2, 5]) {
      parted.crashAt(save);
      await expect(feeder(parted.store, 130).feed()).rejects.toThrow('the process died');
    }
    await feeder(parted.store, 130).feed();
    expect(parted.saved.state?.detectors).toEqual(whole.saved.state?.detectors);
    expect(parted.saved.state?.position).toBe(4_000);
    expect([...parted.saved.detections.keys()]).toEqual([...whole.saved.detections.keys()]);
    expect(whole.saved.detections.size).toBeGreaterThan(0);
    for (const { position, labelMs } of whole.saved.detections.values()) expect(labelMs).toBe(999 + position);
  });

  it('is what each detector says of it, and nothing is fed twice', async () => {
    const errors = rising();
    const memory = memoryStore('binary', errors);
    const streams = feeder(memory.store, 500);
    await streams.feed();
    expect(await streams.feed()).toBe(0);
    const of = (detector: string) =>
      [...memory.saved.detections.values()]
        .filter((each) => each.detector === detector)
        .map(({ position }) => position);
    const positions = (machine: { update(x: number): boolean }) =>
      errors.flatMap(({ error }, i) => (machine.update(error) ? [i + 1] : []));
    expect(of('adwin')).toEqual(positions(createAdwin()));
    expect(of('pageHinkley')).toEqual(positions(createPageHinkley()));
    expect(of('adwin').some((position) => position > 2_000 && position < 2_400)).toBe(true);
    expect(counted.length).toBe(memory.saved.detections.size);
  });

  it('of a regression has no unit, and no detector of shares', async () => {
    const draws = errorsOf((i) => random() * (i < 2_000 ? 1 : 3));
    const positions: string[][] = [];
    for (const unit of [1, 1_000]) {
      const memory = memoryStore(
        'regression',
        draws.map(({ error, labelMs }) => ({ error: error * unit, labelMs })),
      );
      await feeder(memory.store, 1_000).feed();
      expect(memory.saved.state?.scale).toBeCloseTo(0.5 * unit, -Math.log10(unit) + 1);
      expect(Object.keys(memory.saved.state?.detectors ?? {})).toEqual(['adwin', 'pageHinkley']);
      positions.push([...memory.saved.detections.keys()]);
    }
    expect(positions[0]).toEqual(positions[1]);
    expect(positions[0]?.length).toBeGreaterThan(0);
  });

  it('is not looked at again while no label comes, once all have settled', async () => {
    const errors = rising().slice(0, 10);
    const memory = memoryStore('binary', errors);
    const streams = feeder(memory.store, 500);
    const pagesAt = async (ms: number) => {
      nowMs = 1_000_000 + ms;
      const before = memory.saved.pages;
      await streams.feed();
      return memory.saved.pages - before;
    };
    expect([await pagesAt(0), await pagesAt(5_000), await pagesAt(20_000), await pagesAt(21_000)]).toEqual([
      2, 1, 1, 0,
    ]);
    errors.push({ error: 1, labelMs: 7 });
    expect([
      await pagesAt(22_000),
      await pagesAt(30_000),
      await pagesAt(60_000),
      await pagesAt(61_000),
    ]).toEqual([2, 1, 1, 0]);
    expect(memory.saved.state?.position).toBe(11);
  });

  it('of a regression waits for enough errors to tell their scale', async () => {
    const errors = errorsOf(() => random()).slice(0, 99);
    const memory = memoryStore('regression', errors);
    const streams = feeder(memory.store, 1_000);
    expect(await streams.feed()).toBe(0);
    expect(memory.saved.state).toBeNull();
    errors.push({ error: 0.5, labelMs: 1 });
    expect(await streams.feed()).toBe(100);
    expect(memory.saved.state?.scale).toBeCloseTo(0.5, 1);
  });

  it('without an error yet leaves a regression without a scale', async () => {
    const zeros = Array.from({ length: 60 }, (_, i) => ({ error: 0, labelMs: i }));
    const memory = memoryStore('regression', zeros);
    await feeder(memory.store, 20).feed();
    expect(memory.saved.state).toMatchObject({ position: 60, scale: 0 });
  });
});
