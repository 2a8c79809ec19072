import { describe, expect, it } from '@jest/globals';
import type { Episode } from '../../../src/domain/episode.js';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { RunRecord } from '../../../src/domain/ports.js';
import type { Retraining } from '../../../src/domain/retraining.js';
import type { Verdict } from '../../../src/domain/verdict.js';
import { HOUR_MS } from '../../../src/domain/window.js';
import { createRetrainingReader } from '../../../src/jobs/read-retrainings.js';
import { hourWindow, verdictOf } from '../../support/outcomes.js';

const SEGMENT = { column: 'tags.region', value: 'eu' };
const DRIVER = { feature: 'age', detector: 'ks', statistic: 0.5, threshold: 0.1, effect: 0.5 };
const episode = (id: string, modelVersion: string): Episode => ({
  id,
  model: 'churn',
  modelVersion,
  category: 'drift',
  severity: 'warning',
  state: 'open',
  firstWindow: hourWindow(9),
  openedBy: hourWindow(10),
  closedBy: null,
  lastWindow: hourWindow(10),
  drivers: [DRIVER, { ...DRIVER, segment: SEGMENT }, { ...DRIVER, feature: 'gone' }],
  openedAtMs: 0,
  closedAtMs: null,
});
const version: ModelVersion = {
  model: 'churn',
  modelVersion: '4',
  schema: { task: 'binary', features: [{ name: 'age', kind: 'numeric' }] },
  registeredAtMs: 0,
};
const link = (episodeId: string, modelVersion = '4'): Retraining => ({
  model: 'churn',
  episodeId,
  modelVersion,
  announcedAtMs: 1,
  by: 'local',
});

/** Runs for the given hours of version 4; verdicts of both populations are `undecided` before hour `clearFrom`, then stable. */
function reader(hours: readonly number[], clearFrom: number, retrainings = [link('e1')]) {
  const asked: { feature?: string; segment?: unknown; from: number; to: number }[] = [];
  const runs = hours.map(
    (n): RunRecord => ({
      model: 'churn',
      modelVersion: '4',
      window: hourWindow(n),
      referenceHash: 'h',
      status: 'judged',
      rows: 1,
      atMs: 0,
    }),
  );
  const verdicts = hours.flatMap((n): Verdict[] => {
    const clear = n >= clearFrom;
    const verdict = verdictOf({
      modelVersion: '4',
      window: hourWindow(n),
      status: clear ? 'stable' : 'undecided',
      reason: clear ? null : 'too_few_rows',
      material: false,
    });
    return [verdict, { ...verdict, segment: SEGMENT }];
  });
  const read = createRetrainingReader({
    store: {
      listRetrainings: async () => retrainings,
      listEpisodes: async () => [episode('e1', '3'), episode('e2', '1')],
      listModels: async () => [version],
      currentReference: async () => null,
      listRuns: async (_key, afterMs, untilMs) =>
        runs.filter(({ window }) => window.endMs > afterMs && window.endMs <= untilMs),
      listVerdicts: async ({ feature, segment, window }) => {
        asked.push({
          ...(feature === undefined ? {} : { feature }),
          segment,
          from: window.startMs / HOUR_MS,
          to: window.endMs / HOUR_MS,
        });
        return verdicts.filter(
          (verdict) =>
            verdict.feature === feature &&
            (verdict.segment === undefined) === (segment === undefined) &&
            verdict.window.startMs >= window.startMs &&
            verdict.window.endMs <= window.endMs,
        );
      },
    },
    policyFor: () => ({ openCount: 2, openWindows: 2, closeCount: 2, cooldownMs: 0, stepMs: HOUR_MS }),
  });
  return { read, asked };
}
const hoursFrom = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

describe('createRetrainingReader', () => {
  it('looks at windows since the opening only, and at segments as at the whole', async () => {
    const { read, asked } = reader(hoursFrom(0, 14), 0);
    const [judged] = await read('churn');
    expect(judged).toMatchObject({
      modelVersion: '4',
      episode: { id: 'e1' },
      cure: {
        verdict: 'cured',
        period: { startMs: hourWindow(11).startMs, endMs: hourWindow(12).endMs },
        drivers: [{ state: 'clean' }, { state: 'clean', segment: SEGMENT }, { state: 'absent' }],
      },
    });
    expect(asked).toContainEqual({ feature: 'age', segment: SEGMENT, from: 11, to: 14 });
  });

  it('reads on, some windows at a time, until it can tell', async () => {
    const { read, asked } = reader(hoursFrom(11, 200), 110);
    expect((await read('churn'))[0]?.cure).toMatchObject({
      verdict: 'cured',
      period: { startMs: hourWindow(110).startMs, endMs: hourWindow(111).endMs },
    });
    expect(Math.max(...asked.map(({ to }) => to))).toBe(11 + 150);
  });

  it('cannot tell without a reference, and forgets nothing of what is not judged yet', async () => {
    expect((await reader([], 0).read('churn'))[0]?.cure).toMatchObject({
      verdict: 'cannot_tell',
      reason: 'no_reference',
    });
    expect((await reader(hoursFrom(11, 60), 999).read('churn'))[0]?.cure).toMatchObject({
      verdict: 'cannot_tell',
      reason: 'undecided',
      windows: { undecided: 60 },
    });
  });

  it('tells of a version and of its episodes, and of no episode that is not there', async () => {
    const { read } = reader([], 0, [link('e1'), link('e2', '5'), link('nobody')]);
    const names = async (of?: string) =>
      (await read('churn', of)).map(({ episodeId, modelVersion }) => `${episodeId} ${modelVersion}`);
    expect(await names()).toEqual(['e1 4', 'e2 5']);
    expect(await names('4')).toEqual(['e1 4']);
    expect(await names('1')).toEqual(['e2 5']);
    expect(await names('9')).toEqual([]);
  });
});
