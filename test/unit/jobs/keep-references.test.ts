import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ProfileQuery } from '../../../src/domain/ports.js';
import type { Profile } from '../../../src/domain/profile.js';
import type { Bucket } from '../../../src/domain/window.js';
import { keepReferences } from '../../../src/jobs/keep-references.js';

const BUCKETS: Bucket[] = [{ granularity: 'day', startMs: 0, endMs: 86_400_000 }];
const of = (model: string, scope: ProfileQuery['scope'] = 'reference:r'): ProfileQuery => ({
  model,
  modelVersion: '1',
  scope,
});
/** Six cells. */
const profile = (feature: string): Profile => ({
  feature,
  kind: 'numeric',
  rows: 3,
  missing: 0,
  nonFinite: 0,
  mistyped: 0,
  counts: [1, 1, 1],
  offsets: [0, 0, 0],
  min: 0,
  max: 1,
});

describe('kept references', () => {
  let asked: string[];
  let answer: (query: ProfileQuery) => Promise<Profile[]>;
  const kept = (mostCells?: number) =>
    keepReferences(
      {
        mergedProfiles: async (query) => {
          asked.push(`${query.model} ${query.scope}`);
          return answer(query);
        },
      },
      mostCells,
    );

  beforeEach(() => {
    asked = [];
    answer = async ({ model }) => [profile(model)];
  });

  test('are read once, also by those who ask at the same time, each model, version and segment its own', async () => {
    const read = kept();
    const queries = [of('a'), of('a'), of('b'), of('a', 'reference:r|carrier=AA'), of('a', 'reference:s')];
    const both = [await Promise.all(queries.map((q) => read(q, BUCKETS)))];
    both.push(await Promise.all(queries.map((q) => read(q, BUCKETS))));
    expect(both.map((answers) => answers.map(([first]) => first?.feature))).toEqual([
      ['a', 'a', 'b', 'a', 'a'],
      ['a', 'a', 'b', 'a', 'a'],
    ]);
    expect(both[0]?.[0]).toBe(both[1]?.[1]);
    expect(asked).toEqual(['a reference:r', 'b reference:r', 'a reference:r|carrier=AA', 'a reference:s']);
    await read({ ...of('a'), modelVersion: '2' }, BUCKETS);
    expect(asked).toHaveLength(5);
  });

  test('production, and single columns, are read each time', async () => {
    const read = kept();
    for (const query of [of('a', 'production'), { ...of('a'), features: ['x'] }])
      for (let time = 0; time < 2; time++) await read(query, BUCKETS);
    expect(asked).toEqual(['a production', 'a production', 'a reference:r', 'a reference:r']);
  });

  test('that which was not asked for longest goes when they do not fit', async () => {
    const read = kept(12);
    for (const model of ['a', 'b', 'a', 'c', 'a', 'c', 'b']) await read(of(model), BUCKETS);
    expect(asked.map((call) => call[0])).toEqual(['a', 'b', 'c', 'b']);
  });

  test('one that is too large by itself is answered all the same', async () => {
    const read = kept(5);
    expect(await read(of('a'), BUCKETS)).toEqual([profile('a')]);
    await read(of('a'), BUCKETS);
    expect(asked).toHaveLength(2);
  });

  test('a reading that failed, or found nothing, is done again', async () => {
    const read = kept();
    answer = async () => {
      throw new Error('the store is away');
    };
    await expect(read(of('a'), BUCKETS)).rejects.toThrow('the store is away');
    answer = async () => [];
    expect(await read(of('a'), BUCKETS)).toEqual([]);
    answer = async () => [profile('x')];
    expect(await read(of('a'), BUCKETS)).toEqual([profile('x')]);
    expect(asked).toHaveLength(3);
  });
});
