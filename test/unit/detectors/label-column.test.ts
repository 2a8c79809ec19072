import { describe, expect, it } from '@jest/globals';
import { LABEL, type ModelVersion } from '../../../src/domain/model.js';
import type { Verdict } from '../../../src/domain/verdict.js';
import type { Value } from '../../support/count-profiles.js';
import { judge, modelOf } from '../../support/judge-fixture.js';

const base = modelOf({ x: 'numeric' }, 'multiclass');
const model: ModelVersion = { ...base, schema: { ...base.schema, label: true } };

/** `rows` labels, a share of them positive; the first `late` have not come yet. */
const labels = (rows: number, positive: number, late = 0): Value[] =>
  Array.from({ length: rows }, (_, i) => (i < late ? null : (i * 7919) % rows < positive * rows ? '1' : '0'));

const columns = (label: readonly Value[]) => ({
  x: label.map((_, i) => (i * 31) % 97),
  prediction: label.map((_, i) => String((i * 17) % 3)),
  label,
});

const judged = (reference: readonly Value[], current: readonly Value[]) =>
  judge(model, columns(reference), columns(current));
const ofLabel = (verdicts: readonly Verdict[]) => verdicts.filter((verdict) => verdict.feature === LABEL);

describe('the column label', () => {
  it('is compared with the reference’s labels once they have come', () => {
    const verdicts = ofLabel(judged(labels(2_000, 0.2), labels(1_000, 0.5)).verdicts);
    const chi = verdicts.find((verdict) => verdict.detector === 'chiSquare');
    expect(chi).toMatchObject({ status: 'drifted', material: true, category: 'drift' });
    expect(verdicts.map((verdict) => verdict.detector)).not.toContain('missing');
  });

  it('is undecided while they are immature, whatever has come', () => {
    for (const late of [1_000, 500, 101]) {
      const verdicts = ofLabel(judged(labels(2_000, 0.2), labels(1_000, 0.9, late)).verdicts);
      expect(verdicts.length).toBeGreaterThan(1);
      for (const verdict of verdicts)
        expect([verdict.status, verdict.reason, verdict.material]).toEqual([
          'undecided',
          'labels_immature',
          false,
        ]);
    }
    expect(ofLabel(judged(labels(2_000, 0.2), labels(1_000, 0.9, 100)).verdicts)[0]?.status).toBe('drifted');
  });

  it('asks no more labels than the reference has: some rows never get one', () => {
    const reference = labels(2_000, 0.2, 600);
    expect(ofLabel(judged(reference, labels(1_000, 0.9, 360)).verdicts)[0]?.status).toBe('drifted');
    expect(ofLabel(judged(reference, labels(1_000, 0.9, 380)).verdicts)[0]?.reason).toBe('labels_immature');
  });

  it('keeps its share of the level while it waits', () => {
    const others = (current: readonly Value[]) =>
      judged(labels(2_000, 0.2), current).verdicts.filter(
        ({ feature, role }) => feature !== LABEL && role === 'primary',
      );
    const waiting = others(labels(1_000, 0.2, 800));
    const come = others(labels(1_000, 0.2));
    expect(waiting.map(({ threshold }) => threshold)).toEqual(come.map(({ threshold }) => threshold));
    expect(waiting.map(({ adjustedPValue }) => adjustedPValue)).toEqual(
      come.map(({ adjustedPValue }) => adjustedPValue),
    );
  });
});
