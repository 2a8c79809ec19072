import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import type { ReportEntry, ReportStore, StoredReport } from '../domain/report.js';
import type { Window } from '../domain/window.js';
import { AppError } from '../errors.js';
import { sitePath } from '../views/html.js';
import { reportMarkdown } from '../views/report-markdown.js';
import type { Access } from './access.js';
import { PAGE_HEADERS } from './page-routes.js';
import { reportRunBody, reportsQuery } from './report-schemas.js';
import { checked, modelPath } from './request-schemas.js';

export interface ReportPorts {
  readonly store: Pick<ReportStore, 'listReports' | 'findReport'>;
  readonly runNow: (request: {
    model: string;
    modelVersion?: string | undefined;
    schedule?: string | undefined;
    period?: Window | undefined;
    announce: boolean;
    nonce: string;
  }) => Promise<StoredReport>;
}

const FILE = /^(rep_[0-9a-f]{32})(?:\.(html|md|json))?$/;

/** Where a report is found, below the service's address. */
function linksOf({ model, id }: Pick<ReportEntry, 'model' | 'id'>) {
  const api = sitePath('v1', 'models', model, 'reports', id);
  return {
    page: sitePath('models', model, 'reports', id),
    html: `${api}.html`,
    markdown: `${api}.md`,
    json: `${api}.json`,
  };
}

/** Reports that were made: lists of them, each as a page, Markdown or JSON, and one now. */
export function createReportRoutes({ store, runNow }: ReportPorts, access: Access): Router {
  const router = Router();

  router.get('/v1/models/:model/reports', access.require('read'), async (request, response) => {
    const { model } = checked(modelPath, request.params);
    const reports = await store.listReports({ model, ...definedOf(checked(reportsQuery, request.query)) });
    response.json({ reports: reports.map((entry) => ({ ...entry, links: linksOf(entry) })) });
  });

  router.get('/v1/models/:model/reports/:file', access.require('read'), async (request, response) => {
    const { model, file } = request.params as { model: string; file: string };
    const [, id, ending = 'json'] = FILE.exec(file) ?? [];
    const report = id === undefined ? null : await store.findReport(model, id);
    if (report === null) throw notThere(request);
    sendReport(response, report, ending);
  });

  router.post('/v1/models/:model/reports', access.require('admin'), async (request, response) => {
    const { model } = checked(modelPath, request.params);
    const { from, to, version, schedule, announce } = checked(reportRunBody, request.body ?? {});
    const period = from === undefined || to === undefined ? undefined : { startMs: from, endMs: to };
    const { facts } = await runNow({
      ...{ model, modelVersion: version, schedule, period, announce },
      nonce: randomUUID(),
    });
    response.status(201).json({ ...facts, links: linksOf(facts) });
  });

  return router;
}

const definedOf = ({ schedule, limit }: { schedule?: string | undefined; limit: number }) => ({
  limit,
  ...(schedule === undefined ? {} : { schedule }),
});

const notThere = ({ params }: Request) =>
  new AppError(
    'not_found',
    `there is no report ${String(params.file).slice(0, 60)} of this model: GET /v1/models/${encodeURIComponent(String(params.model))}/reports lists them`,
  );

function sendReport(response: Response, { facts, html }: StoredReport, ending: string): void {
  if (ending === 'html') response.set(PAGE_HEADERS).type('html').send(html);
  else if (ending === 'md')
    response.set('X-Content-Type-Options', 'nosniff').type('text/markdown').send(reportMarkdown(facts));
  else response.json(facts);
}
