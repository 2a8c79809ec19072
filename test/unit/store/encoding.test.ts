import { describe, expect, test } from '@jest/globals';
import { dateTime64, engineNumber, float64, fromBody, toBody } from '../../../src/store/encoding.js';

describe('documents', () => {
  test('read back equal, with numbers that JSON has no word for', () => {
    const document = {
      statistic: Number.POSITIVE_INFINITY,
      effect: { low: Number.NEGATIVE_INFINITY, high: Number.NaN, value: 0 },
      nested: [[1e-320, null], { text: '$number' }],
    };
    expect(fromBody(toBody(document))).toEqual(document);
  });

  test('keep own keys called __proto__', () => {
    const document = JSON.parse('{"parameters":{"__proto__":1}}');
    expect(Object.entries(fromBody<{ parameters: object }>(toBody(document)).parameters)).toEqual([
      ['__proto__', 1],
    ]);
  });
});

describe('numbers for the engine', () => {
  test('go and come as words where they must', () => {
    const values = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 0.1, 0];
    const sent = JSON.parse(JSON.stringify(values, engineNumber));
    expect(sent).toEqual(['inf', '-inf', 'nan', 0.1, 0]);
    expect(sent.map(float64)).toEqual(values);
    expect(JSON.stringify([2n ** 64n - 1n], engineNumber)).toBe('["18446744073709551615"]');
  });
});

describe('times for the engine', () => {
  test('are UTC text to the millisecond, before 1970 too', () => {
    expect(dateTime64(Date.UTC(2013, 2, 1, 10, 0, 0, 7))).toBe('2013-03-01 10:00:00.007');
    expect(dateTime64(-1)).toBe('1969-12-31 23:59:59.999');
  });

  test('must be whole milliseconds', () => {
    expect(() => dateTime64(0.5)).toThrow(RangeError);
    expect(() => dateTime64(Number.NaN)).toThrow(RangeError);
  });
});
