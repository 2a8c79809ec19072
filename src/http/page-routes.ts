import { lstat, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Response, Router } from 'express';
import type { Clock } from '../domain/clock.js';
import type { Episode } from '../domain/episode.js';
import type { EpisodeDesk, ShownEpisode } from '../domain/episode-desk.js';
import type { WindowExplanation } from '../domain/explanation.js';
import type { VersionKey } from '../domain/ports.js';
import type { ReportStore } from '../domain/report.js';
import type { JudgedRetraining } from '../domain/retraining.js';
import { DAY_MS, type Window } from '../domain/window.js';
import { AppError, whereMissing } from '../errors.js';
import { renderEpisodePage } from '../views/episode-page.js';
import { loadEpisodes } from '../views/episode-words.js';
import { renderFeaturePage } from '../views/feature-page.js';
import { parseWindow } from '../views/format.js';
import { CONTENT_SECURITY_POLICY, renderNotice } from '../views/layout.js';
import { loadModel, loadOverview } from '../views/load.js';
import { loadFeature } from '../views/load-feature.js';
import { loadPerformance, type PerformanceSources } from '../views/load-performance.js';
import type { ViewStore } from '../views/load-sides.js';
import { lastJudged, renderModelPage } from '../views/model-page.js';
import { renderOverviewPage } from '../views/overview-page.js';
import { renderReportsPage } from '../views/reports-page.js';
import { renderSkewPage } from '../views/skew-page.js';
import { renderComparePage } from '../views/versions.js';
import type { SchemaPorts } from './schema-routes.js';
import type { VersionPorts } from './version-routes.js';

/** What report files are called: a plain name, so that no path can be formed from it. */
const REPORT_FILE = /^\w[\w.-]{0,200}\.html$/;

/** Newest ones on the page of reports; the API has all. */
const MAX_REPORTS = 200;

/** Longest period a page reads, ms. */
const MAX_SPAN_MS = 3_660 * DAY_MS;

