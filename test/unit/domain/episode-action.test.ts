import { describe, expect, it } from '@jest/globals';
import type { Episode } from '../../../src/domain/episode.js';
import { type EpisodeAction, standingOf } from '../../../src/domain/episode-action.js';
import { episodeHistory } from '../../../src/domain/episode-history.js';
import { byUrgency, episodeSentence } from '../../../src/domain/episode-words.js';
import { hourWindow } from '../../support/outcomes.js';

const EPISODE: Episode = {
  id: 'e1',
  model: 'churn',
  modelVersion: '3',
  category: 'drift',
  severity: 'warning',
  state: 'open',
  firstWindow: hourWindow(0),
  openedBy: hourWindow(1),
  closedBy: null,
  lastWindow: hourWindow(1),
  drivers: [],
  pendingAtMs: 5,
  openedAtMs: 10,
  closedAtMs: null,
};
let number = 0;
const action = (
  kind: EpisodeAction['kind'],
  atMs: number,
  overrides: Partial<EpisodeAction> = {},
): EpisodeAction => ({
  model: 'churn',
  id: `a${number++}`,
  category: null,
  episodeId: 'e1',
  kind,
  by: 'ada',
  via: 'local',
  note: '',
  atMs,
  untilMs: kind === 'snoozed' ? 100 : null,
  ...overrides,
});
const at = (actions: readonly EpisodeAction[], nowMs: number, severity: Episode['severity'] = 'warning') =>
  standingOf({ ...EPISODE, severity }, actions, { maintenance: [], nowMs });

describe('the standing of an episode', () => {
  it('is acknowledged until that is taken back, or it gets worse', () => {
    const said = [action('acknowledged', 20, { note: 'on it' })];
    expect(at(said, 30).acknowledgement).toEqual({ by: 'ada', note: 'on it', atMs: 20 });
    expect(at([...said, action('unacknowledged', 30)], 30).acknowledgement).toBeNull();
    const worse = [...said, action('severity_raised', 30)];
    expect(at(worse, 30, 'critical').acknowledgement).toBeNull();
    const again = [...worse, action('acknowledged', 40)];
    expect(at(again, 40, 'critical').acknowledgement).toMatchObject({ atMs: 40 });
    // Written down, and then it did not come to that.
    expect(at(worse, 30).acknowledgement).toMatchObject({ atMs: 20 });
    const kinds = (severity: Episode['severity']) =>
      episodeHistory({ ...EPISODE, severity }, worse).map(({ kind }) => kind);
    expect(kinds('warning')).toEqual(['pending', 'opened', 'acknowledged']);
    expect(kinds('critical')).toEqual(['pending', 'opened', 'acknowledged', 'severity_raised']);
  });

  it('is silent by the snooze that lasts longest, each scope by its last word', () => {
    const own = action('snoozed', 20);
    const model = action('snoozed', 20, { episodeId: null, untilMs: 50 });
    expect(at([own, model], 30).silence).toMatchObject({ untilMs: 100 });
    expect(at([own, model, action('unsnoozed', 30)], 30).silence).toMatchObject({ untilMs: 50 });
    expect(at([own, action('snoozed', 21, { untilMs: 25 })], 30).silence).toBeNull();
    expect(at([own], 99).silence).not.toBeNull();
    expect(at([own], 100).silence).toBeNull();
  });

  it('has nothing to do with other models, categories and episodes', () => {
    const others = [
      action('snoozed', 20, { model: 'other' }),
      action('snoozed', 20, { episodeId: 'e2' }),
      action('snoozed', 20, { episodeId: null, category: 'outliers' }),
      action('acknowledged', 20, { episodeId: 'e2' }),
    ];
    expect(at(others, 30)).toEqual({ silence: null, acknowledgement: null });
  });
});

it('the history of an episode has all that happened to it, and to its model meanwhile, in order', () => {
  const actions = [
    action('snoozed', 1, { episodeId: null, untilMs: 3 }),
    action('snoozed', 2, { episodeId: null, category: 'drift', untilMs: 8 }),
    action('acknowledged', 12),
    action('acknowledged', 12, { episodeId: 'e2' }),
    action('snoozed', 20, { episodeId: null }),
  ];
  const closed: Episode = { ...EPISODE, state: 'closed', closedBy: hourWindow(4), closedAtMs: 15 };
  const story = episodeHistory(closed, actions).map(({ kind, atMs, scope }) => `${atMs} ${kind} ${scope}`);
  expect(story).toEqual([
    '2 snoozed category',
    '5 pending episode',
    '10 opened episode',
    '12 acknowledged episode',
    '15 resolved episode',
  ]);
});

it('performance outranks drift, and a drift that it moved with one that it did not', () => {
  const move = {
    kind: 'estimated',
    figure: null,
    value: null,
    low: null,
    high: null,
    reference: null,
  } as const;
  const of = (id: string, overrides: Partial<Episode>): Episode => ({ ...EPISODE, id, ...overrides });
  const episodes = [
    of('closed', { state: 'closed', openedAtMs: 99, category: 'performance' }),
    of('outliers', { category: 'outliers' }),
    of('unmoved', { severity: 'critical', performance: { ...move, moved: 'not_moved' } }),
    of('unknown', { performance: { ...move, moved: 'cannot_tell' } }),
    of('mild', { category: 'performance' }),
    of('moved', { performance: { ...move, moved: 'moved' } }),
    of('severe', { category: 'performance', severity: 'critical' }),
  ];
  expect(episodes.toSorted(byUrgency).map(({ id }) => id)).toEqual([
    'severe',
    'mild',
    'moved',
    'unknown',
    'outliers',
    'unmoved',
    'closed',
  ]);
});

it('a sentence names when, what and how much', () => {
  const driver = { detector: 'ks', statistic: 1, threshold: 1, effect: 1 };
  const drivers = ['a', 'b', 'c', 'd', 'a'].map((feature) => ({ feature, ...driver }));
  expect(episodeSentence({ ...EPISODE, drivers, closedBy: hourWindow(2) })).toBe(
    'Drift in churn version 3 (warning) from 1970-01-01 00:00 UTC to 1970-01-01 03:00 UTC: a, b, c and 1 more.',
  );
  const performance = {
    moved: 'moved',
    kind: 'realised',
    figure: 'meanAbsoluteError',
    value: 12.345,
    low: 12,
    high: 13,
    reference: 10,
  } as const;
  expect(
    episodeSentence({
      ...EPISODE,
      drivers: [{ feature: '', ...driver, detector: 'domainClassifier' }],
      performance,
    }),
  ).toBe(
    'Drift in churn version 3 (warning) since 1970-01-01 00:00 UTC: domainClassifier. Realised performance moved with it: mean absolute error 12.3, 10 on the reference.',
  );
});
