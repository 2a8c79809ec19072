import { describe, expect, test } from '@jest/globals';
import { segmentSection, summariseSegments } from '../../../src/views/segments.js';
import { hour, undecided, verdict } from '../../support/entities.js';

const EU = { column: 'tags.region', value: 'eu' };
const MARKUP = { column: 'carrier', value: '<script>' };
const verdicts = [
  verdict('whole', hour(0)),
  verdict('temp', hour(0), { segment: EU, status: 'stable', material: false, currentRows: 50 }),
  verdict('temp', hour(0), {
    segment: MARKUP,
    currentRows: 20,
    statistic: 0.2,
    effect: { value: 0.2, low: 0, high: 1 },
  }),
  verdict('wind', hour(0), { segment: MARKUP, currentRows: 20 }),
  { ...undecided('visib', hour(0)), segment: MARKUP },
];

describe('segments on the page', () => {
  test('those with drifted columns come first, their worst column first', () => {
    const summaries = summariseSegments(verdicts);
    expect(summaries.map(({ segment, rows, looks }) => [segment.value, rows, looks.material])).toEqual([
      ['<script>', 900, 2],
      ['eu', 50, 0],
    ]);
    expect(summaries[0]?.worst.map(({ feature }) => feature)).toEqual(['wind', 'temp']);
    expect(summaries[0]?.looks).toMatchObject({ material: 2, no_data: 1 });
  });

  test('are a table that takes no markup from values, and nothing without segments', () => {
    const text = String(segmentSection(summariseSegments(verdicts)));
    expect(text).toContain('carrier = &lt;script&gt;');
    expect(text).not.toContain('<script>');
    expect(text).toContain('tags.region = eu');
    expect(text.match(/<tr>/g)).toHaveLength(3);
    expect(segmentSection([])).toBe('');
    expect(summariseSegments([verdict('whole', hour(0))])).toEqual([]);
  });
});