/** Of everything that browsers show: nothing is loaded, run or kept. Without a referrer browsers hide the origin of our own forms, too. */
export const PAGE_HEADERS = {
  'Content-Security-Policy': `${CONTENT_SECURITY_POLICY}; frame-ancestors 'none'`,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const;

/** What is answered with a page that says so. */
const REFUSALS: ReadonlySet<string> = new Set(['unknown_model', 'not_found', 'invalid_request']);
const edges = ({ startMs, endMs }: Window) => ({ from: startMs, to: endMs });

interface ReportFile {
  readonly file: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

async function listReports(directory: string): Promise<ReportFile[]> {
  // Of none where no report has been written yet.
  const names = await readdir(directory).catch(whereMissing([]));
  const files = await Promise.all(
    names
      .filter((name) => REPORT_FILE.test(name))
      .map(async (file) => {
        // a link could lead out of the directory: only files count
        const entry = await lstat(join(directory, file));
        return entry.isFile() ? [{ file, bytes: entry.size, modifiedMs: entry.mtimeMs }] : [];
      }),
  );
  return files.flat().sort((a, b) => b.modifiedMs - a.modifiedMs || a.file.localeCompare(b.file, 'en'));
}

/**
 * The web page: `/`, a page per model version and per feature, and the reports of `reportsDirectory`.
 * Server-rendered, without scripts; what is not there answers 404 with a page that says so, an unreadable period 400.
 */
export function createPageRoutes(deps: {
  readonly store: ViewStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly reportsDirectory: string;
  /** Why a judged window drifted. */
  readonly explain: (key: VersionKey, window: Window) => Promise<{ explanation: WindowExplanation }>;
  /** How good a version was and was expected to be; not shown when left out. */
  readonly performance?: PerformanceSources;
  /** Versions side by side, their latencies, and their skew; without pages when left out. */
  readonly versions?: VersionPorts;
  /** How what production sends differs from what is declared; not shown when left out. */
  readonly schemaChanges?: SchemaPorts['schemaChanges'];
  /** Reports that were made by themselves; not shown when left out. */
  readonly reports?: Pick<ReportStore, 'listReports' | 'findReport'>;
  /** Versions trained for episodes, and what became of it; not shown when left out. */
  /** How people stand to episodes; without pages of theirs when left out. */
  readonly episodes?: EpisodeDesk;
  readonly retrainings?: (model: string, version: string) => Promise<readonly JudgedRetraining[]>;
}): Router {
  const { store, clock } = deps;
  const reportsDirectory = resolve(deps.reportsDirectory);
  const router = Router();

  function send(res: Response, page: string, status = 200): void {
    res.status(status).set(PAGE_HEADERS).type('html').send(page);
  }

  function notFound(res: Response, message: string): void {
    send(res, renderNotice({ heading: 'Not found', message, nowMs: clock.now() }), 404);
  }

  /** A period of the query: null when absent, undefined after it was answered with 400. */
  function readWindow(res: Response, value: unknown, name: string): Window | null | undefined {
    if (value === undefined) return null;
    const window = typeof value === 'string' ? parseWindow(value) : null;
    if (window !== null && window.endMs - window.startMs <= MAX_SPAN_MS) return window;
    const message = `${name} is a start and an end on whole hours, at most ten years apart, for example ${name}=2013-03-01/2013-03-02.`;
    send(res, renderNotice({ heading: 'That period cannot be read', message, nowMs: clock.now() }), 400);
    return undefined;
  }

  /** How people stand to open episodes, by id. */
  async function standingsOf(open: readonly Episode[]): Promise<Map<string, ShownEpisode>> {
    const models = deps.episodes === undefined ? [] : [...new Set(open.map(({ model }) => model))];
    const shown = await Promise.all(
      models.map((model) => deps.episodes?.list({ model, state: 'open', limit: open.length }) ?? []),
    );
    return new Map(shown.flat().map((episode) => [episode.id, episode]));
  }

  router.get('/', async (_req, res) => {
    const overview = await loadOverview(store, clock.now());
    send(res, renderOverviewPage(overview, await standingsOf(overview.openEpisodes)));
  });

  router.get('/models/:model', async (req, res) => {
    const { model } = req.params;
    const versions = (await store.listModels()).filter((known) => known.model === model);
    const newest = versions.sort((a, b) => b.registeredAtMs - a.registeredAtMs)[0];
    if (newest === undefined) return notFound(res, `Model ${model} is not registered.`);
    res.redirect(`/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(newest.modelVersion)}`);
  });

  router.get('/models/:model/versions/:version', async (req, res) => {
    const range = readWindow(res, req.query.range, 'range');
    if (range === undefined) return;
    const key = { model: req.params.model, modelVersion: req.params.version };
    const loaded = await loadModel(store, key, range, clock.now());
    if (loaded === null)
      return notFound(res, `Model ${key.model} has no registered version ${key.modelVersion}.`);
    const judged = lastJudged(loaded.data);
    const explained = judged === null ? null : await deps.explain(key, judged);
    const period = loaded.data.range;
    const performance = await loadPerformance(deps.performance ?? {}, key, period);
    const latencies = (await deps.versions?.latencies({ model: key.model, ...edges(period) })) ?? null;
    const changes =
      (await deps.schemaChanges?.({ ...key, ...(judged === null ? {} : edges(judged)) })) ?? null;
    const retrainings = await deps.retrainings?.(key.model, key.modelVersion);
    const known = deps.episodes === undefined ? null : await loadEpisodes(deps.episodes, key.model);
    const { explanation = null } = explained ?? {};
    send(res, renderModelPage(loaded.data, explanation, performance, latencies, changes, retrainings, known));
  });

  router.get('/models/:model/versions/:version/features/:feature', async (req, res) => {
    const window = readWindow(res, req.query.window, 'window');
    if (window === undefined) return;
    const { model, version, feature } = req.params;
    const key = { model, modelVersion: version };
    const data = await loadFeature(store, key, feature, window, clock.now());
    if (data === null)
      return notFound(
        res,
        `Model ${model} version ${version} is not registered or has no column ${feature}.`,
      );
    const drifted = data.verdicts.some(({ role, status }) => role === 'primary' && status === 'drifted');
    const explained = drifted ? (await deps.explain(key, data.window)).explanation : null;
    const reasons = explained === null ? [] : [...explained.features, ...explained.outputs];
    send(res, renderFeaturePage(data, reasons.find((reason) => reason.feature === data.feature) ?? null));
  });

  /** What is asked for may not be there, or be no period: that is a page, too. */
  async function sendAsked(res: Response, page: () => Promise<string>): Promise<void> {
    try {
      send(res, await page());
    } catch (error) {
      if (!(error instanceof AppError) || !REFUSALS.has(error.code)) throw error;
      if (error.code !== 'invalid_request') return notFound(res, error.message);
      const nowMs = clock.now();
      send(res, renderNotice({ heading: 'That cannot be compared', message: error.message, nowMs }), 400);
    }
  }

  const { episodes } = deps;
  if (episodes !== undefined)
    router.get('/models/:model/versions/:version/episodes/:episode', async (req, res) => {
      const { model, version, episode: id } = req.params;
      await sendAsked(res, async () => {
        const episode = await episodes.read(model, id);
        if (episode.modelVersion !== version)
          throw new AppError('not_found', `Version ${version} of ${model} has no episode ${id}.`);
        return renderEpisodePage(episode, (await deps.retrainings?.(model, version)) ?? [], clock.now());
      });
    });

  const { versions } = deps;
  if (versions !== undefined) {
    router.get('/models/:model/compare/:champion/:challenger', async (req, res) => {
      const range = readWindow(res, req.query.range, 'range');
      if (range === undefined) return;
      const { model, champion, challenger } = req.params;
      const asked = { model, champion, challenger, bucket: null, ...(range === null ? {} : edges(range)) };
      await sendAsked(res, async () => renderComparePage(await versions.compareVersions(asked), clock.now()));
    });

    router.get('/models/:model/versions/:version/skew', async (req, res) => {
      const { model, version: modelVersion } = req.params;
      await sendAsked(res, async () =>
        renderSkewPage(await versions.skew({ model, modelVersion }), clock.now()),
      );
    });
  }

  router.get('/reports', async (_req, res) => {
    const reports = (await deps.reports?.listReports({ limit: MAX_REPORTS })) ?? [];
    const files = await listReports(reportsDirectory);
    send(res, renderReportsPage({ reports, files, nowMs: clock.now() }));
  });

  router.get('/models/:model/reports/:id', async (req, res) => {
    const { model, id } = req.params;
    const report = (await deps.reports?.findReport(model, id)) ?? null;
    if (report === null)
      return notFound(res, `Model ${model} has no report ${id}: it may be kept no longer.`);
    send(res, report.html);
  });

  router.get('/reports/:file', async (req, res) => {
    const { file } = req.params;
    // only what the listing shows: nothing outside the directory has a name that it could show
    const known = (await listReports(reportsDirectory)).some((each) => each.file === file);
    if (!known) return notFound(res, `There is no report ${file}.`);
    res.set(PAGE_HEADERS).sendFile(file, { root: reportsDirectory });
  });

  return router;
}
