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

test.each([
  // 01:30 comes twice in New York, at 05:30Z and 06:30Z, 02:30 in Berlin, at 00:30Z and 01:30Z: the window lasts until the second
  ['America/New_York', '00:30-01:30', '2026-11-01T04:29:59Z', null],
  ['America/New_York', '00:30-01:30', '2026-11-01T05:45:00Z', '2026-11-01T06:30:00.000Z'],
  ['America/New_York', '00:30-01:30', '2026-11-01T06:15:00Z', '2026-11-01T06:30:00.000Z'],
  ['America/New_York', '00:30-01:30', '2026-11-01T06:30:00Z', null],
  ['Europe/Berlin', '01:00-02:30', '2026-10-25T00:45:00Z', '2026-10-25T01:30:00.000Z'],
  // what begins at the first of two does so once
  ['Europe/Berlin', '02:30-03:30', '2026-10-25T00:30:00Z', '2026-10-25T02:30:00.000Z'],
  ['Europe/Berlin', '02:30-03:30', '2026-10-25T01:15:00Z', '2026-10-25T02:30:00.000Z'],
  // 02:15 to 02:45 never come: the window is as long as ever, an hour later by the clock
  ['America/New_York', '01:30-02:30', '2026-03-08T06:45:00Z', '2026-03-08T07:30:00.000Z'],
  ['America/New_York', '01:30-02:30', '2026-03-08T07:15:00Z', '2026-03-08T07:30:00.000Z'],
  ['Europe/Berlin', '02:15-02:45', '2026-03-29T01:30:00Z', '2026-03-29T01:45:00.000Z'],
  ['Europe/Berlin', '02:15-02:45', '2026-03-29T01:45:00Z', null],
  // over midnight
  ['Europe/Berlin', '22:00-02:30', '2026-10-25T00:45:00Z', '2026-10-25T01:30:00.000Z'],
])(
  'in the night in which clocks are set to another time, %s %s at %s until %s',
  (timeZone, time, at, expected) => {
    expect(until([{ time, timeZone }], at)).toBe(expected);
  },
);

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
