import { describe, expect, test } from '@jest/globals';
import type { ComparedColumn, ComparedPart } from '../../../src/domain/comparison.js';
import { windowsPicture } from '../../../src/views/comparison-windows.js';
import { verdictOf } from '../../support/outcomes.js';

const DAY_MS = 86_400_000;

function column(name: string, parts: Partial<ComparedColumn> = {}): ComparedColumn {
  return {
    column: name,
    kind: 'numeric',
    status: 'stable',
    material: false,
    primary: null,
    verdicts: [verdictOf({})],
    missing: { reference: 0, current: 0 },
    explanation: '',
    counts: null,
    ...parts,
  };
}
const day = (index: number, ...columns: ComparedColumn[]): ComparedPart => ({
  name: `day ${index}`,
  window: { startMs: index * DAY_MS, endMs: (index + 1) * DAY_MS },
  rows: 10,
  referenceRows: 10,
  columns,
});
const drifted = (name: string, material: boolean) => column(name, { status: 'drifted', material });

describe('picture of compared windows', () => {
  test('has a cell for each column and window, the column that drifted most on top', () => {
    const parts = [
      day(0, column('calm'), drifted('often', false), drifted('much', true)),
      day(
        1,
        column('calm', { status: 'undecided', primary: null, verdicts: [] }),
        drifted('often', false),
        column('much'),
      ),
    ];
    const picture = String(windowsPicture(parts));
    const at = (text: string) => picture.indexOf(`>${text}<`);
    expect(at('much')).toBeGreaterThan(0);
    expect(at('often')).toBeGreaterThan(at('much'));
    expect(at('calm')).toBeGreaterThan(at('often'));
    expect(picture.match(/<rect [^>]*><title>/g)).toHaveLength(6);
    expect(picture).toMatch(/<title>calm · 2 Jan 1970\nundecided/);
  });

  test('is none for windows of rows, for segments, and for no part', () => {
    expect(windowsPicture([{ ...day(0, column('x')), window: null }])).toBeNull();
    expect(windowsPicture([])).toBeNull();
  });
});
