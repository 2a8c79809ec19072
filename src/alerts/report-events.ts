import type { WebhookEvent } from '../domain/episode.js';
import { REPORT_READY, type ReportChange, type ReportFacts } from '../domain/report.js';
import type { Window } from '../domain/window.js';
import { cutLabel } from './cut-label.js';
import { eventId } from './webhook-events.js';

/** Told in an event; the report has all. Bodies stay below what Standard Webhooks asks for. */
const MAX_CHANGES = 20;
const MAX_VERSIONS = 10;
const MAX_TEXT_BYTES = 400;
const MAX_SUMMARY_BYTES = 2_000;

const MAIL_PREFIX = 'mail:';

/** What a hook that is a person is called in the outbox. */
export const mailHook = (address: string) => `${MAIL_PREFIX}${address}`;

/** The address of such a hook; null for all others. */
export const addressOf = (hook: string): string | null =>
  hook.startsWith(MAIL_PREFIX) ? hook.slice(MAIL_PREFIX.length) : null;

/** What the webhook of one report of a model is called: no name of a hook has a colon. */
export const reportHook = (schedule: string) => `report:${schedule}`;
export const isReportHook = (hook: string) => hook.startsWith('report:');

const windowJson = ({ startMs, endMs }: Window) => ({
  start: new Date(startMs).toISOString(),
  end: new Date(endMs).toISOString(),
});

/** Where people and programs find a report, below the service's address; null leaves the links out. */
export function reportLinks({ model, id }: Pick<ReportFacts, 'model' | 'id'>, publicUrl: string | null) {
  if (publicUrl === null) return {};
  const name = encodeURIComponent(model);
  const api = `${publicUrl}/v1/models/${name}/reports/${id}`;
  return {
    page: `${publicUrl}/models/${name}/reports/${id}`,
    html: `${api}.html`,
    markdown: `${api}.md`,
    json: `${api}.json`,
  };
}

const changeJson = ({ kind, modelVersion, feature, worse, text }: ReportChange) => ({
  kind,
  model_version: modelVersion,
  feature,
  worse,
  text: cutLabel(text, MAX_TEXT_BYTES),
});

/** The outbox entry that tells a hook, or a person, of a report: the summary and where the rest is. Never two for one report and hook. */
export function reportEvent(facts: ReportFacts, hook: string, publicUrl: string | null): WebhookEvent {
  const data = {
    model: facts.model,
    report: {
      id: facts.id,
      schedule: facts.schedule,
      time_zone: facts.timeZone,
      period: windowJson(facts.period),
      previous: windowJson(facts.previous),
      made_at: new Date(facts.madeAtMs).toISOString(),
      missed: facts.missed,
    },
    summary: cutLabel(facts.summary, MAX_SUMMARY_BYTES),
    changes: facts.changes.slice(0, MAX_CHANGES).map(changeJson),
    changes_left_out: Math.max(0, facts.changes.length - MAX_CHANGES),
    versions: facts.versions.slice(0, MAX_VERSIONS).map((version) => ({
      model_version: version.modelVersion,
      predictions: version.rows.now,
      windows_judged: version.windows.now.judged,
      windows_drifted: version.windows.now.drifted,
      windows_without_data: version.windows.now.noData,
      episodes_open: version.episodes.filter(({ state }) => state === 'open').length,
    })),
    links: reportLinks(facts, publicUrl),
  };
  return {
    id: eventId(facts.id, REPORT_READY, hook),
    type: REPORT_READY,
    model: facts.model,
    hook,
    episodeId: facts.id,
    body: JSON.stringify({ type: REPORT_READY, timestamp: new Date(facts.madeAtMs).toISOString(), data }),
    createdAtMs: facts.madeAtMs,
  };
}
