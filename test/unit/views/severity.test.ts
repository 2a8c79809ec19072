import { describe, expect, test } from '@jest/globals';
import { alarmRatio, combine, lookOf, paintOf, toneOf } from '../../../src/views/severity.js';
import { verdictOf } from '../../fakes/look-verdicts.js';

const effect = (value: number) => ({ value, low: value, high: value });
const material = verdictOf({ status: 'drifted', material: true, statistic: 0.5, effect: effect(0.5) });
const minor = verdictOf({ status: 'drifted', statistic: 0.3, effect: effect(0.05) });
const undecided = verdictOf({
  status: 'undecided',
  reason: 'too_few_rows',
  statistic: null,
  effect: null,
  threshold: null,
});
const missing = verdictOf({ detector: 'missing', category: 'dataQuality' });

describe('looks', () => {
  test('every status has its own', () => {
    const noData = verdictOf({ status: 'undecided', reason: 'no_data' });
    expect([verdictOf({}), minor, material, undecided, noData].map(lookOf)).toEqual([
      'stable',
      'minor',
      'material',
      'undecided',
      'no_data',
    ]);
  });

  test('an undecided shape is never painted stable by its companions', () => {
    expect(combine([missing, undecided]).look).toBe('undecided');
    expect(combine([undecided, missing]).look).toBe('undecided');
    expect(paintOf(toneOf('undecided', 3))).toBe('url(#hatch)');
  });

  test('an undecided companion does not hide a judged shape', () => {
    const unseen = verdictOf({
      detector: 'unseen',
      category: 'dataQuality',
      status: 'undecided',
      reason: 'not_applicable',
    });
    expect(combine([unseen, verdictOf({})]).look).toBe('stable');
    expect(combine([unseen]).look).toBe('undecided');
  });

  test('the worst primary verdict wins, descriptive ones have no say', () => {
    expect(combine([verdictOf({}), material, minor])).toEqual({ look: 'material', worst: material });
    expect(combine([{ ...material, role: 'descriptive' as const }, verdictOf({})]).look).toBe('stable');
    expect(combine([])).toEqual({ look: 'no_data', worst: null });
  });
});

describe('alarmRatio', () => {
  test('is the weaker of significance and materiality', () => {
    expect(alarmRatio(material)).toBeCloseTo(2.5, 12);
    expect(alarmRatio(minor)).toBeCloseTo(0.5, 12);
    expect(alarmRatio(undecided)).toBeNull();
    expect(alarmRatio(verdictOf({ threshold: 0, minimumEffect: 0 }))).toBeNull();
  });

  test('steps up the scale', () => {
    expect([0.2, 0.7].map((ratio) => toneOf('stable', ratio))).toEqual(['stable-1', 'stable-2']);
    expect([1, 1.6, 3, 9].map((ratio) => toneOf('material', ratio))).toEqual([
      'material-1',
      'material-2',
      'material-3',
      'material-4',
    ]);
  });
});
