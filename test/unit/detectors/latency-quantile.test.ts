import { describe, expect, it } from '@jest/globals';
import { judgeWindow } from '../../../src/detectors/judge-window.js';
import { latencyP50 } from '../../../src/detectors/latency-p50.js';
import { latencyP95 } from '../../../src/detectors/latency-p95.js';
import { latencyP99 } from '../../../src/detectors/latency-p99.js';
import { LATENCY, type ModelVersion } from '../../../src/domain/model.js';
import { latencyGrid } from '../../../src/domain/profile.js';
import type { Verdict } from '../../../src/domain/verdict.js';
import { createRandom } from '../../../src/stats/random.js';
import { proportionPValue } from '../../../src/stats/two-proportion.js';
import { profileOf } from '../../support/count-profiles.js';
import { IID, modelOf, referenceOf, WINDOW } from '../../support/judge-fixture.js';

const grid = latencyGrid(LATENCY);

/** Lognormal latencies around 20 ms; of a `slow` share ten times as long. */
function latencies(rows: number, seed: number, { scale = 1, slow = 0 } = {}): number[] {
  const random = createRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from(
    { length: rows },
    () => 20 * Math.exp(0.5 * normal()) * scale * (random() < slow ? 10 : 1),
  );
}

function measured(
  detector: ReturnType<typeof latencyP95>,
  reference: readonly number[],
  current: readonly number[],
) {
  const found = detector.measure({
    grid,
    reference: profileOf(grid, reference),
    current: profileOf(grid, current),
  });
  if (typeof found === 'string') throw new RangeError(`undecided: ${found}`);
  return found;
}

const quantileOf = (values: readonly number[], q: number) =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * q) - 1] ?? Number.NaN;

describe('the latency grid', () => {
  it('has a thousand cut points from a microsecond to an hour, 2.2 % apart', () => {
    const { cutPoints } = grid as { cutPoints: readonly number[] };
    expect([cutPoints.length, cutPoints[0], cutPoints.at(-1)]).toEqual([1_000, 1e-3, 3.6e6]);
    for (let i = 1; i < cutPoints.length; i++)
      expect((cutPoints[i] ?? 0) / (cutPoints[i - 1] ?? 1)).toBeCloseTo(1.0223, 3);
  });
});

describe('latency quantiles', () => {
  const reference = latencies(20_000, 1);

  it.each([
    [latencyP50(), 0.5],
    [latencyP95(), 0.95],
    [latencyP99(), 0.99],
  ])('%# read the quantile within a cell, and compare shares beyond it', (detector, q) => {
    const current = latencies(2_000, 2, { scale: 1.5 });
    const found = measured(detector, reference, current);
    const exact = quantileOf(current, q) / quantileOf(reference, q) - 1;
    const { value, low, high } = found.effectWithInterval(1);
    expect(Math.abs(value - exact)).toBeLessThan(0.04);
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
    const cut = found.parameters.referenceMs as number;
    const above = (values: readonly number[]) => values.filter((x) => x > cut).length;
    expect(found.statistic).toBeCloseTo(above(current) / 2_000 - above(reference) / 20_000, 12);
    expect(found.iidPValueOf(found.statistic)).toBe(
      proportionPValue({ hits: above(current), rows: 2_000 }, { hits: above(reference), rows: 20_000 }),
    );
  });

  it('see a tail that grows where the middle stays', () => {
    const current = latencies(3_000, 3, { slow: 0.03 });
    const [median, tail] = [latencyP50(), latencyP99()].map((detector) =>
      measured(detector, reference, current),
    );
    expect(Math.abs(median?.effectWithInterval(1).value ?? 1)).toBeLessThan(0.1);
    expect(tail?.effectWithInterval(1).value).toBeGreaterThan(0.5);
    expect(tail?.iidPValueOf(tail.statistic)).toBeLessThan(1e-6);
  });

  it('keep their level without drift', () => {
    let hits = 0;
    const fresh = 300;
    for (let seed = 0; seed < fresh; seed++) {
      const found = measured(latencyP95(), latencies(2_000, 1_000 + seed), latencies(400, 5_000 + seed));
      if (found.iidPValueOf(found.statistic) <= 0.05) hits += 1;
    }
    // Three standard errors over 300 repetitions are 0.038.
    expect(hits / fresh).toBeLessThan(0.088);
  });

  it('tell the smallest change of scale that would show', () => {
    const found = measured(latencyP95(), reference, latencies(1_000, 4));
    // A scale of 1.5 moves this share of a lognormal with σ 0.5 beyond its 95th percentile.
    const random = latencies(200_000, 5, { scale: 1.5 });
    const cut = quantileOf(reference, 0.95);
    const share = random.filter((x) => x > cut).length / 200_000 - 0.05;
    expect(Math.abs(found.effectOf(share) - 0.5)).toBeLessThan(0.05);
  });

  it('say why they cannot', () => {
    const of = (before: readonly number[], now: readonly number[]) =>
      latencyP99().measure({ grid, reference: profileOf(grid, before), current: profileOf(grid, now) });
    expect(of([], [1, 2])).toBe('no_reference');
    expect(of(reference, [])).toBe('no_data');
    expect(of(reference, [1])).toBe('too_few_rows');
    expect(of(reference.slice(0, 50), [1, 2])).toBe('too_few_rows');
  });
});

describe('the column latency_ms', () => {
  const base = modelOf({ x: 'numeric' });
  const model: ModelVersion = { ...base, schema: { ...base.schema, latency: true } };
  const judged = (reference: readonly number[], current: readonly number[]): Verdict[] =>
    judgeWindow({
      model,
      window: WINDOW,
      reference: referenceOf(reference.length, IID),
      grids: [grid],
      referenceProfiles: reference.length === 0 ? [] : [profileOf(grid, reference)],
      currentProfiles: [profileOf(grid, current)],
      level: 0.05,
    }).verdicts.filter((verdict) => verdict.feature === LATENCY);

  it('is judged by its quantiles alone, and alarms by the 95th percentile', () => {
    const verdicts = judged(latencies(5_000, 1), latencies(1_000, 2, { scale: 2 }));
    expect(
      verdicts.map(({ detector, role, status, material }) => [detector, role, status, material]),
    ).toEqual([
      ['latencyP50', 'descriptive', 'drifted', true],
      ['latencyP95', 'primary', 'drifted', true],
      ['latencyP99', 'descriptive', 'drifted', true],
    ]);
    expect(verdicts.every(({ category }) => category === 'service')).toBe(true);
  });

  it('has no verdict before there is something to compare with', () => {
    const verdicts = judged([], latencies(100, 2));
    expect(verdicts.map(({ status, reason }) => [status, reason])).toEqual(
      [1, 2, 3].map(() => ['undecided', 'no_reference']),
    );
  });
});
