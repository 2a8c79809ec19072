import { describe, expect, it } from '@jest/globals';
import type { ErrorStreamState, StreamDetection } from '../../../src/domain/error-stream.js';
import { createConceptDriftReader } from '../../../src/jobs/read-concept-drift.js';
import { createAdwin } from '../../../src/stats/stream/adwin.js';
import { createDdm } from '../../../src/stats/stream/ddm.js';
import { createPageHinkley } from '../../../src/stats/stream/page-hinkley.js';
import { scoredModel } from '../../support/performance-rows.js';

const KEY = { model: 'churn', modelVersion: '1', limit: 10 };
const DETECTIONS: StreamDetection[] = [{ detector: 'adwin', position: 40, labelMs: 9 }];

/** What is kept after these errors. */
function stateAfter(errors: readonly number[], scale: number, names: readonly string[]): ErrorStreamState {
  const machines = { adwin: createAdwin(), pageHinkley: createPageHinkley(), ddm: createDdm() };
  const detectors = Object.entries(machines).filter(([name]) => names.includes(name));
  for (const [, machine] of detectors) for (const error of errors) machine.update(error);
  return {
    cursor: { storedMs: 1, labelMs: 1, fingerprint: '1' },
    position: errors.length,
    unmatched: 2,
    scale,
    detectors: Object.fromEntries(detectors.map(([name, machine]) => [name, machine.state()])),
  };
}

function readerOf(state: ErrorStreamState | null) {
  const asked: unknown[] = [];
  const read = createConceptDriftReader({
    store: {
      listModels: async () => [scoredModel('churn', 'binary')],
      errorStream: async () => state,
      streamDetections: async (question) => {
        asked.push(question);
        return DETECTIONS;
      },
    },
  });
  return { asked, read };
}

describe('what is known of concept drift', () => {
  it('tells detections and the mean of the errors that each detector looks back on', async () => {
    const { asked, read } = readerOf(stateAfter([0, 0, 1, 0], 1, ['adwin', 'pageHinkley', 'ddm']));
    const question = { ...KEY, period: { startMs: 0, endMs: 10 } };
    const { detectors, ...rest } = await read(question);
    expect(rest).toEqual({
      model: 'churn',
      modelVersion: '1',
      errors: 4,
      unmatched: 2,
      detections: DETECTIONS,
    });
    expect(detectors).toEqual(
      ['adwin', 'pageHinkley', 'ddm'].map((detector) => ({
        detector,
        errors: 4,
        meanError: expect.closeTo(0.25, 12),
      })),
    );
    expect(asked).toEqual([question]);
  });

  it('gives a regression its unit back, and has nothing to say right after a detection', async () => {
    const { read } = readerOf(stateAfter([1, 3], 0.5, ['adwin', 'pageHinkley']));
    expect((await read(KEY)).detectors).toEqual(
      ['adwin', 'pageHinkley'].map((detector) => ({ detector, errors: 2, meanError: expect.closeTo(1, 12) })),
    );
    // Every error in a row: the share rises above its least at once, and the next error will be the first.
    const machine = createDdm();
    const errors: number[] = [...Array.from({ length: 40 }, () => 0)];
    for (const error of errors) machine.update(error);
    for (let i = 0; i < 50; i++) {
      errors.push(1);
      if (machine.update(1)) break;
    }
    expect(machine.state().detected).toBe(true);
    const after = readerOf(stateAfter(errors, 1, ['ddm']));
    expect((await after.read(KEY)).detectors).toEqual([{ detector: 'ddm', errors: 0, meanError: null }]);
  });

  it('is empty before the first label, and refuses what is not registered', async () => {
    const { read } = readerOf(null);
    expect(await read(KEY)).toMatchObject({ errors: 0, unmatched: 0, detectors: [] });
    await expect(read({ ...KEY, modelVersion: '7' })).rejects.toMatchObject({ code: 'unknown_model' });
  });
});
