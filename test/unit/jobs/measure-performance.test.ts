import { describe, expect, it } from '@jest/globals';
import { createPerformanceMeter } from '../../../src/jobs/measure-performance.js';
import { scoredModel } from '../../support/performance-rows.js';

describe('the performance meter', () => {
  it('measures versions of models that have labels, in a reference or from production, and no others', async () => {
    const asked: unknown[] = [];
    const measure = createPerformanceMeter({
      store: {
        labelledVersions: async () => [{ model: 'production', modelVersion: '1' }],
        measurePerformance: async ({ model }, setting) => {
          asked.push([model, setting]);
          return { hourStartsMs: [0], correctedMs: [] };
        },
      },
      positiveClass: () => 'yes',
      requestId: () => '{request}',
      segmentSetting: (model) => (model === 'production' ? { by: ['tags.region'], top: 3 } : undefined),
      segments: async ({ model }) => (model === 'production' ? [{ column: 'tags.region', value: 'eu' }] : []),
    });
    const without = (name: string) => {
      const model = scoredModel(name, 'binary');
      return { ...model, schema: { ...model.schema, label: false } };
    };
    const models = [scoredModel('reference', 'binary'), without('production'), without('none')];
    const challenger = { ...without('production'), modelVersion: '2' };
    const measured: string[][] = [];
    await measure([...models, challenger], async ({ model }) => {
      // Each is told before the next one is asked about.
      expect(asked).toHaveLength(measured.length + 1);
      measured.push([model.model, model.modelVersion]);
    });
    expect(measured).toEqual([
      ['reference', '1'],
      ['production', '1'],
      ['production', '2'],
    ]);
    expect(asked.pop()).toEqual(asked.at(-1));
    expect(asked).toEqual([
      ['reference', { positiveClass: 'yes', segmentColumns: [], segments: [], requestId: '{request}' }],
      [
        'production',
        {
          positiveClass: 'yes',
          segmentColumns: ['tags.region'],
          segments: [{ column: 'tags.region', value: 'eu' }],
          requestId: '{request}',
        },
      ],
    ]);
  });
});
