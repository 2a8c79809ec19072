import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mayBeRounded, parseExact, parseJson, roundedText } from '../../../src/domain/json.js';

describe('JSON with its long numbers as text', () => {
  it.each([
    ['{"id":1234567890123456789}', { id: '1234567890123456789' }],
    [
      '[-9007199254740993,9007199254740991, 9007199254740992 ]',
      ['-9007199254740993', 2 ** 53 - 1, '9007199254740992'],
    ],
    ['12345678901234567890', '12345678901234567890'],
    [
      '{"a":0.1234567890123456789,"b":12345678.90123456789e12}',
      { a: 0.12345678901234568, b: Number('12345678901234567890') },
    ],
    [
      '["1234567890123456789","\\"1234567890123456789",1e20]',
      ['1234567890123456789', '"1234567890123456789', 1e20],
    ],
    [
      '{"1234567890123456789":"\\\\","a":1234567890123456789}',
      { '1234567890123456789': '\\', a: '1234567890123456789' },
    ],
  ])('reads %s as %j', (text, value) => {
    expect(parseExact(text)).toEqual(value);
  });

  it('refuses what is no JSON', () => {
    for (const text of ['{1234567890123456789:1}', '[0000000000000000001]', '1234567890123456789-'])
      expect(() => parseExact(text)).toThrow(SyntaxError);
  });

  it('is as JSON.parse has it, whatever is in texts', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), fc.bigInt(10n ** 16n, 10n ** 18n), (value, text, long) => {
        const inner = JSON.stringify([value, text, `${text}${long}"`]);
        expect(parseExact(`[${inner},${long}]`)).toEqual([parseExactly(inner), String(long)]);
      }),
    );
  });
});

/** Numbers of `fc.jsonValue` may be long themselves. */
const parseExactly = (text: string) =>
  JSON.parse(text, (_, value: unknown) =>
    typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER && !String(value).includes('e')
      ? String(value)
      : value,
  );

describe('a long number that was rounded', () => {
  it('is told from one that was not', () => {
    expect(roundedText('1234567890123456789')).toBe('1234567890123456800');
    for (const text of [
      '1234567890123456800',
      '9007199254740991',
      '17',
      'c-1234567890123456789',
      '9'.repeat(400),
    ])
      expect(roundedText(text)).toBeNull();
    expect(mayBeRounded('1234567890123456800')).toBe(true);
    for (const text of ['1.2345678901234568e+21', '1e+21']) expect(mayBeRounded(text)).toBe(true);
    for (const text of ['1234567890123456789', '9007199254740991', 'Infinity', 'no number at all'])
      expect(mayBeRounded(text)).toBe(false);
    expect(parseJson('1234567890123456789')).toBe(Number(roundedText('1234567890123456789')));
  });
});
