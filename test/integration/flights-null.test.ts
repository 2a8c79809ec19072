import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Measurement } from '../../src/detectors/detector.js';
import { mergeProfiles } from '../../src/detectors/merge-profiles.js';
import { COLUMN_DETECTORS } from '../../src/detectors/registry.js';
import type { Profile } from '../../src/domain/profile.js';
import { movingColumns } from '../../src/domain/reference.js';
import { type FlightDay, readFlights } from '../support/flights.js';
import { baselineOf, flagsOf, judgeDay, leaveOneDayOut } from '../support/leave-one-out.js';
import { flightOracle } from '../support/oracle.js';

let flights: Awaited<ReturnType<typeof readFlights>>;
let february: FlightDay[];

beforeAll(async () => {
  flights = await readFlights('examples/flights');
  // The reference runs to 05:00 UTC of 1 March; that piece is not a day.
  february = flights.reference.filter((day) => day.rows > 400);
});

const monthOf = (day: FlightDay) => new Date(day.startMs).getUTCMonth() + 1;
const whole = (days: readonly FlightDay[], feature: string): Profile =>
  mergeProfiles(days.flatMap((day) => day.profiles.filter((p) => p.feature === feature)));

function measure(detector: string, feature: string, month: number): Measurement {
  const grid = flights.grids.find((g) => g.feature === feature);
  const found = COLUMN_DETECTORS.find((d) => d.name === detector);
  if (grid === undefined || found === undefined) throw new RangeError(`no ${detector} on ${feature}`);
  const measured = found.measure({
    grid,
    reference: whole(flights.reference, feature),
    current: whole(
      flights.production.filter((day) => monthOf(day) === month),
      feature,
    ),
  });
  if (typeof measured === 'string')
    throw new RangeError(`${detector} on ${feature} is undecided: ${measured}`);
  return measured;
}

describe('every feature and month against scipy', () => {
  test('KS D is exact with few distinct values, else within the stated resolution', () => {
    const numeric = flightOracle().filter((row) => row.kind === 'numeric');
    expect(numeric).toHaveLength(36);
    for (const { feature, month, d } of numeric) {
      const { statistic, resolution } = measure('ks', feature, month);
      const error = (d ?? Number.NaN) - statistic;
      const grid = flights.grids.find((g) => g.feature === feature);
      const fewDistinct = grid?.kind === 'numeric' && grid.cutPoints.length < 1_000;
      const bound = fewDistinct ? 1e-12 : 1e-12 + (resolution ?? Number.NaN);
      expect({ feature, month, error, ok: error >= -1e-12 && error <= bound }).toMatchObject({ ok: true });
      expect(resolution).toBeLessThanOrEqual(0.0011);
    }
  });

  test('PSI over reference deciles, within 1e-9', () => {
    for (const { feature, month, psi } of flightOracle())
      if (typeof psi === 'number') expect(measure('psi', feature, month).statistic).toBeCloseTo(psi, 9);
  });

  test('χ² of categorical columns, within 1e-8 of it', () => {
    const categorical = flightOracle().filter((row) => row.kind === 'categorical');
    expect(categorical).toHaveLength(12);
    for (const { feature, month, chiSquare = Number.NaN, df } of categorical) {
      const measured = measure('chiSquare', feature, month);
      expect({ feature, month, df: measured.degreesOfFreedom }).toEqual({ feature, month, df });
      expect(Math.abs(measured.statistic - chiSquare)).toBeLessThanOrEqual(1e-8 * chiSquare);
    }
  });
});

describe('the temporal null, out of sample', () => {
  test('leave one day out: at most 5 % of February has any material flag; with independent rows every day has', () => {
    const temporal = leaveOneDayOut(flights.grids, february).filter((day) => day.flags.length > 0);
    expect(february).toHaveLength(28);
    expect(temporal.length / february.length).toBeLessThanOrEqual(0.05);
    // Two thirds of the gusts are missing: a day's values come from few hours.
    expect(temporal).toEqual([{ day: '2013-02-03', flags: ['wind_gust.neyman'] }]);
    const iid = leaveOneDayOut(flights.grids, february, 'iid').filter((day) => day.flags.length > 0);
    expect(iid).toHaveLength(28);
  });

  test('spring shows its weather: temperature on few days of March, two fifths of April, most of May', () => {
    const baseline = baselineOf(flights.grids, flights.reference);
    expect(baseline.nullModel.kind).toBe('temporal');
    const shares = [3, 4, 5].map((month) => {
      const days = flights.production.filter((day) => monthOf(day) === month && day.rows > 100);
      return (
        days.filter((day) => flagsOf(judgeDay(baseline, day)).includes('temp.neyman')).length / days.length
      );
    });
    expect(shares[0]).toBeLessThanOrEqual(0.1);
    expect(shares[1]).toBeGreaterThanOrEqual(0.35);
    // Weather lasts for days: February's 28 days are worth eleven, so that five days of May are not told from them.
    expect(shares[2]).toBeGreaterThanOrEqual(0.8);
  });

  test('a fortnight of production tells a reference without timestamps how days differ', () => {
    const whole = baselineOf(flights.grids, flights.reference);
    const judged = (learned: readonly FlightDay[], days: readonly FlightDay[]) =>
      days.map((day) =>
        flagsOf(judgeDay({ ...whole, nullModel: baselineOf(flights.grids, learned).nullModel }, day)),
      );
    const [first, second] = [february.slice(0, 14), february.slice(14)];
    const flagged = [...judged(first, second), ...judged(second, first)].filter((flags) => flags.length > 0);
    // Two days without the weather of some hours, as the first fortnight had none: news, though no drift of the weather.
    expect(flagged).toHaveLength(2);
    expect(flagged.flat().every((flag) => flag.endsWith('.missing'))).toBe(true);
    // Until then rows would have to pass for independent: not even missing values could be judged so.
    const iid = baselineOf(flights.grids, flights.reference, 'iid');
    const paged = february.filter((day) => flagsOf(judgeDay(iid, day)).some((f) => f.endsWith('.missing')));
    expect(paged.length).toBeGreaterThan(20);
  });

  test('weather lasts from day to day, schedules do not, and February does not move by itself', () => {
    const { nullModel } = baselineOf(flights.grids, flights.reference);
    const lastingOf = (feature: string, detector: string) =>
      nullModel.spreads.find((s) => s.feature === feature && s.detector === detector)?.autocorrelation ?? -1;
    expect(lastingOf('temp', 'ks')).toBeGreaterThan(0.3);
    expect(lastingOf('carrier', 'chiSquare')).toBeLessThan(0.3);
    expect(movingColumns(nullModel)).toEqual([]);
  });

  test('a weekday is not visible in daily windows, and says so', () => {
    const baseline = baselineOf(flights.grids, flights.reference);
    const [day] = flights.production.filter((d) => monthOf(d) === 4);
    if (day === undefined) throw new RangeError('no day in April');
    const weekday = judgeDay(baseline, day).filter(
      (v) => v.feature === 'weekday' && v.detector === 'chiSquare',
    );
    expect(weekday).toMatchObject([{ status: 'undecided', reason: 'not_visible_at_window_length' }]);
  });
});
