import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeProgress,
  encodeProgress,
  planStart,
  rangeToken,
} from '../../../src/collectors/partition-progress.js';

const newEpoch = () => 'new';
const committed = (offset: number, pending: { start: number; end: number } | null, topicId = 'T') => ({
  offset,
  metadata: encodeProgress({ epoch: 'old', topicId, pending }),
});
const log = { topicId: 'T', logStart: 0, logEnd: 1_000 };

describe('progress in commit metadata', () => {
  it('comes back as it was written, and stays small', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.option(fc.tuple(fc.maxSafeNat(), fc.nat(), fc.nat(100_000))),
        (epoch, topicId, range) => {
          const pending =
            range === null
              ? null
              : {
                  start: range[0],
                  end: Math.min(range[0] + range[1], Number.MAX_SAFE_INTEGER),
                  ...(range[2] > 0 ? { rejected: range[2] } : {}),
                };
          expect(decodeProgress(encodeProgress({ epoch, topicId, pending }))).toEqual({
            epoch,
            topicId,
            pending,
          });
        },
      ),
      { seed: 1 },
    );
    const [start, end] = [Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER];
    const longest = { start, end, rejected: end };
    expect(
      encodeProgress({ epoch: 'm3k2l1j0', topicId: 'A'.repeat(249), pending: longest }).length,
    ).toBeLessThan(400);
  });

  it('is not seen in what others wrote', () => {
    for (const text of ['', 'checkpoint 7', '7', 'null', '{"v":2}', '{"v":1,"epoch":"a"}']) {
      expect(decodeProgress(text)).toBeNull();
    }
    expect(decodeProgress('{"v":1,"epoch":"a","topic":"T","s":9,"e":3}')).toEqual({
      epoch: 'a',
      topicId: 'T',
      pending: null,
    });
  });
});

describe('start of a partition', () => {
  it('is the start of the log when nothing was committed', () => {
    expect(planStart({ ...log, logStart: 40, committed: null }, newEpoch)).toEqual({
      offset: 40,
      epoch: 'new',
      redo: null,
      lost: 0,
      reason: 'first',
    });
  });

  it('is the commit, under the same epoch', () => {
    expect(planStart({ ...log, committed: committed(300, null) }, newEpoch)).toEqual({
      offset: 300,
      epoch: 'old',
      redo: null,
      lost: 0,
      reason: 'resumed',
    });
  });

  it('repeats exactly the pending range', () => {
    expect(planStart({ ...log, committed: committed(300, { start: 300, end: 350 }) }, newEpoch)).toEqual({
      offset: 300,
      epoch: 'old',
      redo: { start: 300, end: 350 },
      lost: 0,
      reason: 'redo',
    });
  });

  it('counts what the log dropped, and repeats only what is left of the pending range', () => {
    const position = { ...log, logStart: 320, committed: committed(300, { start: 300, end: 350 }) };
    expect(planStart(position, newEpoch)).toMatchObject({ redo: { start: 320, end: 350 }, lost: 20 });
    const gone = { ...log, logStart: 400, committed: committed(300, { start: 300, end: 350 }) };
    expect(planStart(gone, newEpoch)).toMatchObject({
      offset: 400,
      redo: null,
      lost: 100,
      reason: 'resumed',
    });
  });

  it('is the start of a recreated topic, whose offsets mean other records', () => {
    const fresh = { offset: 0, epoch: 'new', redo: null, lost: 0, reason: 'recreated' };
    expect(planStart({ ...log, topicId: 'T2', committed: committed(300, null) }, newEpoch)).toEqual(fresh);
    expect(planStart({ ...log, logEnd: 299, committed: committed(300, null) }, newEpoch)).toEqual(fresh);
  });

  it('is where an operator put the group, under a new epoch', () => {
    expect(planStart({ ...log, committed: { offset: 100, metadata: '' } }, newEpoch)).toEqual({
      offset: 100,
      epoch: 'new',
      redo: null,
      lost: 0,
      reason: 'reset',
    });
  });
});

describe('token', () => {
  it('differs whenever cluster, topic, partition, epoch or range differ', () => {
    const base = { clusterId: 'c', topicId: 'T', partition: 3 };
    expect(rangeToken(base, 'e', { start: 5, end: 9 })).toBe('c/T/3/e/5-9');
  });
});
