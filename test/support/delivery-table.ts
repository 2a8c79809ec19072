import { FAILPOINTS, type Failpoint } from './collector-faults.js';
import { loseInsert, stopGently, wakeZombie } from './delivery-outages.js';
import {
  cutInsert,
  delayInsert,
  type Outcome,
  type Round,
  strikeAlone,
  strikeMember,
} from './delivery-scenarios.js';
import { stormMembers } from './delivery-storm.js';

export interface Scenario {
  readonly name: string;
  readonly run: (round: Round) => Promise<Outcome>;
  /** Every run of it leaves a range behind that has to be repeated. */
  readonly redoes: boolean;
}

const REDOING = new Set<Failpoint>(['after_pending', 'between_inserts', 'mid_insert', 'after_insert']);

/** One for each failpoint, alone and with a second member. */
export const STRIKES: readonly Scenario[] = [
  ...FAILPOINTS.map((point) => ({
    name: `embedded ${point}`,
    run: (round: Round) => strikeAlone(round, point),
    redoes: REDOING.has(point),
  })),
  ...FAILPOINTS.map((point) => ({
    name: `http ${point}`,
    run: (round: Round) => strikeMember(round, point),
    redoes: REDOING.has(point),
  })),
  ...(['predictions', 'rejected'] as const).flatMap((table) => [
    { name: `http mid_body ${table}`, run: (round: Round) => cutInsert(round, table), redoes: true },
    {
      name: `http late_insert ${table}`,
      run: (round: Round) =>
        delayInsert(round, table, { arrives: round.round % 2 === 1 ? 'at the end' : 'any time' }),
      redoes: true,
    },
  ]),
  {
    // Nothing of the repeated range is rejected any more.
    name: 'http late_insert accepted',
    run: (round) => delayInsert(round, 'rejected', { arrives: 'at the end', poison: false }),
    redoes: true,
  },
  { name: 'embedded sigterm', run: stopGently, redoes: false },
  { name: 'http lost_answer', run: (round) => loseInsert(round, { lost: 'answer' }), redoes: false },
  { name: 'http lost_request', run: (round) => loseInsert(round, { lost: 'request' }), redoes: false },
  { name: 'http zombie between_inserts', run: (round) => wakeZombie(round, 'between_inserts'), redoes: true },
  { name: 'http zombie after_insert', run: (round) => wakeZombie(round, 'after_insert'), redoes: true },
];

/** What the soak runs: the suite has the storm in a file of its own. */
export const SOAKED: readonly Scenario[] = [
  ...STRIKES,
  { name: 'http rebalance storm', run: (round) => stormMembers(round), redoes: false },
];
