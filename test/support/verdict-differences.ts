import type { Verdict } from '../../src/domain/verdict.js';

/** Verdicts that are not the same, byte for byte, on both sides. */
export function verdictDifferences(left: readonly Verdict[], right: readonly Verdict[]): string[] {
  const texts = new Set(right.map((verdict) => JSON.stringify(verdict)));
  const odd = left.filter((verdict) => !texts.has(JSON.stringify(verdict)));
  const lengths = left.length === right.length ? [] : [`${left.length} and ${right.length} verdicts`];
  return [
    ...lengths,
    ...odd.map(
      (v) => `${new Date(v.window.startMs).toISOString()} ${v.feature} ${v.detector} ${v.currentRows} rows`,
    ),
  ].slice(0, 10);
}
