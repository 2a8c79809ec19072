import { describe, expect, it } from '@jest/globals';
import {
  type DomainClassifierInput,
  judgeDomainClassifier,
  togetherWords,
} from '../../../src/detectors/domain-classifier.js';
import { judgeWindow } from '../../../src/detectors/judge-window.js';
import { primaryFamily } from '../../../src/detectors/primary-family.js';
import { withReasons } from '../../../src/detectors/why.js';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { MultivariateBaseline } from '../../../src/domain/multivariate.js';
import type { Reference } from '../../../src/domain/reference.js';
import { DAY_MS } from '../../../src/domain/window.js';
import type { PairComparison } from '../../../src/stats/pair-classifier.js';
import { fitAucSpread, logOdds } from '../../../src/stats/pair-spread.js';

const MODEL: ModelVersion = {
  model: 'm',
  modelVersion: '1',
  schema: { task: 'regression', features: [{ name: 'a', kind: 'numeric' }] },
  registeredAtMs: 0,
};
const ROW_VARIANCE = 0.0004;
const AUCS = [0.52, 0.55, 0.49, 0.53, 0.57, 0.5, 0.54, 0.51, 0.56, 0.53, 0.52, 0.55];
const PIECES = AUCS.map((auc, i) => ({ startMs: i * DAY_MS, auc, nullVariance: ROW_VARIANCE }));
const BASELINE: MultivariateBaseline = { rows: 1_000, features: 3, windowRows: 500, pieces: PIECES };
const REFERENCE: Reference = {
  model: 'm',
  modelVersion: '1',
  hash: 'h',
  rows: 5_000,
  period: { startMs: 0, endMs: 12 * DAY_MS },
  provenance: 'test',
  createdAtMs: 0,
  nullModel: { kind: 'temporal', pieceMs: DAY_MS, spreads: [] },
  forest: null,
  multivariate: BASELINE,
};
const IID: Reference = { ...REFERENCE, nullModel: { kind: 'iid', pieceMs: 0, spreads: [] } };
const comparison = (auc: number, change: Partial<PairComparison> = {}): PairComparison => ({
  auc,
  nullVariance: ROW_VARIANCE,
  variance: ROW_VARIANCE,
  heldOut: { reference: 500, current: 250 },
  chosen: 1,
  candidates: 3,
  leftOut: 0,
  pairs: [
    {
      parts: [{ feature: 'income' }, { feature: 'plan', category: 'pro' }],
      reference: 0.6,
      current: -0.6,
      share: 0.97,
    },
  ],
  ...change,
});
const judge = (change: Partial<DomainClassifierInput>) =>
  judgeDomainClassifier({
    model: MODEL,
    window: { startMs: 20 * DAY_MS, endMs: 21 * DAY_MS },
    reference: REFERENCE,
    baseline: BASELINE,
    comparison: comparison(0.53),
    currentRows: 500,
    spread: fitAucSpread(PIECES),
    level: 0.05,
    ...change,
  });

