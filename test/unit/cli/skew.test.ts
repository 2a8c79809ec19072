import { describe, expect, it } from '@jest/globals';
import { skewText } from '../../../src/cli/skew.js';
import type { SkewedColumn } from '../../../src/domain/training-skew.js';
import { DAY_MS } from '../../../src/domain/window.js';
import { skewSentence } from '../../../src/views/skew-words.js';
import { verdictOf } from '../../support/outcomes.js';
import { NO_SKEW } from '../../support/version-comparison.js';

const column = (feature: string, status: SkewedColumn['status'], material = false): SkewedColumn => ({
  feature,
  kind: 'numeric',
  status,
  material,
  verdict: status === 'undecided' ? null : verdictOf({ feature, status, material }),
  sentence: `${feature} is so.`,
});
const skew = {
  ...NO_SKEW,
  rows: 500,
  status: 'drifted',
  drifted: 2,
  undecided: 1,
  pieceMs: DAY_MS,
  columns: [
    column('age', 'drifted', true),
    column('plan', 'drifted'),
    column('city', 'undecided'),
    column('x', 'stable'),
  ],
} as const;

describe('plumbline skew', () => {
  it('lists columns, the worst first, with what moved in those that drifted', () => {
    const text = skewText(skew);
    expect(text).toContain(
      '2 of 4 columns differ from training, 1 by enough to matter: age. 1 column undecided.',
    );
    expect(text).toMatch(/age +ks .* drifted\n/);
    expect(text).toMatch(/plan +ks .* drifted, small\n/);
    expect(text).toMatch(/city +– .* undecided\n/);
    expect(text).toContain('age is so.\nplan is so.\n');
    expect(text).not.toContain('x is so.');
    expect(text).toContain('how much the reference’s own days differ'.replace('’', "'"));
    expect(skewText({ ...skew, pieceMs: null })).toContain('Rows are taken as independent');
  });

  it('never calls undecided stable', () => {
    expect(skewSentence(NO_SKEW)).toBe('Undecided: no row of the week is counted yet.');
    expect(skewSentence({ ...NO_SKEW, rows: 9, complete: false })).toBe(
      'Undecided: no column can be told from its reference in this week. The week is not over yet.',
    );
    expect(skewSentence({ ...NO_SKEW, rows: 9, status: 'stable', undecided: 3 })).toBe(
      'No difference is seen between training and the first week in production. 3 columns undecided.',
    );
  });
});
