import { expect, test } from '@jest/globals';
import { createStandings } from '../../../src/alerts/standings.js';
import type { EpisodeAction } from '../../../src/domain/episode-action.js';

const EPISODE = { id: 'e1', model: 'churn', category: 'drift' } as const;
const SNOOZE: EpisodeAction = {
  model: 'churn',
  id: 's',
  category: null,
  episodeId: null,
  kind: 'snoozed',
  by: 'ada',
  via: 'local',
  note: '',
  atMs: 0,
  untilMs: 10,
};

/** Reads that end when the test says so, with what it says. */
function setUp() {
  const reads: ((actions: EpisodeAction[]) => void)[] = [];
  const standings = createStandings({
    store: {
      listEpisodes: async () => [],
      currentActions: () => new Promise((resolve) => reads.push(resolve)),
      saveAction: async () => undefined,
    },
    maintenanceOf: () => [],
    clock: { now: () => 5, observe: () => undefined },
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { standings, reads, turn };
}
type Of = ReturnType<typeof createStandings>['of'];
const episode = EPISODE as unknown as Parameters<Of>[0];

test('what was read earlier does not undo what was read later', async () => {
  const { standings, reads, turn } = setUp();
  const [first, second] = [standings.refresh(), standings.refresh()];
  await turn();
  reads[1]?.([SNOOZE]);
  await second;
  reads[0]?.([]);
  await first;
  expect(standings.of(episode).silence).toMatchObject({ reason: 'snoozed' });
});

test('what is written down while somebody reads is not forgotten', async () => {
  const { standings, reads, turn } = setUp();
  const reading = standings.refresh();
  await turn();
  await standings.record(EPISODE, 'held', 'opened');
  reads[0]?.([]);
  await reading;
  expect(standings.holds('e1', 'opened')).toBe(true);
  expect(standings.held()).toEqual([{ model: 'churn', episodeId: 'e1', what: 'opened' }]);
  await standings.record(EPISODE, 'released', 'opened');
  expect(standings.held()).toEqual([]);
});
