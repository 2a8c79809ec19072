import { randomUUID } from 'node:crypto';
import { createMailer, type Mailer, type MailMessage } from '../alerts/mail-sink.js';
import {
  addressOf,
  isReportHook,
  mailHook,
  reportEvent,
  reportHook,
  reportLinks,
} from '../alerts/report-events.js';
import type { Sink } from '../alerts/sink.js';
import { type ModelConfig, modelConfig, readSecret } from '../config.js';
import type { WebhookEvent } from '../domain/episode.js';
import type { StoredReport } from '../domain/report.js';
import { AppError, messageOf } from '../errors.js';
import { reportFileName } from '../jobs/build-report.js';
import { createClaimer } from '../jobs/claimer.js';
import { createVersionComparer } from '../jobs/compare-versions.js';
import { createExplainer } from '../jobs/explain-window.js';
import { createReportMaker } from '../jobs/make-report.js';
import { createConceptDriftReader } from '../jobs/read-concept-drift.js';
import { createEstimateReader } from '../jobs/read-estimates.js';
import { createPerformanceReader } from '../jobs/read-performance.js';
import { createRetrainingReader } from '../jobs/read-retrainings.js';
import { createScheduledReports, LEASE_MS } from '../jobs/scheduled-reports.js';
import type { Job } from '../jobs/scheduler.js';
import { reportMail } from '../views/report-mail.js';
import { reportMarkdown } from '../views/report-markdown.js';
import { episodePolicy } from './alarm-settings.js';
import type { Parts } from './parts.js';
import { type Hooks, publicUrlOf } from './webhooks.js';

export const REPORTS = 'reports';

export type ReportConfig = ModelConfig['reports'][number];

/** What reports, on request and by themselves, are made from. */
export function reportSources({ config, store, policies }: Pick<Parts, 'config' | 'store' | 'policies'>) {
  const setting = (model: string) => modelConfig(config, model).performance;
  const performance = createPerformanceReader({ store, setting });
  const estimates = createEstimateReader({ store, setting, realised: performance });
  return {
    explain: createExplainer({ store }),
    known: { performance, estimates, conceptDrift: createConceptDriftReader({ store }) },
    compareVersions: createVersionComparer({ store, setting }),
    retrainings: createRetrainingReader({
      store,
      policyFor: (model) => episodePolicy(policies.settings(model)),
    }),
  };
}

export type ReportSources = ReturnType<typeof reportSources>;

/** Reports that are made by themselves, or on request and kept beside them; hooks as in `createHooks`. */
export function wireReports(parts: Parts, sources: ReportSources, hooks: () => Hooks) {
  const { config, store, clock, wallClock, metrics, logger } = parts;
  const publicUrl = publicUrlOf(config);

  /** First what people wait for: a crash between two is made up for, as ids are derived. */
  async function announce({ facts }: StoredReport, setting: ReportConfig): Promise<void> {
    const told = [
      ...(setting.webhook === undefined ? [] : [reportHook(setting.name)]),
      ...hooks()
        .hooksFor(facts.model)
        .filter(({ settings: { name, on } }) => on.includes('report') && !isReportHook(name))
        .map(({ settings }) => settings.name),
      ...setting.to.map(mailHook),
    ];
    for (const hook of told) await store.saveEvent(reportEvent(facts, hook, publicUrl));
  }

  return createScheduledReports<ReportConfig>({
    store,
    settings: (model) => modelConfig(config, model).reports,
    stepMs: (model) => modelConfig(config, model).window.step,
    makeReport: createReportMaker({
      store,
      wallClock,
      explain: sources.explain,
      performance: sources.known,
      compareVersions: sources.compareVersions,
      retrainings: sources.retrainings,
    }),
    announce,
    clock,
    wallClock,
    claim:
      'dataDir' in config.store
        ? async () => true
        : createClaimer({ leases: store, owner: randomUUID(), ttlMs: LEASE_MS }),
    metrics,
    logger,
  });
}

const FILES = {
  html: { ending: 'html', contentType: 'text/html; charset=utf-8', of: ({ html }: StoredReport) => html },
  markdown: {
    ending: 'md',
    contentType: 'text/markdown; charset=utf-8',
    of: ({ facts }: StoredReport) => reportMarkdown(facts),
  },
  json: {
    ending: 'json',
    contentType: 'application/json',
    of: ({ facts }: StoredReport) => JSON.stringify(facts, null, 2),
  },
} as const;

/** What an event of a report says to a person who gets it. */
async function composeMail(
  { config, store }: Pick<Parts, 'config' | 'store'>,
  event: WebhookEvent,
  address: string,
): Promise<MailMessage | null> {
  const report = await store.findReport(event.model, event.episodeId);
  if (report === null) return null;
  const { facts } = report;
  const settings = modelConfig(config, event.model).reports;
  const setting =
    settings.find(({ name }) => name === facts.schedule) ?? settings.find(({ to }) => to.includes(address));
  const formats = setting?.formats ?? (['html'] as const);
  const key = { model: facts.model, modelVersion: facts.schedule };
  const name = reportFileName(key, facts.period).replace(/\.html$/, '');
  const { page } = reportLinks(facts, config.http.publicUrl === undefined ? null : publicUrlOf(config)) as {
    page?: string;
  };
  return {
    ...reportMail(facts, page, formats.length),
    attachments: formats.map((format) => {
      const { ending, contentType, of } = FILES[format];
      return { filename: `${name}.${ending}`, contentType, content: of(report) };
    }),
  };
}

/**
 * Mails to people; null where the configuration names no server. Secrets are read now, so that a wrong one is found at the start.
 *
 * @throws AppError config_invalid
 */
function wireMail(parts: Pick<Parts, 'config' | 'store'>): Mailer | null {
  const { config } = parts;
  const { mail } = config;
  if (mail === undefined) return null;
  const { host, port, tls, user, from, passwordEnv, passwordFile, caFile } = mail;
  const read = (ref: Parameters<typeof readSecret>[0]) => {
    try {
      return readSecret(ref);
    } catch (error) {
      throw new AppError('config_invalid', `mail: ${messageOf(error)}`, { cause: error });
    }
  };
  return createMailer({
    server: {
      ...{ host, port, tls, user, from },
      ca: caFile === undefined ? undefined : read({ secretFile: caFile }),
      password: user === undefined ? undefined : read({ secretEnv: passwordEnv, secretFile: passwordFile }),
    },
    compose: (event, address) => composeMail(parts, event, address),
    dryRun: config.webhooks.dryRun,
  });
}

/**
 * Where events go: to hooks, and to people whom the model's reports still name.
 *
 * @throws AppError config_invalid, when a secret of the mail server cannot be read
 */
export function sinksOf(
  parts: Pick<Parts, 'config' | 'store'>,
  hooks: Hooks,
): (event: WebhookEvent) => Sink | null {
  const mailer = wireMail(parts);
  return ({ model, hook }) => {
    const address = addressOf(hook);
    if (address === null) return hooks.find(model, hook)?.sink ?? null;
    const named = modelConfig(parts.config, model).reports.some(({ to }) => to.includes(address));
    return named ? (mailer?.sinkFor(address) ?? null) : null;
  };
}

/** The detector's part: makes what is due while this process `leads`. */
export function wireReportsJob(parts: Parts, hooks: Hooks, leads: () => boolean): Job {
  const reports = wireReports(parts, reportSources(parts), () => hooks);
  return {
    name: REPORTS,
    cron: parts.config.reports.cron,
    run: async () => {
      if (leads()) await reports.run();
    },
  };
}
