import { expect, test } from '@jest/globals';
import type { PerformanceCounts } from '../../../src/domain/performance.js';
import type { Reference } from '../../../src/domain/reference.js';
import { DAY_MS } from '../../../src/domain/window.js';
import { createPerformanceMover } from '../../../src/jobs/performance-moved.js';
import { gridOf, profileOf } from '../../support/count-profiles.js';
import { hourWindow, outcomeOf } from '../../support/outcomes.js';
import { scoredModel } from '../../support/performance-rows.js';

const MODEL = scoredModel('churn', 'binary');
const SCORES = [0.1, 0.1, 0.1, 0.9];
const CLASSES = ['0', '0', '0', '1'];
const GRIDS = [gridOf('prediction', 'categorical', CLASSES), gridOf('prediction_proba', 'numeric', SCORES)];
const EPISODE = {
  model: MODEL.model,
  modelVersion: MODEL.modelVersion,
  firstWindow: hourWindow(4),
  lastWindow: hourWindow(9),
  closedBy: null,
};

/** What three in four right, of so many rows, say against a reference of this accuracy. */
function moved(options: {
  accuracy: number;
  rows?: number;
  /** Labels, and how many of them were predicted. */
  labels?: readonly [labelled: number, correct: number];
  decidedUntil?: number;
  estimator?: null;
}) {
  const { accuracy, rows = 4, labels = [0, 0], decidedUntil } = options;
  const reference: Reference = {
    model: MODEL.model,
    modelVersion: MODEL.modelVersion,
    hash: 'h',
    rows: 400,
    period: null,
    provenance: 'test',
    createdAtMs: 0,
    nullModel: { kind: 'iid', pieceMs: 0, spreads: [] },
    forest: null,
    performance: [{ figure: 'accuracy', value: accuracy, variance: 1e-6, rows: 40_000, spread: null }],
    estimator:
      options.estimator === null
        ? null
        : {
            task: 'binary',
            rows: 400_000,
            positiveClass: '1',
            calibration: { first: [0.1, 0.9], last: [0.1, 0.9], mean: [0.2, 0.7], rows: [300_000, 100_000] },
            thresholded: true,
          },
  };
  const asked: number[] = [];
  const performanceMoved = createPerformanceMover({
    store: {
      listModels: async () => [MODEL],
      currentReference: async () => reference,
      listGrids: async () => GRIDS,
      mergedProfiles: async () =>
        GRIDS.map((grid) =>
          profileOf(
            grid,
            Array.from(
              { length: rows },
              (_, i) => (grid.kind === 'numeric' ? SCORES : CLASSES)[i % 4] ?? null,
            ),
          ),
        ),
      recentOutcomes: async () =>
        decidedUntil === undefined ? [] : [outcomeOf(decidedUntil, 'c', { category: 'performance' })],
      performanceCounts: async ({ window }) => {
        asked.push(window.endMs);
        const [labelled, correct] = labels;
        return [
          {
            window,
            predictions: labelled,
            labelled,
            classified: labelled,
            correct,
            delays: [],
            confusion: [],
            ranking: null,
            calibration: [],
            moments: {},
          } as unknown as PerformanceCounts,
        ];
      },
    },
    setting: () => ({ positiveClass: '1', minimumMaturity: 0.8 }),
  });
  return performanceMoved(EPISODE).then((move) => ({ move, asked }));
}

test('labels of the windows up to the last decided one say it first', async () => {
  const { move, asked } = await moved({ accuracy: 0.9, labels: [1_000, 700], decidedUntil: 7 });
  expect(asked).toEqual([hourWindow(7).endMs]);
  expect(move).toMatchObject({
    moved: 'moved',
    kind: 'realised',
    figure: 'accuracy',
    value: 0.7,
    reference: 0.9,
  });
  expect(move.low).toBeLessThan(0.7);
  expect(move.high).toBeGreaterThan(0.7);
  expect((await moved({ accuracy: 0.72, labels: [1_000, 700], decidedUntil: 7 })).move).toMatchObject({
    moved: 'not_moved',
    kind: 'realised',
  });
});

test('labels that could hide a loss say nothing, and what is expected is asked', async () => {
  const few = { accuracy: 0.72, labels: [20, 14], decidedUntil: 7 } as const;
  expect((await moved({ ...few, estimator: null })).move).toMatchObject({
    moved: 'cannot_tell',
    kind: 'realised',
  });
  expect((await moved({ ...few, rows: 40_000 })).move).toMatchObject({
    moved: 'not_moved',
    kind: 'estimated',
  });
  // Between a loss that counts and one that is sure.
  expect((await moved({ ...few, accuracy: 0.78, estimator: null })).move.moved).toBe('cannot_tell');
});

test('without labels of the episode what is expected says it', async () => {
  // The last decided window ended before the drift began.
  const early = await moved({ accuracy: 0.775, rows: 40_000, decidedUntil: 3 });
  expect(early.asked).toEqual([]);
  expect(early.move).toMatchObject({ moved: 'not_moved', kind: 'estimated', figure: 'accuracy' });
  expect(early.move.value).toBeCloseTo(0.775, 6);
  expect((await moved({ accuracy: 0.95, rows: 40_000 })).move).toMatchObject({
    moved: 'moved',
    kind: 'estimated',
  });
});

test('nobody can tell from a few rows, or without a reference that says anything', async () => {
  expect((await moved({ accuracy: 0.95, rows: 4 })).move).toMatchObject({
    moved: 'cannot_tell',
    kind: 'estimated',
  });
  expect((await moved({ accuracy: 0.95, estimator: null })).move).toMatchObject({
    moved: 'cannot_tell',
    kind: null,
  });
});

test('a version that is gone is told of without a failure', async () => {
  const performanceMoved = createPerformanceMover({
    store: {
      listModels: async () => [],
      currentReference: async () => null,
      listGrids: async () => [],
      mergedProfiles: async () => [],
      recentOutcomes: async () => [],
      performanceCounts: async () => [],
    },
    setting: () => ({ positiveClass: '1', minimumMaturity: 0.8 }),
  });
  const window = { startMs: 0, endMs: DAY_MS };
  const gone = { ...EPISODE, firstWindow: window, lastWindow: window };
  expect(await performanceMoved(gone)).toMatchObject({ moved: 'cannot_tell', kind: null });
});
