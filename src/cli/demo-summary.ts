import { median } from 'simple-statistics';
import type { Verdict } from '../domain/verdict.js';

export interface DriftedEntry {
  readonly window: { readonly start: string; readonly end: string };
  readonly feature: string;
  readonly detector: string;
  readonly statistic: number | null;
  readonly threshold: number | null;
  readonly pValue: number | null;
  readonly material: boolean;
}

export interface MonthLine {
  readonly month: string;
  readonly feature: string;
  readonly detector: string;
  /** Windows in which it drifted, materially or not, of those in which this test could decide. */
  readonly drifted: number;
  readonly material: number;
  readonly decided: number;
  /** Median statistic of the drifted windows. */
  readonly statistic: number;
  /** Median alarm threshold of the same windows. */
  readonly threshold: number;
}

const iso = (ms: number) => new Date(ms).toISOString();
const isPrimaryDrift = (verdict: Verdict) => verdict.role === 'primary' && verdict.status === 'drifted';

export function driftedEntries(verdicts: readonly Verdict[]): DriftedEntry[] {
  return verdicts.filter(isPrimaryDrift).map((verdict) => ({
    window: { start: iso(verdict.window.startMs), end: iso(verdict.window.endMs) },
    feature: verdict.feature,
    detector: verdict.detector,
    statistic: verdict.statistic,
    threshold: verdict.threshold,
    pValue: verdict.pValue,
    material: verdict.material,
  }));
}

function medians(drifted: readonly Verdict[]) {
  if (drifted.length === 0) return { statistic: Number.NaN, threshold: Number.NaN };
  return {
    statistic: median(drifted.map((verdict) => verdict.statistic ?? 0)),
    threshold: median(drifted.map((verdict) => verdict.threshold ?? 0)),
  };
}

/** One line for each month and test that drifted at all, months in order, the most often material first. */
export function monthLines(verdicts: readonly Verdict[]): MonthLine[] {
  const groups = new Map<string, Verdict[]>();
  for (const verdict of verdicts) {
    if (verdict.role !== 'primary') continue;
    const key = JSON.stringify([iso(verdict.window.startMs).slice(0, 7), verdict.feature, verdict.detector]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [verdict]);
    else group.push(verdict);
  }
  return [...groups]
    .map(([key, group]) => {
      const [month, feature, detector] = JSON.parse(key) as [string, string, string];
      const drifted = group.filter(isPrimaryDrift);
      return {
        month,
        feature,
        detector,
        drifted: drifted.length,
        material: drifted.filter((verdict) => verdict.material).length,
        decided: group.filter((verdict) => verdict.status !== 'undecided').length,
        ...medians(drifted),
      };
    })
    .filter((line) => line.drifted > 0)
    .sort(
      (a, b) =>
        a.month.localeCompare(b.month) ||
        b.material - a.material ||
        b.drifted - a.drifted ||
        b.statistic - a.statistic,
    );
}
