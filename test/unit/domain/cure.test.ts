import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { judgeCure, type RetrainedWindow } from '../../../src/domain/cure.js';
import type { EpisodeDriver } from '../../../src/domain/episode.js';
import type { Verdict } from '../../../src/domain/verdict.js';
import { HOUR_MS } from '../../../src/domain/window.js';
import { hourWindow, verdictOf } from '../../support/outcomes.js';

const driver = (feature: string, more: Partial<EpisodeDriver> = {}): EpisodeDriver => ({
  feature,
  detector: 'ks',
  statistic: 0.6,
  threshold: 0.2,
  effect: 0.6,
  ...more,
});
const POLICY = { openCount: 2, openWindows: 3, closeCount: 2, stepMs: HOUR_MS };
const COLUMNS = new Set(['age', 'plan']);

/** What a letter says of one test: d(rifted), m(inor: significant, not material), c(lean), u(ndecided); anything else is no verdict. */
function verdictFor(letter: string, feature: string, n: number): Verdict[] {
  const base = { feature, window: hourWindow(n), modelVersion: '4' };
  const effect = (value: number) => ({ value, low: value, high: value });
  if (letter === 'd') return [verdictOf({ ...base, effect: effect(0.5 + n / 100) })];
  if (letter === 'm') return [verdictOf({ ...base, material: false, effect: effect(0.06) })];
  if (letter === 'c')
    return [verdictOf({ ...base, status: 'stable', material: false, effect: effect(0.01 + n / 100) })];
  if (letter !== 'u') return [];
  return [
    verdictOf({
      ...base,
      status: 'undecided',
      reason: 'too_few_rows',
      material: false,
      effect: null,
      statistic: null,
    }),
  ];
}

/** One letter per hour for each column; a dash is a window that was not judged at all. */
function windowsOf(texts: Readonly<Record<string, string>>): RetrainedWindow[] {
  const length = Math.max(...Object.values(texts).map((text) => text.length));
  return Array.from({ length }, (_, n) => n)
    .filter((n) => Object.values(texts).some((text) => text[n] !== '-'))
    .map((n) => ({
      window: hourWindow(n),
      verdicts: Object.entries(texts).flatMap(([feature, text]) => verdictFor(text[n] ?? '', feature, n)),
    }));
}

const cureOf = (
  texts: Readonly<Record<string, string>>,
  drivers: readonly EpisodeDriver[] = Object.keys(texts).map((feature) => driver(feature)),
) =>
  judgeCure({
    episode: { drivers },
    windows: windowsOf(texts),
    columns: COLUMNS,
    hasReference: true,
    policy: POLICY,
  });