describe('judgeDomainClassifier', () => {
  it('takes independent rows by the permutation law, to one side', () => {
    const iid = { reference: IID, spread: null };
    // Normal tails: 2 and −2 standard errors of 0.02.
    expect(judge({ ...iid, comparison: comparison(0.54) }).pValue).toBeCloseTo(0.02275, 5);
    expect(judge({ ...iid, comparison: comparison(0.46) }).pValue).toBeCloseTo(0.97725, 5);
    const verdict = judge({ ...iid, comparison: comparison(0.56) });
    expect(verdict).toMatchObject({ status: 'drifted', material: true, null: 'iid', designEffect: 1 });
    expect(verdict.threshold).toBeCloseTo(0.5 + 1.6449 * 0.02, 4);
    expect(verdict.effect?.value).toBeCloseTo(0.06, 12);
    expect(judge({ ...iid, comparison: comparison(0.54) })).toMatchObject({
      status: 'drifted',
      material: false,
    });
  });

  it('asks for more where ordinary windows are told from the reference too', () => {
    const usual = judge({});
    expect(usual).toMatchObject({ status: 'stable', null: 'temporal', parameters: { pieces: 12 } });
    expect(usual.pValue).toBeGreaterThan(0.3);
    const iid = judge({ spread: null, reference: IID, comparison: comparison(0.58) });
    const temporal = judge({ comparison: comparison(0.58) });
    expect(temporal.pValue ?? 0).toBeGreaterThan(10 * (iid.pValue ?? 1));
    expect(temporal.designEffect).toBeGreaterThan(1);
    expect(judge({ comparison: comparison(0.75) })).toMatchObject({ status: 'drifted', material: true });
  });

  it('is drifted exactly from its threshold on', () => {
    for (const spread of [null, fitAucSpread(PIECES)]) {
      const at = { spread, ...(spread === null ? { reference: IID } : {}) };
      const threshold = judge(at).threshold ?? Number.NaN;
      expect(judge({ ...at, comparison: comparison(threshold + 1e-9) }).status).toBe('drifted');
      expect(judge({ ...at, comparison: comparison(threshold - 1e-9) }).status).toBe('stable');
    }
  });

  it('tells a window from days that are all told well, where an AUC has no room left', () => {
    const well = PIECES.map((piece, i) => ({ ...piece, auc: 0.85 + 0.01 * (i % 6) }));
    const spread = fitAucSpread(well);
    const baseline = { ...BASELINE, pieces: well };
    expect(judge({ spread, baseline, comparison: comparison(0.89) }).status).toBe('stable');
    expect(judge({ spread, baseline, comparison: comparison(1) })).toMatchObject({
      status: 'drifted',
      material: true,
    });
  });

  it('has more chance in a window with fewer rows than the pieces had', () => {
    const few = judge({ comparison: comparison(0.62, { nullVariance: 16 * ROW_VARIANCE }) });
    expect(few.pValue ?? 0).toBeGreaterThan(judge({ comparison: comparison(0.62) }).pValue ?? 1);
  });

  it('decides nothing where it cannot', () => {
    for (const reason of ['no_data', 'too_few_rows', 'not_applicable'] as const)
      expect(judge({ comparison: reason })).toMatchObject({ status: 'undecided', reason, pValue: null });
    expect(judge({ spread: null })).toMatchObject({ status: 'undecided', reason: 'no_reference' });
    expect(judge({ comparison: comparison(0.5, { nullVariance: 0 }) })).toMatchObject({
      reason: 'constant_column',
    });
    expect(
      judge({ spread: null, reference: IID, comparison: comparison(0.9, { nullVariance: 0.2 }) }),
    ).toMatchObject({ reason: 'not_visible_at_window_length' });
    const provisional: Reference = { ...IID, nullModel: { ...IID.nullModel, provisional: true } };
    expect(judge({ spread: null, reference: provisional }).parameters.nullProvisional).toBe(true);
  });

  it('joins the family that is corrected, and is told in the reasons of its outcome', () => {
    const window = { startMs: 20 * DAY_MS, endMs: 21 * DAY_MS };
    const extra = [judge({ comparison: comparison(0.75) })];
    const input = { model: MODEL, window, grids: [], referenceProfiles: [], currentProfiles: [] };
    const { verdicts, outcomes } = judgeWindow({ ...input, reference: REFERENCE, level: 0.01, extra });
    const judged = verdicts.find(({ detector }) => detector === 'domainClassifier');
    expect(judged).toMatchObject({ status: 'drifted', parameters: { familySize: 1, level: 0.01 } });
    const [drift] = withReasons(
      outcomes.filter(({ category }) => category === 'drift'),
      { ...input, verdicts, influence: null },
    );
    expect(drift).toMatchObject({ state: 'drifted' });
    expect(drift?.why).toEqual([
      expect.stringContaining('income and plan = "pro" (correlation 0.60 → -0.60'),
    ]);
  });

  it('takes a share of the level wherever it can decide', () => {
    const family = (reference: Reference) =>
      primaryFamily({ model: MODEL, reference, grids: [], referenceProfiles: [] }).tests.get('drift') ?? 0;
    expect(family(REFERENCE)).toBe(1);
    expect(family(IID)).toBe(1);
    expect(family({ ...REFERENCE, multivariate: { ...BASELINE, pieces: PIECES.slice(0, 9) } })).toBe(0);
    expect(family({ ...REFERENCE, multivariate: { ...BASELINE, rows: 99 } })).toBe(0);
    const { multivariate: _, ...without } = REFERENCE;
    expect(family(without)).toBe(0);
  });
});

describe('fitAucSpread', () => {
  it('has the mean log-odds and the variance of a new one of independent pieces', () => {
    const spread = fitAucSpread(PIECES);
    const odds = AUCS.map(logOdds);
    const mean = odds.reduce((sum, value) => sum + value, 0) / 12;
    const s2 = odds.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 11;
    expect(spread?.usual).toBeCloseTo(mean, 12);
    expect(spread?.autocorrelation).toBe(0);
    expect(spread?.variance).toBeCloseTo(s2 * (1 + 1 / 12), 12);
    expect(fitAucSpread(PIECES.slice(0, 9))).toBeNull();
  });

  it('counts pieces that last for fewer', () => {
    const lasting = PIECES.map((piece, i) => ({ ...piece, auc: i < 6 ? 0.6 : 0.8, nullVariance: 1e-5 }));
    const spread = fitAucSpread(lasting);
    expect(spread?.effectivePieces ?? 12).toBeLessThan(8);
  });
});

describe('togetherWords', () => {
  it('names the features, what their correlation was and is, and how much of it they make', () => {
    expect(togetherWords(judge({ comparison: comparison(0.75) }))).toBe(
      'features go together otherwise than in the reference: income and plan = "pro" (correlation 0.60 → -0.60, 97 % of the difference); rows of the window are told from the reference\'s with an AUC of 0.75.',
    );
    expect(togetherWords({ statistic: 0.6, pairs: [] })).toContain('an AUC of 0.6.');
  });
});
