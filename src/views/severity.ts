import type { Verdict } from '../domain/verdict.js';

/**
 * How one feature looks in one window. `undecided` and `no_data` are never drawn as `stable`;
 * `minor` is significant but below the minimum effect, `material` is both.
 */
export type Look = 'stable' | 'minor' | 'material' | 'undecided' | 'no_data';

export const LOOK_WORDS: Readonly<Record<Look, string>> = {
  stable: 'stable',
  minor: 'drifted, too little to matter',
  material: 'drifted and material',
  undecided: 'undecided',
  no_data: 'no data',
};

export function lookOf(verdict: Verdict): Look {
  if (verdict.status === 'undecided') return verdict.reason === 'no_data' ? 'no_data' : 'undecided';
  if (verdict.status === 'stable') return 'stable';
  return verdict.material ? 'material' : 'minor';
}

/**
 * How near a verdict is to its alarm: 1 is the point where it is both significant and material.
 * The lesser of statistic / threshold and effect / minimum effect; null when neither is known.
 */
export function alarmRatio(verdict: Verdict): number | null {
  const ratios: number[] = [];
  if (verdict.statistic !== null && verdict.threshold !== null && verdict.threshold > 0)
    ratios.push(verdict.statistic / verdict.threshold);
  if (verdict.effect !== null && verdict.minimumEffect > 0)
    ratios.push(Math.abs(verdict.effect.value) / verdict.minimumEffect);
  const known = ratios.filter((ratio) => !Number.isNaN(ratio));
  return known.length === 0 ? null : Math.min(...known);
}

/** Tests on the shape of a column; missing and unseen shares are their companions. */
export function isShapeTest(verdict: Verdict): boolean {
  return verdict.category === 'drift' && verdict.detector !== 'missing' && verdict.detector !== 'unseen';
}

const RANK: Readonly<Record<Look, number>> = { no_data: 0, stable: 1, undecided: 2, minor: 3, material: 4 };

/**
 * One look for all primary verdicts of a feature and window: the worst. An undecided shape test outranks
 * stable companions, so that "no missing values" never paints an unjudged distribution as stable.
 */
export function combine(verdicts: readonly Verdict[]): { look: Look; worst: Verdict | null } {
  let look: Look = 'no_data';
  let worst: Verdict | null = null;
  const primary = verdicts.filter((verdict) => verdict.role === 'primary');
  const shapes = primary.some(isShapeTest);
  for (const verdict of primary) {
    const own = lookOf(verdict);
    // an unjudged companion (a column that cannot have unseen values) says nothing about a judged shape
    if (own === 'undecided' && shapes && !isShapeTest(verdict)) continue;
    const better =
      worst === null ||
      RANK[own] > RANK[look] ||
      (own === look && (alarmRatio(verdict) ?? -1) > (alarmRatio(worst) ?? -1));
    if (better) {
      look = own;
      worst = verdict;
    }
  }
  return { look, worst };
}

/** CSS classes of the steps of the drift scale, from calm to alarming; used by the charts and their legend. */
export function toneOf(look: Look, ratio: number | null): string {
  switch (look) {
    case 'no_data':
      return 'none';
    case 'undecided':
      return 'undecided';
    case 'minor':
      return 'minor';
    case 'stable':
      return ratio !== null && ratio >= 0.5 ? 'stable-2' : 'stable-1';
    case 'material':
      if (ratio === null || ratio < 1.5) return 'material-1';
      if (ratio < 2.5) return 'material-2';
      return ratio < 4 ? 'material-3' : 'material-4';
  }
}

/** The paint of a tone: a colour of the style sheet, so that pictures follow the reader's light or dark theme. */
export function paintOf(tone: string): string {
  return tone === 'undecided' ? 'url(#hatch)' : `var(--${tone})`;
}
