import { explainWindow } from '../detectors/why.js';
import type { WindowExplanation } from '../domain/explanation.js';
import { PRODUCTION, type Store, type VersionKey } from '../domain/ports.js';
import { referenceBuckets } from '../domain/reference.js';
import type { Verdict } from '../domain/verdict.js';
import { END_OF_TIME_MS, HOUR_MS, tile, type Window } from '../domain/window.js';
import { AppError } from '../errors.js';

const VERDICT_LIMIT = 100_000;

export interface ExplainedPeriod {
  readonly period: Window;
  /** Judged windows in the period that have a drifted verdict. */
  readonly windows: number;
  readonly explanation: WindowExplanation;
}

export interface ExplainerDeps {
  readonly store: Pick<
    Store,
    | 'listModels'
    | 'listRuns'
    | 'listVerdicts'
    | 'listGrids'
    | 'mergedProfiles'
    | 'currentReference'
    | 'findReference'
  >;
}

/**
 * Explains what drifted in stored windows. Of a period with several the counts are those of all its rows, and each column's verdict is
 * its worst.
 */
export function createExplainer({ store }: ExplainerDeps) {
  /** The newest judged window, or null. */
  async function newest(key: VersionKey): Promise<Window | null> {
    const runs = await store.listRuns(key, 0, END_OF_TIME_MS);
    return runs.findLast((run) => run.status === 'judged')?.window ?? null;
  }

  /** The reference that most of the verdicts were made with; rolling ones are not kept, so the registered one stands for them. */
  async function referenceOf(key: VersionKey, verdicts: readonly Verdict[]) {
    const hash = verdicts.at(-1)?.referenceHash;
    const current = await store.currentReference(key);
    if (hash === undefined || hash === current?.hash) return { reference: current, isOwn: true };
    const found = await store.findReference({ ...key, hash });
    return found === null ? { reference: current, isOwn: false } : { reference: found, isOwn: true };
  }

  /**
   * @param asked null for the newest judged window
   * Throws AppError `unknown_model`, or `not_found` where nothing was judged.
   */
  return async function explain(key: VersionKey, asked: Window | null): Promise<ExplainedPeriod> {
    const model = (await store.listModels()).find(
      (known) => known.model === key.model && known.modelVersion === key.modelVersion,
    );
    if (model === undefined)
      throw new AppError(
        'unknown_model',
        'this model version is not registered: GET /v1/models lists those that are',
      );
    const period = asked ?? (await newest(key));
    if (period === null)
      throw new AppError('not_found', 'no window of this model version has been judged yet: ask again later');
    const whole = {
      startMs: Math.floor(period.startMs / HOUR_MS) * HOUR_MS,
      endMs: Math.ceil(period.endMs / HOUR_MS) * HOUR_MS,
    };
    const verdicts = (await store.listVerdicts({ ...key, window: whole, limit: VERDICT_LIMIT })).filter(
      ({ window, segment }) =>
        segment === undefined && window.startMs >= whole.startMs && window.endMs <= whole.endMs,
    );
    const drifted = verdicts.filter(({ role, status }) => role === 'primary' && status === 'drifted');
    const { reference, isOwn } = await referenceOf(key, drifted);
    const query = { model: key.model, modelVersion: key.modelVersion };
    const explanation = explainWindow({
      model,
      grids: await store.listGrids(key.model),
      referenceProfiles:
        reference === null
          ? []
          : await store.mergedProfiles(
              { ...query, scope: `reference:${reference.hash}` },
              referenceBuckets(reference),
            ),
      currentProfiles: await store.mergedProfiles({ ...query, scope: PRODUCTION }, tile(whole)),
      verdicts: worstOf(drifted),
      influence: reference?.influence,
    });
    const rolling = 'judged against past production, told against the registered reference';
    return {
      period,
      windows: new Set(drifted.map(({ window }) => window.endMs)).size,
      explanation: isOwn
        ? explanation
        : {
            ...explanation,
            note: explanation.note === null ? rolling : `${explanation.note}; ${rolling}`,
          },
    };
  };
}

export type Explainer = ReturnType<typeof createExplainer>;

/** One verdict per column and detector: a material one if there is any, of these the one with the largest effect. */
function worstOf(verdicts: readonly Verdict[]): Verdict[] {
  const worst = new Map<string, Verdict>();
  const size = (verdict: Verdict) => Math.abs(verdict.effect?.value ?? 0) + (verdict.material ? 1e9 : 0);
  for (const verdict of verdicts) {
    const name = JSON.stringify([verdict.feature, verdict.detector]);
    const known = worst.get(name);
    if (known === undefined || size(verdict) > size(known)) worst.set(name, verdict);
  }
  return [...worst.values()];
}
