import { describe, expect, test } from '@jest/globals';
import { addressOf, mailHook, reportEvent } from '../../../src/alerts/report-events.js';
import type { PerformancePeriod } from '../../../src/domain/performance-figures.js';
import type { JudgedRetraining } from '../../../src/domain/retraining.js';
import { DAY_MS, HOUR_MS, type Window } from '../../../src/domain/window.js';
import { reportFacts } from '../../../src/http/report-schemas.js';
import { createExplainer } from '../../../src/jobs/explain-window.js';
import { createReportMaker, handId, type ReportRequest, reportId } from '../../../src/jobs/make-report.js';
import { reportMail } from '../../../src/views/report-mail.js';
import { escapeMarkdown, reportMarkdown } from '../../../src/views/report-markdown.js';
import { AWKWARD_NAMES, awkward } from '../../fakes/look-awkward.js';
import { createFakeViewStore, createLookFixture, type LookFixture } from '../../fakes/look-fixture.js';
import { START_MS } from '../../fakes/look-verdicts.js';
import { NO_PERFORMANCE } from '../../support/performance-rows.js';

const week = (n: number): Window => ({
  startMs: START_MS + 7 * n * DAY_MS,
  endMs: START_MS + 7 * (n + 1) * DAY_MS,
});
const fixture = createLookFixture(42, 40);
const NOW_MS = week(5).endMs;

/** Labels of a period: its figures fall with time. */
const performanceOf = ({ startMs, endMs }: Window): PerformancePeriod => {
  const value = 0.8 - (0.04 * (startMs - START_MS)) / (7 * DAY_MS);
  return {
    window: { startMs, endMs },
    ...{
      predictions: 280,
      labelled: 266,
      maturity: 0.95,
      usualMaturity: 0.99,
      status: 'decided',
      reason: null,
    },
    figures: { rocAuc: { value, low: value - 0.01, high: value + 0.01, rows: 266 } },
    ...{ confusion: [], classes: [] },
  };
};

function maker(of: LookFixture, options: { retrainings?: JudgedRetraining[]; labelled?: boolean } = {}) {
  const { retrainings = [], labelled = true } = options;
  const store = createFakeViewStore(of);
  return createReportMaker({
    store: {
      ...store,
      outlierCounts: async (_key, { startMs }) => ({
        scored: 280,
        flagged: startMs > week(3).startMs ? 14 : 2,
      }),
    },
    wallClock: { now: () => NOW_MS },
    explain: createExplainer({ store: { ...store, findReference: async () => null } }),
    performance: {
      performance: async ({ period, ...question }) => ({
        ...NO_PERFORMANCE,
        ...question,
        periods: labelled ? [performanceOf(period)] : [],
      }),
    },
    compareVersions: () => Promise.reject(new Error('there is one version')),
    retrainings: async () => retrainings,
  });
}

const request = (n: number, more: Partial<ReportRequest> = {}): ReportRequest => ({
  ...{ id: 'rep_1', model: 'flight-delay', schedule: 'weekly', timeZone: 'UTC', missed: 0 },
  ...{ period: week(n), previous: week(n - 1) },
  ...more,
});

