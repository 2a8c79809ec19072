import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loseInsert } from '../support/delivery-outages.js';
import { type DeliveryRig, startDeliveryRig } from '../support/delivery-rig.js';
import { delayInsert, type Outcome, type Round, strikeAlone } from '../support/delivery-scenarios.js';
import { violationsOf } from '../support/offset-oracle.js';

/** A suite that finds nothing is worth what it would find: each mistake here has to be seen by the same runs and the same oracle. */
describe('mistakes in delivery are found out', () => {
  let rig: DeliveryRig;
  beforeAll(async () => {
    rig = await startDeliveryRig();
  });
  afterAll(() => rig.stop());

  it.each<[string, (round: Round) => Promise<Outcome>, RegExp]>([
    [
      'a token of its own for each attempt, and an answer that is lost',
      (round) => loseInsert(round, { lost: 'answer', mistake: 'random_tokens' }),
      /more than once \(\d+:predictions\+predictions/,
    ],
    [
      'a token of its own for each attempt, and an insert that arrives after its repair',
      (round) => delayInsert(round, 'predictions', { arrives: 'at the end', mistake: 'random_tokens' }),
      /more than once \(\d+:predictions\+predictions/,
    ],
    [
      'a commit before the insert',
      (round) => strikeAlone(round, 'after_pending', 'commit_first'),
      /\d+ missing \(/,
    ],
    [
      'a failed insert that is passed over',
      (round) => loseInsert(round, { lost: 'request', mistake: 'skip_errors' }),
      /\d+ missing \(/,
    ],
    [
      'a repair that does not look at what is there',
      (round) => strikeAlone(round, 'between_inserts', 'blind_repair'),
      /more than once \(\d+:(rejected\+predictions|predictions\+rejected|rejected\+rejected)/,
    ],
  ])('%s', async (what, run, expected) => {
    const { violations } = await run({ rig, name: what.replace(/\W/g, '-'), round: 1, random: () => 0.5 });
    expect(violations.join('\n')).toMatch(expected);
  });

  it('the oracle sees rows that are missing, repeated, beyond the log and at another place', () => {
    const row = (offset: number, ...ids: string[]) => ({
      topic: 't',
      partition: 0,
      offset,
      tables: ids.map(() => 'predictions' as const),
      ids,
    });
    const stored = [row(0, 't/0/0'), row(2, 't/0/2', 't/0/2'), row(3, 't/0/4'), row(9, 't/0/9')];
    const ends = new Map([['t', [5, 1]]]);
    expect(violationsOf(ends, stored, { placed: true })).toEqual([
      {
        topic: 't',
        partition: 0,
        missing: [1, 4],
        repeated: ['2:predictions+predictions'],
        beyond: [9],
        misplaced: ['3:t/0/4'],
      },
      { topic: 't', partition: 1, missing: [0], repeated: [], beyond: [], misplaced: [] },
    ]);
    expect(violationsOf(new Map([['t', [1]]]), [row(0, 't/0/0')], { placed: true })).toEqual([]);
    expect(() => violationsOf(new Map(), stored)).toThrow(/t\/0 were asked for/);
  });
});