describe('judgeCure', () => {
  it.each([
    ['cc', 'cured'],
    ['ccdd', 'cured'],
    ['dcc', 'cured'],
    ['mm', 'cured'],
    ['dd', 'not_cured'],
    ['dcd', 'not_cured'],
    ['ddcc', 'not_cured'],
    ['', 'cannot_tell'],
    ['c', 'cannot_tell'],
    ['d', 'cannot_tell'],
    ['uu', 'cannot_tell'],
    ['uuuuuuuu', 'cannot_tell'],
    ['cuc', 'cannot_tell'],
    ['dud', 'cannot_tell'],
    ['c-c', 'cannot_tell'],
    ['d-d', 'cannot_tell'],
    ['ucc', 'cured'],
    ['u-dd', 'not_cured'],
    // a window without this test says nothing about it
    ['c?c', 'cannot_tell'],
  ] as const)('says of %p: %s', (text, verdict) => {
    expect(cureOf({ age: text }).verdict).toBe(verdict);
  });

  it('needs every test clean, and one that drifts is enough', () => {
    expect(cureOf({ age: 'cc', plan: 'cc' }).verdict).toBe('cured');
    expect(cureOf({ age: 'cc', plan: 'uu' })).toMatchObject({
      verdict: 'cannot_tell',
      reason: 'undecided',
      drivers: [
        { feature: 'age', state: 'clean', reason: null },
        { feature: 'plan', state: 'undecided', reason: 'too_few_rows' },
      ],
    });
    expect(cureOf({ age: 'ccc', plan: 'dcd' })).toMatchObject({
      verdict: 'not_cured',
      windows: { clean: 1, drifted: 2, undecided: 0, needed: 2 },
      drivers: [
        { feature: 'age', state: 'clean' },
        { feature: 'plan', state: 'drifted' },
      ],
    });
  });

  it('shows effects before and after, over the windows that decided', () => {
    const cured = cureOf({ age: 'dccd' });
    expect(cured.period).toEqual({ startMs: hourWindow(1).startMs, endMs: hourWindow(2).endMs });
    expect(cured.drivers[0]).toMatchObject({ before: 0.6, after: expect.closeTo(0.025) });
    expect(cureOf({ age: 'dd' }).drivers[0]?.after).toBeCloseTo(0.505);
    expect(cureOf({ age: 'uu' }).drivers[0]).toMatchObject({ after: null, state: 'undecided' });
  });

  it('tells why it cannot tell', () => {
    const without = judgeCure({
      episode: { drivers: [driver('age')] },
      windows: [],
      columns: COLUMNS,
      hasReference: false,
      policy: POLICY,
    });
    expect(without).toMatchObject({ verdict: 'cannot_tell', reason: 'no_reference', period: null });
    expect(cureOf({ age: '' }).reason).toBe('no_windows');
    expect(cureOf({ age: 'c' })).toMatchObject({ reason: 'too_few_windows', windows: { clean: 1 } });
  });

  it('takes no verdict by a provisional null for an answer', () => {
    const windows = windowsOf({ age: 'cc' }).map(({ window, verdicts }) => ({
      window,
      verdicts: verdicts.map((verdict) => ({ ...verdict, parameters: { nullProvisional: true } })),
    }));
    const cure = judgeCure({
      episode: { drivers: [driver('age')] },
      windows,
      columns: COLUMNS,
      hasReference: true,
      policy: POLICY,
    });
    expect(cure).toMatchObject({ verdict: 'cannot_tell', drivers: [{ reason: 'null_provisional' }] });
  });

  it('leaves columns out that the new version has not, and tells nothing without any', () => {
    expect(cureOf({ age: 'cc' }, [driver('gone'), driver('age')])).toMatchObject({
      verdict: 'cured',
      drivers: [
        { feature: 'gone', state: 'absent', after: null },
        { feature: 'age', state: 'clean' },
      ],
    });
    expect(cureOf({ age: 'cc' }, [driver('gone')])).toMatchObject({
      verdict: 'cannot_tell',
      reason: 'columns_absent',
    });
  });

  it('asks for the very test, of the very segment', () => {
    const segment = { column: 'plan', value: 'pro' };
    expect(cureOf({ age: 'cc' }, [driver('age', { segment })]).verdict).toBe('cannot_tell');
    expect(cureOf({ age: 'cc' }, [driver('age', { detector: 'missing' })]).verdict).toBe('cannot_tell');
    const ofSegment = windowsOf({ age: 'cc' }).map(({ window, verdicts }) => ({
      window,
      verdicts: verdicts.map((verdict) => ({ ...verdict, segment })),
    }));
    expect(
      judgeCure({
        episode: { drivers: [driver('age', { segment })] },
        windows: ofSegment,
        columns: COLUMNS,
        hasReference: true,
        policy: POLICY,
      }).verdict,
    ).toBe('cured');
  });

  it('finds no cure without as many clean windows in a row as the policy wants, and stays by what it said', () => {
    const letters = fc.array(fc.constantFrom('c', 'd', 'u', '-', '?'), { maxLength: 12 });
    fc.assert(
      fc.property(letters, letters, (windows, more) => {
        const text = windows.join('');
        const said = cureOf({ age: text });
        if (said.verdict === 'cured') expect(text).toContain('cc');
        if (said.verdict !== 'cannot_tell') expect(cureOf({ age: text + more.join('') })).toEqual(said);
      }),
    );
  });
});
