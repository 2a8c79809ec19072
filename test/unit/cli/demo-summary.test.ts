import { describe, expect, it } from '@jest/globals';
import { driftedEntries, monthLines } from '../../../src/cli/demo-summary.js';
import type { Verdict } from '../../../src/domain/verdict.js';
import { DAY_MS } from '../../../src/domain/window.js';

const march = Date.UTC(2013, 2, 1);

function verdict(day: number, over: Partial<Verdict>): Verdict {
  return {
    model: 'm',
    modelVersion: '1',
    feature: 'temp',
    detector: 'ks',
    category: 'drift',
    role: 'primary',
    window: { startMs: march + day * DAY_MS, endMs: march + (day + 1) * DAY_MS },
    status: 'drifted',
    reason: null,
    material: true,
    statistic: 0.5,
    effect: null,
    pValue: 0.001,
    adjustedPValue: 0.01,
    threshold: 0.3,
    minimumEffect: 0.1,
    referenceRows: 100,
    currentRows: 100,
    effectiveReferenceRows: 10,
    effectiveCurrentRows: 10,
    null: 'temporal',
    designEffect: 10,
    resolution: 0,
    smallestVisibleEffect: 0.3,
    referenceHash: 'h',
    parameters: {},
    seed: null,
    ...over,
  };
}

describe('the demo summary', () => {
  const verdicts = [
    verdict(0, { statistic: 0.4 }),
    verdict(1, { statistic: 0.8 }),
    verdict(2, { status: 'stable', material: false }),
    verdict(3, { status: 'undecided', material: false, statistic: null }),
    verdict(0, { feature: 'dest', detector: 'chiSquare', material: false }),
    verdict(0, { detector: 'psi', role: 'descriptive' }),
    verdict(40, { feature: 'visib' }),
    verdict(1, { feature: 'quiet', status: 'stable', material: false }),
  ];

  it('counts drifted, material and decided windows by month and test, worst first', () => {
    const lines = monthLines(verdicts);
    expect(lines.map((line) => `${line.month} ${line.feature}`)).toEqual([
      '2013-03 temp',
      '2013-03 dest',
      '2013-04 visib',
    ]);
    expect(lines[0]).toMatchObject({ drifted: 2, material: 2, decided: 3, statistic: 0.6000000000000001 });
  });

  it('lists primary drifts only', () => {
    expect(driftedEntries(verdicts)).toHaveLength(4);
    expect(driftedEntries(verdicts)[0]?.window.start).toBe('2013-03-01T00:00:00.000Z');
  });
});
