import { DOMAIN_CLASSIFIER, judgeDomainClassifier } from '../detectors/domain-classifier.js';
import type { ModelVersion } from '../domain/model.js';
import type { MultivariateBaseline } from '../domain/multivariate.js';
import type { Store } from '../domain/ports.js';
import type { Reference } from '../domain/reference.js';
import type { UndecidedReason, Verdict } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import {
  LEAST_PAIR_ROWS,
  type NotComparable,
  type PairComparison,
  type PairInput,
} from '../stats/pair-classifier.js';
import { encodePairRows } from '../stats/pair-rows.js';
import { type PairSample, parsePairSample } from '../stats/pair-sample.js';
import { type AucSpread, fitAucSpread } from '../stats/pair-spread.js';

/** Samples kept in memory: 0.6 MB each with 16 features. */
const CACHED_SAMPLES = 16;
const CACHED_SPREADS = 256;
const VERDICT_LIMIT = 10_000;

export interface MultivariateJudgeDeps {
  readonly store: Pick<Store, 'referenceSample' | 'someRows' | 'listVerdicts'>;
  /** In any thread; the input is made when one is free. */
  readonly comparePairs: (input: () => PairInput) => Promise<PairComparison | NotComparable>;
}

/** Judges whether a window's rows can be told from the reference's by all features together. */
export function createMultivariateJudge({ store, comparePairs }: MultivariateJudgeDeps) {
  const samples = new Map<string, PairSample>();
  const learned = new Map<string, AucSpread>();

  async function sampleOf(reference: Reference): Promise<PairSample | null> {
    const key = JSON.stringify([
      reference.model,
      reference.modelVersion,
      reference.hash,
      reference.createdAtMs,
    ]);
    const known = samples.get(key);
    if (known !== undefined) return known;
    const found = await store.referenceSample(reference);
    if (found === null) return null;
    const sample = readSample(reference, found.text);
    // One of production's rows may be erased at any time.
    if (!found.production) keep(samples, key, sample, CACHED_SAMPLES);
    return sample;
  }

  function readSample(reference: Reference, text: string): PairSample {
    try {
      const { columns, rows } = parsePairSample(text);
      // In memory that threads read at once: tasks take along what they are given.
      const values = new Float64Array(new SharedArrayBuffer(rows.values.byteLength));
      values.set(rows.values);
      return { columns, rows: { values, rows: rows.rows } };
    } catch (cause) {
      throw new AppError(
        'invalid_reference',
        `the sample of the reference of ${reference.model} ${reference.modelVersion} cannot be read: register it again`,
        { cause },
      );
    }
  }

  /**
   * What ordinary windows are like: pieces of the reference, or where it cannot say, the windows of the time that its null was learned
   * from, by what was found then.
   */
  async function spreadOf(
    reference: Reference,
    { pieces }: MultivariateBaseline,
    window: Window,
  ): Promise<AucSpread | null> {
    const { kind, learned: from } = reference.nullModel;
    if (kind !== 'temporal') return null;
    if (from === undefined) return fitAucSpread(pieces);
    const lengthMs = window.endMs - window.startMs;
    const { model, modelVersion, hash, createdAtMs } = reference;
    const key = JSON.stringify([model, modelVersion, hash, createdAtMs, from, lengthMs]);
    const known = learned.get(key);
    if (known !== undefined) return known;
    const verdicts = await store.listVerdicts({
      model,
      modelVersion,
      window: from,
      detector: DOMAIN_CLASSIFIER,
      limit: VERDICT_LIMIT,
    });
    const spread = fitAucSpread(
      verdicts
        .filter(
          (verdict) =>
            verdict.referenceHash === hash &&
            verdict.window.endMs - verdict.window.startMs === lengthMs &&
            verdict.window.startMs >= from.startMs &&
            verdict.window.endMs <= from.endMs,
        )
        .sort((a, b) => a.window.endMs - b.window.endMs)
        .flatMap(({ statistic, parameters }) =>
          statistic === null ? [] : [{ auc: statistic, nullVariance: Number(parameters.rowVariance) }],
        ),
    );
    if (spread !== null) keep(learned, key, spread, CACHED_SPREADS);
    return spread;
  }

  async function compare(
    model: ModelVersion,
    { window, rows, windowRows }: { window: Window; rows: number; windowRows: number },
    sample: PairSample,
  ): Promise<{ comparison: PairComparison | UndecidedReason; currentRows: number }> {
    if (rows === 0) return { comparison: 'no_data', currentRows: 0 };
    if (rows < LEAST_PAIR_ROWS) return { comparison: 'too_few_rows', currentRows: rows };
    const { columns } = sample;
    const current = (await store.someRows(model, columns, window, windowRows)).map((row) => row.values);
    // Counted once, and expired since.
    if (current.length === 0) return { comparison: 'no_data', currentRows: 0 };
    const comparison = await comparePairs(() => ({
      columns,
      reference: sample.rows,
      current: encodePairRows(columns, current),
    }));
    return { comparison, currentRows: current.length };
  }

  /**
   * One verdict where the reference has a sample, else none. `rows` are the window's counted ones.
   * Throws AppError `invalid_reference` when the sample cannot be read.
   */
  return async function judge(
    model: ModelVersion,
    reference: Reference,
    window: Window,
    { rows, level }: { readonly rows: number; readonly level: number },
  ): Promise<Verdict[]> {
    const { multivariate: baseline } = reference;
    if (baseline === undefined) return [];
    const sample = await sampleOf(reference);
    // Erased with rows that were in it.
    const compared =
      sample === null
        ? { comparison: 'no_reference' as const, currentRows: rows }
        : await compare(model, { window, rows, windowRows: baseline.windowRows }, sample);
    const spread = await spreadOf(reference, baseline, window);
    return [judgeDomainClassifier({ model, window, reference, baseline, ...compared, spread, level })];
  };
}

export type MultivariateJudge = ReturnType<typeof createMultivariateJudge>;

function keep<T>(values: Map<string, T>, key: string, value: T, most: number): void {
  const oldest = values.keys().next();
  if (values.size >= most && !oldest.done) values.delete(oldest.value);
  values.set(key, value);
}
