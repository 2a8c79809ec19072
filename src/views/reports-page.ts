import { formatNumber, formatTime } from './format.js';
import { html, sitePath } from './html.js';
import { layout } from './layout.js';
import { section } from './parts.js';

/** The reports that were written, newest first. */
export function renderReportsPage(data: {
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
    body: html`<h1>Reports</h1>${section('Written reports', 'each is one file that opens without a server', body)}`,
  });
}
