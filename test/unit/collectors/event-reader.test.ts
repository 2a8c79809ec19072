import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createEventReader } from '../../../src/collectors/event-reader.js';
import { keptRow } from '../../../src/domain/row-list.js';
import { number, text, time, value } from '../../support/json-values.js';
import {
  context,
  FEATURES,
  kinds,
  nowMs,
  open,
  ordinary,
  PLAIN,
  quick,
  source,
  write,
} from '../../support/reader-events.js';

describe('the event reader', () => {
  it('reads what is written like an event that it has learnt', () => {
    const other = write({ ...PLAIN, id: '"r2"' }, { ...FEATURES, age: '28.04', plan: 'null', x: '5' });
    expect(quick(write(PLAIN, FEATURES), other)).toEqual(ordinary(other));
    expect(ordinary(other)).toMatchObject({ predictionId: 'r2', numeric: { values: [28.04, 1, 5, -0.5] } });
  });

  it('never makes a row that parsing and decoding do not make, whatever the values', () => {
    const often = (plain: fc.Arbitrary<string>, wild: fc.Arbitrary<string> = value) =>
      fc.oneof({ weight: 12, arbitrary: plain }, { weight: 1, arbitrary: wild });
    const fields = fc.record({
      id: often(fc.constantFrom('"r1"', '"r2"'), text),
      model: often(fc.constant('"churn"')),
      version: often(fc.constant('"3"')),
      time: often(fc.constant(PLAIN.time), fc.oneof(time, value)),
      extra: often(fc.constantFrom('7', 'null', '"x"')),
      prediction: often(fc.constantFrom('1', '"yes"', 'true', '-0')),
      proba: often(fc.constantFrom('0.5', 'null', '1')),
      latency: often(fc.constantFrom('1', 'null', '0')),
      index: often(fc.nat().map(String)),
      tag: often(fc.constantFrom('"eu"', 'null', '5', 'false', '1e3', '0.1'), fc.oneof(number, value)),
    });
    const feature = often(
      fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
        fc.constantFrom('null', 'true', '"a"'),
      ),
    );
    const features = fc.record({ age: feature, plan: feature, flag: feature, x: feature, other: feature });
    let read = 0;
    fc.assert(
      fc.property(fields, features, (values, own) => {
        const event = write(values, own);
        const row = quick(write(PLAIN, FEATURES), event);
        if (row === null) return;
        read += 1;
        expect(row).toEqual(ordinary(event));
      }),
      { numRuns: 3_000 },
    );
    // A reader that reads nothing would pass.
    expect(read).toBeGreaterThan(500);
  });

  it.each([
    ['9007199254740991', '9007199254740991'],
    ['-9007199254740991', '-9007199254740991'],
    ['9007199254740992', null],
    ['-9007199254740993', null],
    ['1234567890123456789', null],
    ['1e300', null],
    ['1e400', null],
    ['"1234567890123456789"', '1234567890123456789'],
  ])('takes a tag of %s as %p, as decoding does: rounded, it would be another one', (sent, stored) => {
    const event = write({ ...PLAIN, tag: sent }, FEATURES);
    expect(quick(write(PLAIN, FEATURES), event)?.tags.values[0] ?? null).toBe(stored);
    expect(ordinary(event)?.tags.values[0] ?? null).toBe(stored);
  });

  it('gives every number the bits that JSON.parse gives it', () => {
    fc.assert(
      fc.property(number, (digits) => {
        const row = quick(write(PLAIN, FEATURES), write(PLAIN, { ...FEATURES, other: digits }));
        let expected: unknown;
        try {
          expected = JSON.parse(digits);
        } catch {
          expected = undefined;
        }
        const found = row === null ? undefined : row.numeric.values.at(-1);
        if (typeof found === 'number' || expected === undefined) expect(found).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
    for (const digits of [
      '-0',
      '1e400',
      '9007199254740993',
      '28.04',
      '0.1',
      '5e-324',
      '1.7976931348623157e308',
    ])
      expect(
        quick(write(PLAIN, FEATURES), write(PLAIN, { ...FEATURES, other: digits }))?.numeric.values.at(-1),
      ).toBe(JSON.parse(digits));
  });

  it('leaves an event alone that is cut, goes on, or has other keys', () => {
    const known = write(PLAIN, FEATURES);
    for (let length = 0; length < known.length; length += 1)
      expect(quick(known, known.slice(0, length))).toBeNull();
    expect(quick(known, `${known}x`)).toBeNull();
    expect(quick(known, write(PLAIN, { ...FEATURES, more: '1' }))).toBeNull();
    expect(quick(known, known.replace('"age"', '"agе"'))).toBeNull();
  });

  it('follows a registration that changes kinds', () => {
    let current = kinds;
    const reader = createEventReader({
      featureKinds: () => current,
      earliestMs: () => 0,
      wallClock: () => nowMs,
      idOf: () => null,
    });
    const event = Buffer.from(write(PLAIN, FEATURES));
    reader.learn(event, 0, event.length);
    expect(reader.read(event, 0, source)?.numeric.names).toContain('age');
    current = new Map([['age', 'categorical']]);
    reader.begin();
    expect(reader.read(event, 0, source)?.categorical).toMatchObject({ names: ['age', 'plan', 'flag'] });
  });

  it('overwrites one row with the next, of other lengths, and leaves nothing behind', () => {
    const reader = open();
    const events = [
      FEATURES,
      { ...FEATURES, age: 'null', plan: 'null' },
      { ...FEATURES, age: '7', x: '3' },
      { ...FEATURES, plan: '"basic"', flag: 'false' },
    ].map((features) => write(PLAIN, features));
    const first = Buffer.from(events[0] as string);
    reader.learn(first, 0, first.length);
    const read = events.map((event) => {
      const row = reader.read(Buffer.from(event), 0, source);
      return row === null ? null : keptRow(row);
    });
    expect(read).toEqual(events.map(ordinary));
  });

  it('asks for kinds and time once between two begins', () => {
    let asked = 0;
    let time = nowMs;
    const reader = createEventReader({
      featureKinds: (model, version) => {
        asked += 1;
        return context.featureKinds(model, version);
      },
      earliestMs: context.earliestMs,
      wallClock: () => time,
      idOf: () => null,
    });
    const event = Buffer.from(write(PLAIN, FEATURES));
    reader.learn(event, 0, event.length);
    const read = () => reader.read(event, 0, source) !== null;
    expect([read(), read()]).toEqual([true, true]);
    expect(asked).toBe(1);
    // The event is of the far future now.
    time = Date.UTC(2025, 0, 1);
    expect(read()).toBe(true);
    reader.begin();
    expect(read()).toBe(false);
    expect(asked).toBe(2);
  });
});
