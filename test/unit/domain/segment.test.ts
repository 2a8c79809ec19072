import { describe, expect, test } from '@jest/globals';
import { segmentId, segmentName, segmentScope, tagOf } from '../../../src/domain/segment.js';

describe('segments', () => {
  test('tags are told from features by their prefix', () => {
    expect(tagOf('tags.region')).toBe('region');
    expect(tagOf('region')).toBeNull();
    expect(tagOf('tags')).toBeNull();
  });

  test('no two share an identity or a scope, whatever their values hold', () => {
    const segments = [
      { column: 'a', value: 'b","c' },
      { column: 'a","b', value: 'c' },
      { column: 'a', value: 'b' },
    ];
    expect(new Set(segments.map(segmentId)).size).toBe(3);
    expect(new Set(segments.map((segment) => segmentScope('production', segment))).size).toBe(3);
    expect(segmentScope('production', undefined)).toBe('production');
    expect(segmentScope('reference:h', { column: 'a', value: 'b' })).toBe('reference:h|["a","b"]');
    expect(segmentName({ column: 'tags.region', value: 'eu' })).toBe('tags.region = eu');
  });
});
