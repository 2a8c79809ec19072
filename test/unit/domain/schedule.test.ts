import { describe, expect, it } from '@jest/globals';
import {
  firingsIn,
  latestFiring,
  periodsBefore,
  timeOfWall,
  type WallTimes,
  wallTime,
} from '../../../src/domain/schedule.js';
import { HOUR_MS } from '../../../src/domain/window.js';

const EVERY = {
  daysOfMonth: Array.from({ length: 31 }, (_, i) => i + 1),
  months: Array.from({ length: 12 }, (_, i) => i + 1),
  daysOfWeek: [0, 1, 2, 3, 4, 5, 6],
  second: 0,
  minute: 0,
};
const daily = (zone: string, hour = 7): WallTimes => ({ ...EVERY, zone, hours: [hour] });
const at = (text: string) => Date.parse(text);
const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
const edges = ({ startMs, endMs }: { startMs: number; endMs: number }) => [iso(startMs), iso(endMs)];

describe('a time on the wall', () => {
  it.each([
    ['UTC', '2026-03-29T01:30:00.500Z', '2026-03-29T01:30:00.500Z'],
    ['Europe/Berlin', '2026-03-29T00:59:59.000Z', '2026-03-29T01:59:59.000Z'],
    ['Europe/Berlin', '2026-03-29T01:00:00.000Z', '2026-03-29T03:00:00.000Z'],
    ['Asia/Kolkata', '2026-01-01T00:00:00.000Z', '2026-01-01T05:30:00.000Z'],
    ['America/New_York', '1969-12-31T23:59:59.999Z', '1969-12-31T18:59:59.999Z'],
  ])('in %s at %s is %s', (zone, ms, shown) => {
    expect(iso(wallTime(zone, at(ms)))).toBe(shown);
  });

  it.each([
    // left out as summer time begins
    ['Europe/Berlin', '2026-03-29T02:30:00.000Z', '2026-03-29T01:30:00.000Z'],
    // shown twice as it ends
    ['Europe/Berlin', '2026-10-25T02:30:00.000Z', '2026-10-25T00:30:00.000Z'],
    ['America/New_York', '2026-11-01T01:15:00.000Z', '2026-11-01T05:15:00.000Z'],
    ['America/New_York', '2026-03-08T02:15:00.000Z', '2026-03-08T07:15:00.000Z'],
    // half an hour of summer time
    ['Australia/Lord_Howe', '2026-10-04T02:15:00.000Z', '2026-10-03T15:45:00.000Z'],
    // a midnight that is left out
    ['Africa/Cairo', '2026-04-24T00:00:00.000Z', '2026-04-23T22:00:00.000Z'],
  ])('in %s that reads %s is at %s', (zone, wall, ms) => {
    expect(iso(timeOfWall(zone, at(wall)))).toBe(ms);
  });

  it('throws for a zone that is none', () => {
    expect(() => wallTime('Mars/Olympus', 0)).toThrow(RangeError);
  });
});

describe('the latest time of a schedule', () => {
  it('is at the same time of the wall the whole year, once each day', () => {
    for (const zone of ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Africa/Cairo'])
      for (const hour of [0, 1, 2, 3, 7]) {
        const times = daily(zone, hour);
        const [from, until] = [timeOfWall(zone, at('2026-01-01')), timeOfWall(zone, at('2027-01-01'))];
        expect([zone, hour, firingsIn(times, from - 1, until - 1, 1_000)]).toEqual([zone, hour, 365]);
      }
  });

  it('counts up to the time itself, and from after a time on', () => {
    const seven = at('2026-06-03T05:00:00Z');
    const times = daily('Europe/Berlin');
    expect(latestFiring(times, seven)).toBe(seven);
    expect(latestFiring(times, seven - 1)).toBe(at('2026-06-02T05:00:00Z'));
    expect(firingsIn(times, seven, seven, 9)).toBe(0);
    expect(firingsIn(times, seven - 1, seven, 9)).toBe(1);
    expect(firingsIn(times, at('2020-01-01'), seven, 9)).toBe(9);
  });

  it('wants a day to match all of its lists', () => {
    const friday13 = { ...daily('UTC'), daysOfMonth: [13], daysOfWeek: [5] };
    expect(iso(latestFiring(friday13, at('2026-11-29')))).toBe('2026-11-13T07:00:00.000Z');
    const leap = { ...daily('UTC'), daysOfMonth: [29], months: [2] };
    expect(iso(latestFiring(leap, at('2028-02-29T06:59:59Z')))).toBe('2024-02-29T07:00:00.000Z');
    expect(latestFiring({ ...daily('UTC'), daysOfMonth: [31], months: [2] }, at('2026-01-01'))).toBeNull();
  });

  it('takes the newest of several hours of a day', () => {
    const shifts = { ...daily('Europe/Berlin'), hours: [6, 14, 22] };
    expect(iso(latestFiring(shifts, at('2026-01-05T20:59:00Z')))).toBe('2026-01-05T13:00:00.000Z');
    expect(iso(latestFiring(shifts, at('2026-01-05T04:59:00Z')))).toBe('2026-01-04T21:00:00.000Z');
  });
});

describe('the last whole period', () => {
  it.each([
    ['day', 'UTC', '2026-03-02T07:00:00Z', '2026-02-28', '2026-03-01', '2026-03-02'],
    ['week', 'UTC', '2026-03-02T00:00:00Z', '2026-02-16', '2026-02-23', '2026-03-02'],
    ['week', 'UTC', '2026-03-01T23:59:59Z', '2026-02-09', '2026-02-16', '2026-02-23'],
    ['month', 'UTC', '2026-03-01T07:00:00Z', '2026-01-01', '2026-02-01', '2026-03-01'],
    // 23 hours, after a day of 24
    [
      'day',
      'Europe/Berlin',
      '2026-03-30T05:00:00Z',
      '2026-03-27T23:00:00Z',
      '2026-03-28T23:00:00Z',
      '2026-03-29T22:00:00Z',
    ],
    // a week of 169 hours
    [
      'week',
      'America/New_York',
      '2026-11-02T12:00:00Z',
      '2026-10-19T04:00:00Z',
      '2026-10-26T04:00:00Z',
      '2026-11-02T05:00:00Z',
    ],
    // half an hour off: whole hours of UTC
    [
      'day',
      'Asia/Kolkata',
      '2026-01-03T01:30:00Z',
      '2025-12-31T18:00:00Z',
      '2026-01-01T18:00:00Z',
      '2026-01-02T18:00:00Z',
    ],
  ] as const)('%s in %s before %s', (length, zone, now, first, second, third) => {
    const { period, previous } = periodsBefore(length, zone, at(now));
    expect([...edges(previous), ...edges(period)]).toEqual(
      [first, second, second, third].map((text) => iso(at(text))),
    );
  });

  it('of hours ends with the last whole hour', () => {
    const { period, previous } = periodsBefore(12 * HOUR_MS, 'Europe/Berlin', at('2026-01-05T13:20:00Z'));
    expect([...edges(previous), ...edges(period)]).toEqual([
      '2026-01-04T13:00:00.000Z',
      '2026-01-05T01:00:00.000Z',
      '2026-01-05T01:00:00.000Z',
      '2026-01-05T13:00:00.000Z',
    ]);
  });
});
