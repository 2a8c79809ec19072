import { expect, test } from '@jest/globals';
import { parsePolicy } from '../../../src/config.js';
import { isTimeZone, maintenanceAt } from '../../../src/domain/maintenance.js';

/** When a time lies in maintenance, until when. */
function until(maintenance: readonly object[], at: string): string | null {
  const found = maintenanceAt(parsePolicy({ maintenance }).maintenance, Date.parse(at));
  return found === null ? null : new Date(found.untilMs).toISOString();
}

test.each([
  ['2026-03-02T21:59:00Z', null],
  ['2026-03-02T22:00:00Z', '2026-03-03T06:00:00.000Z'],
  ['2026-03-03T05:59:59Z', '2026-03-03T06:00:00.000Z'],
  ['2026-03-03T06:00:00Z', null],
  // that of Sunday night does not begin
  ['2026-03-01T23:00:00Z', null],
])('a night from Monday on, at %s until %s', (at, expected) => {
  expect(until([{ weekdays: ['mon'], time: '22:00-06:00' }], at)).toBe(expected);
});

test.each([
  // winter, and summer: 02:00–04:00 in Berlin
  ['2026-01-10T01:30:00Z', '2026-01-10T03:00:00.000Z'],
  ['2026-07-11T00:30:00Z', '2026-07-11T02:00:00.000Z'],
  ['2026-07-11T02:00:00Z', null],
  // the night in which clocks go on from 02:00 to 03:00, and that in which they go back
  ['2026-03-29T01:30:00Z', '2026-03-29T02:00:00.000Z'],
  ['2026-10-25T00:30:00Z', '2026-10-25T03:00:00.000Z'],
  ['2026-10-25T02:59:00Z', '2026-10-25T03:00:00.000Z'],
])('by the clock of a time zone, at %s until %s', (at, expected) => {
  expect(until([{ time: '02:00-04:00', timeZone: 'Europe/Berlin' }], at)).toBe(expected);
});

test('weekends are one window, and so are times that follow one another', () => {
  const weekend = [{ weekdays: ['sat', 'sun'], time: '00:00-24:00', timeZone: 'America/New_York' }];
  expect(until(weekend, '2026-03-07T05:00:00Z')).toBe('2026-03-09T04:00:00.000Z');
  expect(until(weekend, '2026-03-07T04:59:00Z')).toBeNull();
  const move = { name: 'move', from: '2026-03-09T03:00:00Z', to: '2026-03-09T12:00:00+01:00' };
  expect(until([...weekend, move], '2026-03-08T00:00:00Z')).toBe('2026-03-09T11:00:00.000Z');
});

test('a day that is maintenance from end to end, every day, ends somewhere', () => {
  const end = until([{ time: '00:00-00:00' }], '2026-03-02T12:00:00Z');
  expect(Date.parse(end ?? '')).toBeGreaterThan(Date.parse('2026-03-10T00:00:00Z'));
});

test('the name is that of the window that holds the time', () => {
  const { maintenance } = parsePolicy({
    maintenance: [
      { name: 'night', time: '00:00-01:00' },
      { name: 'move', from: '2026-01-01T00:30:00Z', to: '2026-01-02T00:00:00Z' },
    ],
  });
  expect(maintenanceAt(maintenance, Date.parse('2026-01-01T00:10:00Z'))?.name).toBe('night');
  expect(maintenanceAt(maintenance, Date.parse('2026-01-01T02:00:00Z'))?.name).toBe('move');
  expect(maintenanceAt([], 0)).toBeNull();
});

test('knows IANA names', () => {
  expect(isTimeZone('Asia/Kathmandu')).toBe(true);
  expect(isTimeZone('Berlin')).toBe(false);
});
