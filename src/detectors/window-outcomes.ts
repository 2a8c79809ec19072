import type { ModelVersion } from '../domain/model.js';
import type { Verdict, WindowOutcome } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import { isProvisional } from './column-baseline.js';

/**
 * One outcome per category that has primary verdicts, in the order of their first verdict. Drivers are the material
 * ones, worst first: by effect over its minimum, then by name. Verdicts by a provisional null decide nothing.
 */
export function outcomesOf(
  model: ModelVersion,
  window: Window,
  verdicts: readonly Verdict[],
): WindowOutcome[] {
  const primary = verdicts.filter((verdict) => verdict.role === 'primary');
  const categories = [...new Set(primary.map((verdict) => verdict.category))];
  return categories.map((category) => {
    const ours = primary.filter((verdict) => verdict.category === category && !isProvisional(verdict));
    const drivers = ours
      .filter((verdict) => verdict.status === 'drifted' && verdict.material)
      .sort((a, b) => severity(b) - severity(a) || (nameOf(a) < nameOf(b) ? -1 : 1));
    const isDecided = ours.some((verdict) => verdict.status !== 'undecided');
    return {
      model: model.model,
      modelVersion: model.modelVersion,
      category,
      window,
      state: drivers.length > 0 ? 'drifted' : isDecided ? 'clean' : 'undecided',
      drivers,
    };
  });
}

function severity(verdict: Verdict): number {
  return Math.abs(verdict.effect?.value ?? 0) / verdict.minimumEffect;
}

function nameOf(verdict: Verdict): string {
  return JSON.stringify([verdict.feature, verdict.detector, verdict.segment ?? null]);
}
