import { describe, expect, test } from '@jest/globals';
import { COLUMN_DETECTORS } from '../../../src/detectors/registry.js';
import { UNDECIDED_REASONS, VOLUME } from '../../../src/domain/verdict.js';
import {
  amountWords,
  detectorWords,
  effectiveWords,
  statisticWords,
  unitOf,
  verdictSentence,
} from '../../../src/views/sentences.js';
import { buildSeries } from '../../../src/views/summarise.js';
import { verdictOf } from '../../fakes/look-verdicts.js';

const say = (parts: Parameters<typeof verdictOf>[0]) =>
  verdictSentence(verdictOf(parts), 'temp', '1 Mar 2013').replaceAll('\u00a0', ' ');

describe('a verdict in words', () => {
  test('material', () => {
    expect(
      say({ status: 'drifted', material: true, statistic: 0.5, effect: { value: 0.5, low: 0, high: 1 } }),
    ).toBe(
      '1 Mar 2013: temp drifted, and by enough to matter: ks 0.5, where 0.2 is significant and an effect of 0.1 matters (2.5× its alarm).',
    );
  });

  test('significant only', () => {
    expect(say({ status: 'drifted', statistic: 0.25, effect: { value: 0.05, low: 0, high: 1 } })).toBe(
      '1 Mar 2013: temp drifted, but too little to matter: ks 0.25 is significant (from 0.2), its effect 0.05 is below 0.1.',
    );
  });

  test('stable, with what could not have been seen', () => {
    expect(say({})).toBe(
      '1 Mar 2013: temp shows no drift: ks 0.05, where 0.2 would be significant. A change below 0.21 would not show in this window.',
    );
    expect(say({ smallestVisibleEffect: 0.09 })).not.toContain('would not show');
  });

  test('every reason for being undecided has words, and none says stable', () => {
    for (const reason of UNDECIDED_REASONS) {
      const text = say({ status: 'undecided', reason, statistic: null });
      expect(text).toMatch(/^1 Mar 2013: temp is undecided, since .{10,}\.$/);
      expect(text).not.toMatch(/stable|no drift:/);
    }
  });

  test.each([
    // statistic, effect and the chart's unit
    ['ks', 0.3, -0.3, '0.3', '-0.3', 'number'],
    ['outOfRange', 0.3, 0.3, '30 %', '30 %', 'share'],
    ['constant', 1, 0.25, '100 %', '25 %', 'share'],
    ['mistyped', 0.3, -0.3, '30 %', '-30 %', 'share'],
    ['lInfinity', 0.3, 0.3, '30 %', '30 %', 'share'],
    ['cardinality', 0.3, -0.3, '30 %', '-30 %', 'share'],
    ['latencyP95', 0.04, 0.3, '4 %', '30 %', 'share'],
    ['volume', 0.3, 0.35, '0.3', '35 %', 'number'],
  ])('%s in its own units', (detector, statistic, effect, statisticText, effectText, unit) => {
    const verdict = verdictOf({ detector, statistic, effect: { value: effect, low: -1, high: 1 } });
    const plain = (text: string) => text.replaceAll('\u00a0', ' ').replaceAll('−', '-');
    expect(plain(statisticWords(verdict, statistic))).toBe(statisticText);
    expect(plain(amountWords(detector, effect))).toBe(effectText);
    expect(buildSeries([verdict]).map(unitOf)).toEqual([unit]);
  });

  test('every detector has words', () => {
    for (const { name } of [...COLUMN_DETECTORS, { name: VOLUME }, { name: 'isolationForest' }])
      expect(detectorWords(name)).not.toBe(name);
  });

  test('shares read as percentages', () => {
    expect(amountWords('missing', 0.05).replaceAll('\u00a0', ' ')).toBe('5 %');
    expect(amountWords('ks', 0.05)).toBe('0.05');
    const share = verdictOf({ detector: 'missing' });
    expect(statisticWords(share, 0.05).replaceAll('\u00a0', ' ')).toBe('5 %');
    expect(statisticWords({ ...share, statistic: 41.2 }, 41.2)).toBe('41.2');
    const outliers = verdictOf({
      detector: 'isolationForest',
      statistic: 0.03,
      effect: { value: 0.02, low: 0, high: 1 },
    });
    expect(statisticWords(outliers, 0.03).replaceAll('\u00a0', ' ')).toBe('3 %');
    expect(buildSeries([outliers]).map(unitOf)).toEqual(['share']);
    expect(buildSeries([share]).map(unitOf)).toEqual(['share']);
    expect(buildSeries([{ ...share, statistic: 41.2 }]).map(unitOf)).toEqual(['number']);
  });

  test('effective rows are told only when traffic is correlated', () => {
    expect(effectiveWords(verdictOf({}))).toBe(
      '812 rows of correlated traffic count like 14 independent rows',
    );
    expect(effectiveWords(verdictOf({ null: 'iid', designEffect: 1 }))).toBeNull();
  });

  test('an unknown detector is called by its name, inherited properties are not looked up', () => {
    expect(detectorWords('custom')).toBe('custom');
    expect(detectorWords('constructor')).toBe('constructor');
  });
});
