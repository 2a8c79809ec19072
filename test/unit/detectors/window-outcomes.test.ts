import { expect, test } from '@jest/globals';
import type { NullModel } from '../../../src/domain/reference.js';
import { find, judge, modelOf, normals } from '../../support/judge-fixture.js';

const model = modelOf({ x: 'numeric' });
const reference = { x: normals(1, 500), prediction: normals(2, 500) };
const far = { x: normals(3, 200, 3), prediction: normals(4, 200) };
const IID: NullModel = { kind: 'iid', pieceMs: 0, spreads: [] };

test('by a provisional null a drift is told, but decides nothing', () => {
  const certain = judge(model, reference, far, { nullModel: IID });
  expect(certain.outcomes.find(({ category }) => category === 'drift')?.state).toBe('drifted');
  const { verdicts, outcomes } = judge(model, reference, far, { nullModel: { ...IID, provisional: true } });
  expect(find(verdicts, 'x', 'neyman')).toMatchObject({
    status: 'drifted',
    material: true,
    null: 'iid',
    parameters: { nullProvisional: true },
  });
  expect(outcomes.map(({ category, state }) => [category, state])).toEqual([
    ['drift', 'undecided'],
    ['dataQuality', 'undecided'],
  ]);
  expect(outcomes.flatMap(({ drivers }) => drivers)).toEqual([]);
});

test('a learned null says from when', () => {
  const spreads = ['x', 'prediction'].flatMap((feature) =>
    ['neyman', 'missing'].map((detector) => ({ feature, detector, pieces: 14, excess: 0, shape: 1 })),
  );
  const learned = { startMs: Date.UTC(2026, 0, 1), endMs: Date.UTC(2026, 0, 15) };
  const { verdicts, outcomes } = judge(model, reference, far, {
    nullModel: { kind: 'temporal', pieceMs: 1, spreads, learned },
  });
  expect(find(verdicts, 'x', 'neyman').parameters).toMatchObject({
    nullLearnedFrom: '2026-01-01T00:00:00.000Z',
    nullLearnedUntil: '2026-01-15T00:00:00.000Z',
  });
  expect(outcomes.find(({ category }) => category === 'drift')?.state).toBe('drifted');
});
