import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ADWIN, type AdwinState, createAdwin } from '../../../../src/stats/stream/adwin.js';
import { createDdm, DDM, type DdmState } from '../../../../src/stats/stream/ddm.js';
import {
  createPageHinkley,
  PAGE_HINKLEY,
  type PageHinkleyState,
} from '../../../../src/stats/stream/page-hinkley.js';
import type { StreamDetector } from '../../../../src/stats/stream/stream-detector.js';

interface Oracle {
  readonly streams: Record<string, number[]>;
  readonly cases: readonly {
    readonly stream: string;
    readonly detector: string;
    readonly detections: number[];
    readonly inner: number[][];
  }[];
}

const oracle = JSON.parse(readFileSync('test/oracle/stream.json', 'utf8')) as Oracle;

interface Watched {
  readonly create: (from?: unknown) => StreamDetector<unknown>;
  /** The figures that the oracle has every 250 updates. */
  readonly inner: (state: never) => number[];
}

const pageHinkley = (mode: 'up' | 'down' | 'both'): Watched => ({
  create: (from) => createPageHinkley({ ...PAGE_HINKLEY, mode }, from as PageHinkleyState | undefined),
  inner: (state: PageHinkleyState) => [state.mean, state.sumIncrease, state.sumDecrease],
});
const adwin = (options = ADWIN): Watched => ({
  create: (from) => createAdwin(options, from as AdwinState | undefined),
  inner: (state: AdwinState) => [state.width, state.total, state.variance],
});
const DETECTORS: Record<string, Watched> = {
  adwin: adwin(),
  'adwin, careless': adwin({ ...ADWIN, delta: 0.05, clock: 1 }),
  pageHinkley: pageHinkley('up'),
  'pageHinkley, both': pageHinkley('both'),
  'pageHinkley, down': pageHinkley('down'),
  ddm: {
    create: (from) => createDdm(DDM, from as DdmState | undefined),
    inner: (state: DdmState) => [state.n, state.p],
  },
};

function watchedOf(name: string): Watched {
  const found = DETECTORS[name];
  if (found === undefined) throw new Error(`no detector ${name}`);
  return found;
}

describe('against river, update by update', () => {
  it.each(oracle.cases)('$detector: $stream', ({ stream, detector: name, detections, inner }) => {
    const { create, inner: figuresOf } = watchedOf(name);
    const detector = create();
    const found: number[] = [];
    const figures: number[][] = [];
    for (const [i, x] of (oracle.streams[stream] ?? []).entries()) {
      if (detector.update(x)) found.push(i);
      if (i % 250 === 249) figures.push(figuresOf(detector.state() as never));
    }
    expect(found).toEqual(detections);
    expect(figures.length).toBe(inner.length);
    for (const [at, expected] of inner.entries())
      for (const [k, value] of expected.entries())
        expect(Math.abs((figures[at]?.[k] ?? Number.NaN) - value)).toBeLessThanOrEqual(
          1e-9 * Math.max(1, Math.abs(value)),
        );
  });

  it('has detections of every kind to agree on', () => {
    for (const name of Object.keys(DETECTORS)) {
      const of = oracle.cases.filter(({ detector }) => detector === name);
      expect(of.some(({ detections }) => detections.length > 0)).toBe(true);
      expect(of.some(({ detections }) => detections.length === 0)).toBe(true);
    }
  });
});

describe('the state', () => {
  it('as JSON goes on as if nothing had happened, wherever it was taken', () => {
    const { streams } = oracle;
    const stream = streams['errors rise and fall'] ?? [];
    for (const { create } of Object.values(DETECTORS))
      fc.assert(
        fc.property(fc.array(fc.nat({ max: stream.length }), { maxLength: 4 }), (cuts) => {
          const whole = create();
          let parted = create();
          const differences = stream.filter((x, i) => {
            if (cuts.includes(i)) parted = create(JSON.parse(JSON.stringify(parted.state())));
            return parted.update(x) !== whole.update(x);
          });
          expect(differences).toEqual([]);
          expect(parted.state()).toEqual(whole.state());
        }),
        { numRuns: 5 },
      );
  });

  it('is not changed by later updates', () => {
    for (const { create } of Object.values(DETECTORS)) {
      const detector = create();
      for (let i = 0; i < 100; i++) detector.update(i % 2);
      const state = detector.state();
      const before = JSON.stringify(state);
      for (let i = 0; i < 100; i++) detector.update(1);
      expect(JSON.stringify(state)).toBe(before);
    }
  });

  it('of ADWIN grows with the logarithm of what it has seen', () => {
    const detector = createAdwin();
    for (let i = 0; i < 100_000; i++) detector.update(Number(i % 7 === 0));
    const { rows, width } = detector.state();
    expect(width).toBe(100_000);
    expect(rows.reduce((sum, { totals }) => sum + totals.length, 0)).toBeLessThan(6 * 17);
  });
});

describe('bad input', () => {
  it('is refused, and leaves the state as it was', () => {
    for (const { create } of Object.values(DETECTORS)) {
      const detector = create();
      detector.update(1);
      const before = JSON.stringify(detector.state());
      for (const x of [Number.NaN, Infinity, -Infinity]) expect(() => detector.update(x)).toThrow(RangeError);
      expect(JSON.stringify(detector.state())).toBe(before);
    }
  });

  it('of DDM is anything but 0 and 1', () => {
    expect(() => createDdm().update(0.5)).toThrow('DDM takes errors of 0 and 1, got 0.5');
  });
});
