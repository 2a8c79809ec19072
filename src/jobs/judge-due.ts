import type { ModelVersion } from '../domain/model.js';
import type { RunRecord } from '../domain/ports.js';
import type { Reference } from '../domain/reference.js';
import type { Window } from '../domain/window.js';
import type { DueWindow } from './due-windows.js';
import { presentOutcomes } from './present-outcomes.js';
import type { CycleDeps } from './run-cycle.js';
import { judged, type VersionState } from './version-states.js';

/** Judges the windows that the cycle finds due, and what follows from them. */
export function createDueJudge(
  deps: Pick<
    CycleDeps,
    'store' | 'judge' | 'levelFor' | 'referenceFor' | 'reviseVolumes' | 'record' | 'alerts' | 'gauges'
  >,
) {
  /** Volume compares a window with earlier ones: those after the changed ones are to be looked at again. */
  async function reviseVolumes(model: ModelVersion, changed: readonly Window[]): Promise<void> {
    const revised = (await deps.reviseVolumes?.(model, changed)) ?? [];
    if (revised.length > 0) deps.gauges.verdictsRevised(model, revised);
  }

  /** A window judged again, for rows that came late, is compared with what it was compared with, whatever is current now. */
  async function referenceOf(current: Reference, run: RunRecord | undefined): Promise<Reference> {
    if (run === undefined || run.referenceHash === current.hash) return current;
    const { model, modelVersion } = current;
    return (await deps.store.findReference({ model, modelVersion, hash: run.referenceHash })) ?? current;
  }

  /**
   * Judges a window, lets it speak for the present if it does, and marks it as judged. One that is not loud is recorded and shown, and opens no
   * episode: looks at every few labels of a window would be more than the false-alarm budget counts. Performance speaks when it is first decided.
   */
  async function judge(
    model: ModelVersion,
    registered: Reference,
    state: VersionState,
    due: DueWindow,
    isLoud: boolean,
  ): Promise<void> {
    const reference = (await deps.referenceFor?.(model, registered, due.window)) ?? registered;
    const level = await deps.levelFor(model, reference, due.window);
    const { verdicts, outcomes, referenceHash } = await deps.judge(model, reference, due.window, level);
    // An older window judged again corrects the record; only the newest one speaks for the present.
    const present = presentOutcomes(outcomes, state);
    const isFirst = due.window.endMs > state.performanceMs;
    const told = present.filter(({ category }) => isLoud || (category === 'performance' && isFirst));
    if (told.length > 0) await deps.alerts.windowJudged(told);
    if (due.window.endMs >= state.frontierMs) deps.gauges.windowJudged(model, verdicts);
    if (present.some(({ category }) => category === 'performance')) {
      deps.gauges.performanceJudged?.(model, verdicts);
      state.performanceMs = due.window.endMs;
    }
    await deps.record(model, referenceHash, due.window, due);
    judged(state, due.window.endMs);
  }

  return { judge, referenceOf, reviseVolumes };
}
