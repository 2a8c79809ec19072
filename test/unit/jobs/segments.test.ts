import { describe, expect, it } from '@jest/globals';
import type { ModelVersion } from '../../../src/domain/model.js';
import type { NullModel, Reference } from '../../../src/domain/reference.js';
import { partOf, segmentsOf } from '../../../src/jobs/segments.js';

const IID: NullModel = { kind: 'iid', pieceMs: 0, spreads: [] };
const TEMPORAL: NullModel = { kind: 'temporal', pieceMs: 1, spreads: [] };
const EU = { column: 'region', value: 'eu' };
const reference = (whole: NullModel, part: NullModel): Reference => ({
  model: 'm',
  modelVersion: '1',
  hash: 'h',
  rows: 10,
  period: null,
  provenance: '',
  createdAtMs: 0,
  nullModel: whole,
  segments: [{ segment: EU, rows: 3, nullModel: part }],
  forest: null,
});

describe('the part of a reference that a segment is compared with', () => {
  it('has its own rows and null model', () => {
    expect(partOf(reference(TEMPORAL, TEMPORAL), { ...EU })).toMatchObject({ rows: 3, hash: 'h' });
    expect(partOf(reference(IID, IID), EU)).toMatchObject({ rows: 3 });
  });

  it('is nothing where rows would have to pass for independent, and where it has no rows', () => {
    expect(partOf(reference(TEMPORAL, IID), EU)).toBeNull();
    expect(partOf(reference(IID, IID), { ...EU, value: 'us' })).toBeNull();
    const { segments: _, ...without } = reference(IID, IID);
    expect(partOf(without, EU)).toBeNull();
  });
});

describe('the segments of a version', () => {
  it('are those of its setting, and none without one', async () => {
    const asked: unknown[] = [];
    const deps = (setting?: { by: string[]; top: number }) => ({
      store: {
        segmentsOf: async (_model: ModelVersion, given: unknown) => {
          asked.push(given);
          return [EU];
        },
        mergedProfiles: async () => [],
        pieceProfiles: async () => [],
      },
      fitNullModel: () => IID,
      segments: () => setting,
    });
    const model: ModelVersion = {
      model: 'm',
      modelVersion: '1',
      schema: { task: 'binary', features: [] },
      registeredAtMs: 0,
    };
    expect(await segmentsOf(deps(), model)).toEqual([]);
    expect(await segmentsOf(deps({ by: ['region'], top: 2 }), model)).toEqual([EU]);
    expect(asked).toEqual([{ by: ['region'], top: 2 }]);
  });
});
