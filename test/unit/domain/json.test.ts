import { describe, expect, test } from '@jest/globals';
import { MAX_NESTING, NestedTooDeep, parseJson } from '../../../src/domain/json.js';

const nested = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;

describe('JSON of strangers', () => {
  test('is taken up to a depth that everything can go through', () => {
    expect(JSON.stringify(parseJson(nested(MAX_NESTING)))).toBe(nested(MAX_NESTING));
    expect(() => parseJson(nested(MAX_NESTING + 2))).toThrow(NestedTooDeep);
    expect(() => parseJson(nested(200_000))).toThrow(NestedTooDeep);
  });

  test('may have brackets without end beside each other, and in texts', () => {
    const wide = JSON.stringify(Array.from({ length: 5_000 }, () => [{}]));
    const quoted = JSON.stringify({ '{{[': `"\\"${'[{'.repeat(5_000)}`, 'a\\': ['['.repeat(5_000), '\\'] });
    for (const text of [wide, quoted]) expect(JSON.stringify(parseJson(text))).toBe(text);
  });

  test('that is none is told by the engine', () => {
    expect(() => parseJson('['.repeat(5_000))).toThrow(SyntaxError);
  });
});
