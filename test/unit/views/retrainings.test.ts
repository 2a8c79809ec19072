import { describe, expect, it } from '@jest/globals';
import type { Cure, CureDriver } from '../../../src/domain/cure.js';
import type { Episode } from '../../../src/domain/episode.js';
import type { JudgedRetraining } from '../../../src/domain/retraining.js';
import { DAY_MS } from '../../../src/domain/window.js';
import { episodesTable } from '../../../src/views/parts.js';
import { retrainingSection, retrainingSentence, retrainingsShown } from '../../../src/views/retrainings.js';

const START_MS = Date.UTC(2013, 3, 1);
const day = (n: number) => ({ startMs: START_MS + n * DAY_MS, endMs: START_MS + (n + 1) * DAY_MS });
const EPISODE: Episode = {
  id: 'e1',
  model: 'churn',
  modelVersion: '1',
  category: 'drift',
  severity: 'critical',
  state: 'open',
  firstWindow: day(0),
  openedBy: day(1),
  closedBy: null,
  lastWindow: day(1),
  drivers: [],
  openedAtMs: START_MS,
  closedAtMs: null,
};
const TEMP: CureDriver = {
  feature: 'temp',
  detector: 'ks',
  before: 0.61,
  after: 0.042,
  state: 'clean',
  reason: null,
};
const MISSING: CureDriver = {
  feature: 'wind',
  segment: { column: 'tags.region', value: 'eu' },
  detector: 'missing',
  before: 0.5,
  after: 0.48,
  state: 'drifted',
  reason: null,
};
const retrained = (cure: Partial<Cure>, modelVersion = '2'): JudgedRetraining => ({
  model: 'churn',
  episodeId: 'e1',
  modelVersion,
  announcedAtMs: START_MS + 9 * DAY_MS,
  by: '<b>ci</b>',
  episode: EPISODE,
  cure: {
    verdict: 'cured',
    reason: null,
    period: { startMs: day(5).startMs, endMs: day(6).endMs },
    windows: { clean: 2, drifted: 0, undecided: 0, needed: 2 },
    drivers: [TEMP],
    ...cure,
  },
});

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

describe('what became of retraining', () => {
  it.each<[string, Partial<Cure>]>([
    [
      'Retraining cured the drift episode of 1 Apr 2013: temp (ks) 0.61 → 0.042 in 2 clean windows of version 2 (6–7 Apr 2013).',
      {},
    ],
    [
      'Retraining did not cure the drift episode of 1 Apr 2013: wind in tags.region = eu (missing) 50 % → 48 %, material in 2 of 3 windows of version 2 (6–7 Apr 2013).',
      {
        verdict: 'not_cured',
        drivers: [TEMP, MISSING],
        windows: { clean: 1, drifted: 2, undecided: 0, needed: 2 },
      },
    ],
    [
      'Whether version 2 cured the drift episode of 1 Apr 2013 cannot be told yet: version 2 has no reference.',
      { verdict: 'cannot_tell', reason: 'no_reference', period: null, drivers: [] },
    ],
    [
      'Whether version 2 cured the drift episode of 1 Apr 2013 cannot be told yet: 1 clean window, 0 drifted, 3 undecided, where 2 clean in a row are needed; temp (ks): too few rows to decide anything.',
      {
        verdict: 'cannot_tell',
        reason: 'undecided',
        windows: { clean: 1, drifted: 0, undecided: 3, needed: 2 },
        drivers: [{ ...TEMP, after: null, state: 'undecided', reason: 'too_few_rows' }],
      },
    ],
  ])('%s', (sentence, cure) => {
    expect(plain(retrainingSentence(retrained(cure)))).toBe(sentence);
  });

  it('is a section with each test before and after, and takes no markup from names', () => {
    const text = plain(String(retrainingSection([retrained({ drivers: [TEMP, MISSING] })])));
    expect(text).toMatch(/<b>Version .*?2.*?: cured\.<\/b> Retraining cured/);
    expect(text).toMatch(/temp \(ks\).*?0\.61.*?0\.042.*?clean/);
    expect(text).toMatch(/50 %<\/td><td class="num">48 %<\/td><td>drifts/);
    expect(text).not.toContain('<b>ci</b>');
    expect(String(retrainingSection([]))).toBe('');
  });

  it('is a column of the episodes once there was some, with a link on pages only', () => {
    const options = {
      showModel: false,
      retrainings: [retrained({}), retrained({ verdict: 'not_cured' }, '3')],
    };
    const page = String(episodesTable([EPISODE, { ...EPISODE, id: 'e2' }], { ...options, links: true }));
    expect(page).toContain('<th>Retrained as</th>');
    expect(page).toMatch(/href="\/models\/churn\/versions\/2".*?cured.*?versions\/3".*?not cured/);
    expect(String(episodesTable([EPISODE], { ...options, links: false }))).not.toContain('href');
    expect(String(episodesTable([EPISODE], { showModel: false, links: true }))).not.toContain('Retrained');
  });

  it('is told of on pages of the version that was trained, and of the episodes shown', () => {
    const all = [retrained({}, '2'), { ...retrained({}, '3'), episodeId: 'e9' }];
    const shown = (modelVersion: string, episodes: Episode[]) =>
      retrainingsShown(all, { model: 'churn', modelVersion }, episodes).map((each) => each.modelVersion);
    expect(shown('1', [EPISODE])).toEqual(['2']);
    expect(shown('3', [])).toEqual(['3']);
    expect(shown('1', [])).toEqual([]);
  });
});
