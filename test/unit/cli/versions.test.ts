import { describe, expect, it } from '@jest/globals';
import { versionsText } from '../../../src/cli/versions.js';
import { canarySentence } from '../../../src/views/version-words.js';
import { comparisonOf, differenceOf } from '../../support/version-comparison.js';

/** Numbers and units are kept on one line. */
const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, ' ');

describe('plumbline versions compare', () => {
  it('says the verdict, each figure, each stretch of time, agreement and latencies', () => {
    const text = plain(versionsText(comparisonOf()));
    for (const part of [
      'churn: version 4 beside version 3',
      'Version 4 is better than version 3.',
      'ROC AUC',
      '0.012 to 0.048',
      '2026-03-05T00',
      'Requests that both answered: 10,000 (9,800 labelled)',
      'Same class: 90 % (kappa 0.7).',
      'Latency of version 3: p50 12 ms, p95 40 ms, p99 90 ms.',
      'Latency of version 4: none was sent.',
    ])
      expect(text).toContain(part);
  });

  it('has no tables before labels have come', () => {
    const text = versionsText(
      comparisonOf({ figures: {}, figure: null, periods: [], verdict: 'undecided', reason: 'no_labels' }),
    );
    expect(text).not.toContain('champion  challenger');
  });
});

describe('the sentence of a comparison', () => {
  it('says which version is better, by what, and from which rows', () => {
    expect(plain(canarySentence(comparisonOf()))).toBe(
      'Version 4 is better than version 3: ROC AUC 0.74 against 0.71, a difference of 0.03 (0.012 to 0.048 at 95 %, however often one looks), from 9,800 requests that both answered.',
    );
  });

  it('says what is missing to tell', () => {
    const undecided = (reason: 'interval_too_wide' | 'labels_immature', atMost: number | null) =>
      canarySentence(
        comparisonOf({
          verdict: 'undecided',
          reason,
          paired: false,
          figures: {
            rocAuc: differenceOf({
              verdict: 'undecided',
              reason,
              sequence: null,
              labelsNeeded: { expected: 1_142, atMost },
            }),
          },
        }),
      );
    expect(undecided('interval_too_wide', 49_422_129)).toBe(
      'Cannot tell yet whether version 4 is better or worse than version 3: the interval holds both no difference and one that matters. ROC AUC 0.74 against 0.71, a difference of 0.03, from 9,800 labelled rows of each, not the same ones. About 1,200 more labels of each are needed if it goes on like this, 50,000,000 at most.',
    );
    expect(undecided('labels_immature', null)).toContain(
      'too few of the predictions are labelled. ROC AUC 0.74 against 0.71, a difference of 0.03, from 9,800 labelled rows of each, not the same ones. About 1,200 more labels of each are needed before anything can be said.',
    );
    expect(canarySentence(comparisonOf({ figures: {}, figure: null, reason: 'no_labels' }))).toBe(
      'Cannot tell yet whether version 4 is better or worse than version 3: no labels yet.',
    );
  });

  it('says that it does not matter which', () => {
    const text = canarySentence(comparisonOf({ verdict: 'equivalent' }));
    expect(text).toContain('Version 4 is as good as version 3 to within 0.01: ROC AUC');
  });
});
