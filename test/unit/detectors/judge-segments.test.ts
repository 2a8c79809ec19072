import { describe, expect, test } from '@jest/globals';
import type { SegmentInput } from '../../../src/detectors/column-baseline.js';
import { judgeWindow } from '../../../src/detectors/judge-window.js';
import type { Segment } from '../../../src/domain/segment.js';
import {
  type Columns,
  draws,
  gridsOf,
  IID,
  modelOf,
  normals,
  profilesOf,
  referenceOf,
  WINDOW,
} from '../../support/judge-fixture.js';

const model = modelOf({ x: 'numeric', region: 'categorical' });
const EU: Segment = { column: 'region', value: 'eu' };
const VIP: Segment = { column: 'tags.tier', value: 'vip' };

/** Rows of one region. */
const rows = (seed: number, count: number, region: string | null, shift = 0): Columns => ({
  x: normals(seed, count, shift),
  region:
    region === null ? draws(seed + 1, count, { eu: 1, us: 4 }) : Array.from({ length: count }, () => region),
  prediction: normals(seed + 2, count),
});

const reference = rows(1, 8_000, null);
const grids = gridsOf(model, reference);

function part(segment: Segment, before: Columns, now: Columns): SegmentInput {
  return {
    segment,
    reference: { ...referenceOf(before.x?.length ?? 0), nullModel: IID },
    referenceProfiles: profilesOf(grids, before),
    currentProfiles: profilesOf(grids, now),
  };
}

function judge(current: Columns, segments?: readonly SegmentInput[]) {
  return judgeWindow({
    model,
    window: WINDOW,
    reference: referenceOf(8_000),
    grids,
    referenceProfiles: profilesOf(grids, reference),
    currentProfiles: profilesOf(grids, current),
    level: 0.05,
    ...(segments === undefined ? {} : { segments }),
  });
}

const current = rows(50, 2_000, null);
const calm = part(EU, rows(3, 1_600, 'eu'), rows(60, 400, 'eu'));
const moved = part(VIP, rows(4, 800, null), rows(70, 200, null, 0.8));

describe('segments of a window', () => {
  test('have verdicts of their own, after those of the whole, and none on their own column', () => {
    const { verdicts } = judge(current, [calm, moved]);
    const alone = judge(current).verdicts;
    const whole = verdicts.filter((verdict) => verdict.segment === undefined);
    expect(
      whole.map(({ feature, detector, statistic, pValue }) => [feature, detector, statistic, pValue]),
    ).toEqual(
      alone.map(({ feature, detector, statistic, pValue }) => [feature, detector, statistic, pValue]),
    );
    const eu = verdicts.filter((verdict) => verdict.segment === EU);
    expect(new Set(eu.map(({ feature }) => feature))).toEqual(new Set(['x', 'prediction']));
    expect(eu[0]).toMatchObject({ referenceRows: 1_600, currentRows: 400 });
    const vip = verdicts.filter((verdict) => verdict.segment === VIP);
    expect(new Set(vip.map(({ feature }) => feature))).toEqual(new Set(['x', 'region', 'prediction']));
    expect(verdicts.findIndex(({ segment }) => segment !== undefined)).toBe(whole.length);
  });

  test('drift alone, and the window with them: the driver names the segment', () => {
    const { verdicts, outcomes } = judge(current, [calm, moved]);
    const drifted = verdicts.filter((verdict) => verdict.role === 'primary' && verdict.status === 'drifted');
    expect(new Set(drifted.map(({ segment, feature }) => `${segment?.value} ${feature}`))).toEqual(
      new Set(['vip x']),
    );
    const drift = outcomes.find(({ category }) => category === 'drift');
    expect(drift?.state).toBe('drifted');
    expect(drift?.drivers[0]).toMatchObject({ feature: 'x', segment: VIP });
    expect(judge(current).outcomes.find(({ category }) => category === 'drift')?.state).toBe('clean');
  });

  test('are counted in the family: each has its share of the level', () => {
    const familySize = (segments?: readonly SegmentInput[]) =>
      judge(current, segments).verdicts.find(
        ({ feature, detector, segment }) => feature === 'x' && detector === 'ks' && segment === undefined,
      )?.parameters.familySize as number;
    const alone = familySize();
    const decided = (verdicts: ReturnType<typeof judge>['verdicts']) =>
      verdicts.filter(({ role, status, pValue, adjustedPValue, segment }) => {
        return (
          segment !== undefined &&
          role === 'primary' &&
          status !== 'undecided' &&
          pValue !== 1 &&
          adjustedPValue !== null
        );
      }).length;
    const both = familySize([calm, moved]);
    expect(both).toBeGreaterThanOrEqual(alone + decided(judge(current, [calm, moved]).verdicts));
    expect(both).toBeGreaterThan(alone + 3);
  });

  test('without a reference, or rows, are undecided', () => {
    const nothing = { ...calm, referenceProfiles: [] };
    const silent = { ...moved, currentProfiles: [] };
    const { verdicts } = judge(current, [nothing, silent]);
    const reasons = (segment: Segment) =>
      new Set(verdicts.filter((verdict) => verdict.segment === segment).map(({ reason }) => reason));
    expect(reasons(EU)).toEqual(new Set(['no_reference']));
    expect(reasons(VIP)).toEqual(new Set(['no_data']));
  });

  test('the same inputs give the same verdicts, byte for byte', () => {
    const twice = [1, 2].map(() => JSON.stringify(judge(current, [calm, moved])));
    expect(twice[0]).toBe(twice[1]);
  });

  test('false alarms stay at the level with ten segments: 200 drift-free windows', () => {
    let flagged = 0;
    for (let run = 0; run < 200; run += 1) {
      const seed = 10_000 + run * 100;
      const segments = Array.from({ length: 10 }, (_, index) =>
        part(
          { column: 'tags.shop', value: String(index) },
          rows(seed + index, 500, null),
          rows(seed + 50 + index, 100, null),
        ),
      );
      const before = rows(seed + 20, 1_000, null);
      const { verdicts } = judgeWindow({
        model,
        window: WINDOW,
        reference: referenceOf(1_000),
        grids,
        referenceProfiles: profilesOf(grids, before),
        currentProfiles: profilesOf(grids, rows(seed + 30, 200, null)),
        level: 0.05,
        segments,
      });
      if (verdicts.some(({ role, status }) => role === 'primary' && status === 'drifted')) flagged += 1;
    }
    // Binomial(200, 0.05) stays at or below 19 with probability 0.998.
    expect(flagged).toBeLessThanOrEqual(19);
  });
});
