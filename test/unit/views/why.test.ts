import { describe, expect, test } from '@jest/globals';
import type { DriftReason, WindowExplanation } from '../../../src/domain/explanation.js';
import { whySection } from '../../../src/views/why.js';

const KEY = { model: 'churn', modelVersion: '3' };
const reason = (feature: string, overrides: Partial<DriftReason> = {}): DriftReason => ({
  feature,
  kind: 'numeric',
  detector: 'ks',
  category: 'drift',
  material: true,
  effect: 0.3,
  severity: 3,
  explains: 0.1,
  predictionShift: 0.02,
  shiftClass: null,
  moved: 0.2,
  moves: [],
  sentence: `${feature}: 20 % of values moved.`,
  ...overrides,
});
const explanation = (
  features: DriftReason[],
  overrides: Partial<WindowExplanation> = {},
): WindowExplanation => ({
  rankedBy: 'predictionShift',
  note: null,
  prediction: { column: 'prediction_proba', class: null, reference: 0.2, current: 0.25 },
  features,
  outputs: [],
  ...overrides,
});
const text = (found: WindowExplanation | null, window: { startMs: number; endMs: number } | null = null) =>
  String(whySection(found, { key: KEY, window }));

describe('whySection', () => {
  test('lists reasons in their order with the prediction’s means, and links them to their window', () => {
    const page = text(explanation([reason('temp'), reason('wind', { material: false })]), {
      startMs: 0,
      endMs: 3_600_000,
    });
    expect(page.indexOf('temp')).toBeLessThan(page.indexOf('wind'));
    expect(page).toContain('features/temp?window=');
    expect(page).toContain('first what moves the prediction most');
    expect(page).toContain('The mean prediction_proba went from 0.2 to 0.25.');
    expect(page.match(/too little to matter/g)).toHaveLength(1);
  });

  test('says by what it is ordered where the prediction is not known, and how many are left out', () => {
    const many = Array.from({ length: 11 }, (_, i) => reason(`f${i}`));
    const page = text(
      explanation(many, { rankedBy: 'effect', note: 'ranked by effect: none', prediction: null }),
    );
    expect(page).toContain('by effect');
    expect(page).toContain('ranked by effect: none. 3 more drifted.');
    expect(page).not.toContain('f8');
  });

  test('escapes what the data calls itself', () => {
    const name = '<img src=x>';
    const page = text(explanation([reason(name, { sentence: `${name}: "<b>" +1 point.` })]));
    expect(page).not.toMatch(/<img|<b>/);
  });

  test('is not there without drift', () => {
    expect(text(null)).toBe('');
    expect(text(explanation([]))).toBe('');
  });
});
