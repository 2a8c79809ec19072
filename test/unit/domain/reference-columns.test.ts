import { describe, expect, it } from '@jest/globals';
import { columnOfRole, contentOf } from '../../../src/domain/reference-columns.js';

describe('contentOf', () => {
  it.each([
    ['Int64', 'integer'],
    ['Nullable(UInt8)', 'integer'],
    ['Float32', 'decimal'],
    ['Nullable(Decimal(18, 4))', 'decimal'],
    ['BFloat16', 'decimal'],
    ['Bool', 'boolean'],
    ['Nullable(Bool)', 'boolean'],
    ['String', 'text'],
    ['LowCardinality(Nullable(String))', 'text'],
    ["Enum8('a' = 1)", 'text'],
    ['UUID', 'text'],
    ['Date32', 'time'],
    ["Nullable(DateTime64(6, 'UTC'))", 'time'],
    ['Array(Int64)', 'other'],
    ['Map(String, Float64)', 'other'],
    ['Tuple(a Int64)', 'other'],
    ['Nullable(Nothing)', 'other'],
    ['IPv4', 'other'],
  ])('reads %s as %s', (type, content) => {
    expect(contentOf(type)).toBe(content);
  });
});

describe('columnOfRole', () => {
  it('prefers our name to those of other tools, whatever the order of the columns', () => {
    expect(columnOfRole('prediction', new Set(['y_pred', 'x', 'prediction']))).toBe('prediction');
    expect(columnOfRole('prediction', new Set(['y_pred', 'x']))).toBe('y_pred');
    expect(columnOfRole('label', new Set(['x', '__proto__']))).toBeUndefined();
  });
});