describe('a report on a model', () => {
  test('is the same whoever makes it, and tells a week beside the one before', async () => {
    const first = await maker(fixture)(request(5));
    expect(await maker(fixture)(request(5))).toEqual(first);
    const facts = reportFacts.parse(JSON.parse(JSON.stringify(first.facts)));
    expect(facts).toMatchObject({ madeAtMs: NOW_MS, versionsLeftOut: 0, comparisons: [] });
    const [version] = facts.versions;
    expect(version?.windows.now.judged).toBe(7);
    expect(version?.windows.previous.judged).toBe(7);
    expect(version?.rows.now).toBe(280);
    expect(version?.performance?.now).toMatchObject({
      predictions: 280,
      maturity: 0.95,
      usualMaturity: 0.99,
    });
    expect(version?.outliers).toMatchObject({ share: { now: 0.05, previous: 14 / 280 } });
    expect(version?.features.length).toBeGreaterThan(0);
    for (const feature of version?.features ?? [])
      expect(feature.windowsMaterial.now + feature.windowsMaterial.previous).toBeGreaterThan(0);
    expect(facts.summary).toMatch(
      /of 7 judged windows drifted materially.*ROC AUC 0\.6, after 0\.64, with 95\u00a0% labelled\.$/,
    );
    expect(facts.changes).toContainEqual({
      ...{ kind: 'performance', modelVersion: '1', feature: null, worse: true },
      text: 'ROC AUC fell from 0.64 to 0.6: the 95 % intervals are apart.',
    });
  });

  test('holds no single row, whatever leaves the house', async () => {
    const { facts, html } = await maker(fixture)(request(5));
    const ids = fixture.outliers.map(({ predictionId }) => predictionId);
    expect(ids.length).toBeGreaterThan(0);
    for (const text of [html, JSON.stringify(facts), reportMarkdown(facts)])
      for (const id of ids) expect(text).not.toContain(id);
  });

  test('says of a period without rows that there were none', async () => {
    const { facts, html } = await maker(fixture, { labelled: false })(request(-60));
    expect(facts.versions).toMatchObject([{ rows: { now: 0, previous: 0 }, performance: { now: null } }]);
    expect(facts.summary).toMatch(/^No window was judged/);
    for (const text of [html, reportMarkdown(facts)]) expect(text).not.toMatch(/NaN|undefined|Infinity/);
    expect(reportMail(facts, undefined, 1).subject).toMatch(/: no predictions$/);
    const after = await maker(fixture)(request(6));
    expect(after.facts.changes).toContainEqual(expect.objectContaining({ kind: 'no_data', worse: true }));
  });

  test('tells each window once, where days of a zone cut it', async () => {
    const judged: number[] = [];
    for (let day = 20; day < 24; day += 1) {
      const at = (n: number) => START_MS + n * DAY_MS + 5 * HOUR_MS;
      const { facts } = await maker(fixture)(
        request(0, {
          timeZone: 'America/New_York',
          ...{
            period: { startMs: at(day), endMs: at(day + 1) },
            previous: { startMs: at(day - 1), endMs: at(day) },
          },
        }),
      );
      judged.push(facts.versions[0]?.windows.now.judged ?? 0);
    }
    expect(judged).toEqual([1, 1, 1, 1]);
  });

  test('says whether retraining cured', async () => {
    const [episode] = fixture.episodes;
    if (episode === undefined) throw new Error('the fixture has no episode');
    const retraining: JudgedRetraining = {
      ...{
        model: 'flight-delay',
        episodeId: episode.id,
        modelVersion: '2',
        announcedAtMs: week(5).startMs,
        by: 'ci',
        episode,
      },
      cure: {
        ...{ verdict: 'cured', reason: null, period: week(5) },
        windows: { clean: 3, drifted: 0, undecided: 0, needed: 2 },
        drivers: [
          { feature: 'temp', detector: 'ks', before: 0.6, after: 0.04, state: 'clean', reason: null },
        ],
      },
    };
    const own = { ...retraining, modelVersion: '1' };
    const { facts, html } = await maker(fixture, { retrainings: [own] })(request(5));
    const sentence = /Retraining cured the .* episode of/;
    expect(facts.versions[0]?.retrainings).toMatchObject([{ verdict: 'cured', episodeId: episode.id }]);
    for (const text of [facts.summary, html, reportMarkdown(facts), reportMail(facts, undefined, 0).text])
      expect(text).toMatch(sentence);
    expect(facts.changes.find(({ kind }) => kind === 'retraining')).toMatchObject({ worse: false });
  });

  test('takes any name for text, in every form', async () => {
    const odd = awkward(fixture);
    const model = odd.version.model;
    const { facts, html } = await maker(odd)(request(5, { model, schedule: 'weekly' }));
    const mail = reportMail(facts, `https://example.com/models/${encodeURIComponent(model)}`, 1);
    for (const page of [html, mail.html]) expect(page).not.toMatch(/<img|<script|NaN|undefined/);
    expect(mail.subject).not.toMatch(/[\r\n\u202e]/);
    expect(mail.subject.length).toBeLessThanOrEqual(180);
    const markdown = reportMarkdown(facts);
    expect(markdown).not.toMatch(/(?<!\\)<(?:img|script)/);
    // each line of a table has the cells of its head
    for (const block of markdown.split('\n\n').filter((each) => each.startsWith('|'))) {
      const cells = block
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split(/(?<!\\)\|/).length);
      expect(new Set(cells).size).toBe(1);
    }
    const event = reportEvent(facts, 'hook', 'https://example.com');
    expect(Buffer.byteLength(event.body)).toBeLessThan(20_000);
    expect(AWKWARD_NAMES.length).toBeGreaterThan(0);
  });

  test('of an unknown model or version fails with what to do', async () => {
    await expect(maker(fixture)(request(5, { model: 'nobody' }))).rejects.toMatchObject({
      ...{ code: 'unknown_model', message: 'model nobody has no registered version: register it first' },
    });
    await expect(maker(fixture)(request(5, { modelVersion: '9' }))).rejects.toThrow(
      /no registered version 9/,
    );
  });
});

describe('ids of reports', () => {
  test('are of model, schedule and period, and by hand another each time', () => {
    const id = reportId('m', 'daily', 1);
    expect(id).toMatch(/^rep_[0-9a-f]{32}$/);
    expect(reportId('m', 'daily', 1)).toBe(id);
    const others = [reportId('n', 'daily', 1), reportId('m', 'weekly', 1), reportId('m', 'daily', 2)];
    const byHand = [handId('m', week(0), 'a'), handId('m', week(0), 'b')];
    expect(new Set([id, ...others, ...byHand]).size).toBe(6);
  });
});

describe('an event about a report', () => {
  test('has an id for each hook, and people are hooks of their own', async () => {
    const { facts } = await maker(fixture)(request(5));
    const events = ['all', mailHook('a@example.com'), mailHook('b@example.com')].map((hook) =>
      reportEvent(facts, hook, null),
    );
    expect(new Set(events.map(({ id }) => id)).size).toBe(3);
    expect(events.map(({ hook }) => addressOf(hook))).toEqual([null, 'a@example.com', 'b@example.com']);
    expect(JSON.parse(events[0]?.body ?? '').data.links).toEqual({});
    expect(reportEvent(facts, 'all', null)).toEqual(events[0]);
  });
});

test('in Markdown nothing that comes from outside is markup', () => {
  expect(escapeMarkdown('a|b *c* <d> [e](f) `g`\n# h')).toBe(
    'a\\|b \\*c\\* \\<d\\> \\[e\\](f) \\`g\\` \\# h',
  );
});
