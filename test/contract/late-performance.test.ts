import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ModelVersion, Task } from '../../src/domain/model.js';
import type { PerformanceSetting } from '../../src/domain/performance.js';
import { PRODUCTION } from '../../src/domain/ports.js';
import type { LabelRow, PredictionRow } from '../../src/domain/prediction.js';
import { segmentScope } from '../../src/domain/segment.js';
import { HOUR_MS } from '../../src/domain/window.js';
import { scoredLabel, scoredModel, scoredPrediction } from '../support/performance-rows.js';
import { named } from '../support/rows.js';
import { openBackend, type StoreBackend } from '../support/store-backends.js';

const start = Date.UTC(2026, 2, 1);
const HOURS = 3;
const EU = { column: 'tags.region', value: 'eu' };
const setting: PerformanceSetting = {
  requestId: '{request}',
  positiveClass: '1',
  segmentColumns: ['tags.region', 'plan'],
  segments: [EU, { column: 'plan', value: 'pro' }],
};

/** A prediction and its labels in the order of their own times, all different; the last is the true one. */
interface Story {
  readonly hour: number;
  readonly score: number;
  readonly labels: readonly number[];
  /** Copies of each row that are sent. */
  readonly copies: number;
  readonly segment: 'eu' | 'us' | null;
}

type Sent = { kind: 'prediction'; row: PredictionRow } | { kind: 'label'; row: LabelRow };

const story: fc.Arbitrary<Story> = fc.record({
  hour: fc.integer({ min: 0, max: HOURS - 1 }),
  score: fc.constantFrom(0, 0.1, 0.25, 0.3, 0.5, 0.7, 0.75, 1),
  labels: fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 3 }),
  copies: fc.integer({ min: 1, max: 2 }),
  segment: fc.constantFrom('eu', 'us', null),
});

const scenario = fc.record({
  task: fc.constantFrom<Task>('binary', 'multiclass', 'regression'),
  stories: fc.array(story, { minLength: 1, maxLength: 40 }),
  /** Labels of predictions that never come. */
  orphans: fc.integer({ min: 0, max: 3 }),
  /** The order of arrival, and where the counting comes between. */
  seed: fc.integer(),
  batches: fc.integer({ min: 1, max: 5 }),
});

function sentOf(model: ModelVersion, stories: readonly Story[], orphans: number): Sent[] {
  const rows = stories.flatMap(({ hour, score, labels, copies, segment }, index): Sent[] => {
    const id = `p${index}`;
    const timestampMs = start + hour * HOUR_MS + index;
    const { task } = model.schema;
    const prediction = scoredPrediction(
      model,
      id,
      timestampMs,
      task === 'regression'
        ? { prediction: 10 * score - 3 }
        : task === 'binary'
          ? { prediction: score >= 0.5 ? 1 : 0, proba: score }
          : { prediction: score >= 0.5 ? '1' : 'other', probas: { 0: 1 - score, 1: score } },
      {
        tags: named(segment === null ? [] : [['region', segment]]),
        categorical: named(index % 2 === 0 ? [['plan', 'pro']] : []),
      },
    );
    const labelled = labels.map((label, turn) => scoredLabel(model, id, timestampMs + turn - 1, label));
    return Array.from({ length: copies }, () => [
      { kind: 'prediction' as const, row: prediction },
      ...labelled.map((row) => ({ kind: 'label' as const, row })),
    ]).flat();
  });
  const lost = Array.from({ length: orphans }, (_, index) => ({
    kind: 'label' as const,
    row: scoredLabel(model, `lost${index}`, start, 1),
  }));
  return [...rows, ...lost];
}

/** What a careful reader would have: one prediction each, with its last label. */
function cleaned(model: ModelVersion, stories: readonly Story[]): Sent[] {
  return sentOf(
    model,
    stories.map((each) => ({ ...each, copies: 1 })),
    0,
  );
}

describe('labels that come late, twice, corrected, or of nothing', () => {
  let backend: StoreBackend;
  let batch = 0;
  let models = 0;
  // Every batch arrives twenty minutes after the one before.
  beforeAll(async () => {
    backend = await openBackend('embedded', () => Date.now() + batch * 1_200_000);
  });
  afterAll(() => backend.close());

  async function arrive(sent: readonly Sent[]): Promise<void> {
    batch += 1;
    await backend.store.insertRows({
      predictions: sent.flatMap((each) => (each.kind === 'prediction' ? [each.row] : [])),
      labels: sent.flatMap((each) => (each.kind === 'label' ? [each.row] : [])),
      rejected: [],
      token: `t${batch}`,
    });
  }

  async function count(model: ModelVersion): Promise<void> {
    for (const dirty of await backend.store.dirtyBuckets(Number.MAX_SAFE_INTEGER))
      if (dirty.model === model.model) await backend.store.profileHours(model, dirty.hourStartsMs);
    await backend.store.measurePerformance(model, setting);
  }

  async function figures(model: ModelVersion) {
    const query = {
      model: model.model,
      modelVersion: '1',
      task: model.schema.task,
      window: { startMs: start, endMs: start + HOURS * HOUR_MS },
    };
    const scopes = [PRODUCTION, ...setting.segments.map((segment) => segmentScope(PRODUCTION, segment))];
    return Promise.all(
      scopes.map((scope) =>
        backend.store.performanceCounts({ ...query, scope }, scope === PRODUCTION ? 'all' : 'hour'),
      ),
    );
  }

  it('leave the very figures that the same rows in order leave', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ task, stories, orphans, seed, batches }) => {
        models += 1;
        const late = scoredModel(`late${models}`, task);
        const order = scoredModel(`order${models}`, task);
        for (const model of [late, order]) await backend.store.saveModel(model);
        const shuffled = shuffle(sentOf(late, stories, orphans), seed);
        const size = Math.ceil(shuffled.length / batches);
        for (let at = 0; at < shuffled.length; at += size) {
          await arrive(shuffled.slice(at, at + size));
          if ((seed + at) % 2 === 0) await count(late);
        }
        await count(late);
        await arrive(cleaned(order, stories));
        await count(order);
        const found = await figures(late);
        expect(found).toEqual(await figures(order));
        const labelled = stories.filter(({ labels }) => labels.length > 0).length;
        expect(found[0]?.[0]).toMatchObject({ predictions: stories.length, labelled });
      }),
      { numRuns: 12, seed: 7 },
    );
  }, 300_000);
});

function shuffle<T>(items: readonly T[], seed: number): T[] {
  const keyed = items.map((item, index) => ({ item, key: Math.imul(seed ^ (index + 1), 0x9e3779b1) >>> 0 }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
