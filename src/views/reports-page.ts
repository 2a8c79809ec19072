import type { ReportEntry } from '../domain/report.js';
import { formatNumber, formatTime, plural } from './format.js';
import { type Html, html, nameTag, shorten, sitePath } from './html.js';
import { layout } from './layout.js';
import { section } from './parts.js';
import { zonedWindow } from './report-words.js';

/** Shown of a summary; the report has it whole. */
const SUMMARY = 240;

function keptTable(reports: readonly ReportEntry[]): Html {
  if (reports.length === 0)
    return html`<p class="empty">None yet. A schedule under <code>reports</code> in a model's configuration makes them; <code>plumbline report run MODEL</code> makes one now.</p>`;
  const row = (report: ReportEntry) => {
    const { model, id, schedule, period, timeZone, madeAtMs, missed, summary } = report;
    const api = sitePath('v1', 'models', model, 'reports', id);
    return html`<tr><td class="name"><a href="${sitePath('models', model, 'reports', id)}">${nameTag(model, 40)}</a></td><td class="nowrap">${schedule}</td><td class="nowrap">${zonedWindow(period, timeZone)}</td><td>${shorten(summary, SUMMARY)}${missed === 0 ? '' : html` <span class="muted">${plural(missed, 'earlier one')} missed</span>`}</td><td class="nowrap">${formatTime(madeAtMs)}</td><td class="nowrap"><a href="${api}.md">Markdown</a> <a href="${api}.json">JSON</a></td></tr>`;
  };
  return html`<div class="scroll"><table><thead><tr><th>Model</th><th>Schedule</th><th>Period</th><th>Summary</th><th>Made</th><th>Also as</th></tr></thead><tbody>${reports.map(row)}</tbody></table></div>`;
}

/** The reports that were made by themselves, and those that were written on request, newest first. */
export function renderReportsPage(data: {
  readonly reports: readonly ReportEntry[];
  readonly files: readonly { file: string; bytes: number; modifiedMs: number }[];
  readonly nowMs: number;
}): string {
  const rows = data.files.map(
    (each) =>
      html`<tr><td class="name"><a href="${sitePath('reports', each.file)}">${each.file}</a></td><td class="nowrap">${formatTime(each.modifiedMs)}</td><td class="num">${formatNumber(each.bytes / 1024)} KiB</td></tr>`,
  );
  const body =
    rows.length === 0
      ? html`<p class="empty">None yet. <code>plumbline report MODEL</code> writes one.</p>`
      : html`<table><thead><tr><th>File</th><th>Written</th><th class="num">Size</th></tr></thead><tbody>${rows}</tbody></table>`;
  return layout({
    title: 'Reports · Plumbline',
    crumbs: [{ label: 'Models', href: '/' }, { label: 'Reports' }],
    generatedAtMs: data.nowMs,
    links: true,
    body: html`<h1>Reports</h1>${section('Scheduled reports', 'newest first', keptTable(data.reports))}
${section('Written reports', 'each is one file that opens without a server', body)}`,
  });
}
