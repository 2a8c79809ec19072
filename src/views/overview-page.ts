import type { ShownEpisode } from '../domain/episode-desk.js';
import type { OverviewData, VersionSummary } from './data.js';
import { formatCount, formatTime, formatWindow, NOTHING, plural } from './format.js';
import { type Html, html, nameTag } from './html.js';
import { layout } from './layout.js';
import { episodesTable, facts, featurePath, section, stateBadge, versionPath } from './parts.js';
import { amountWords } from './sentences.js';
import { LOOK_WORDS, type Look } from './severity.js';

function sentence(data: OverviewData): string {
  if (data.versions.length === 0) return 'No model is registered yet.';
  const count = (state: VersionSummary['state']) =>
    data.versions.filter((each) => each.state === state).length;
  const parts = [`${plural(data.versions.length, 'model version')} watched`];
  if (count('drifting') > 0) parts.push(`${count('drifting')} drifting`);
  if (count('no_data') > 0) parts.push(`${count('no_data')} without data`);
  if (count('undecided') > 0) parts.push(`${count('undecided')} undecided`);
  if (count('ok') === data.versions.length) parts.push('all ok');
  return `${parts.join(', ')}.`;
}

/** The columns of the last window as one thin bar, worst on the left. */
function lookBar(looks: VersionSummary['looks']): Html {
  const total = Object.values(looks).reduce((sum, count) => sum + count, 0);
  if (total === 0) return html`<span class="muted">${NOTHING}</span>`;
  const order: [Look, string][] = [
    ['material', 'material-3'],
    ['minor', 'minor'],
    ['stable', 'stable-2'],
    ['undecided', 'undecided'],
    ['no_data', 'none'],
  ];
  const words = order
    .filter(([look]) => looks[look] > 0)
    .map(([look]) => `${looks[look]} ${LOOK_WORDS[look]}`);
  return html`<span class="looks" title="${words.join(', ')}">${order
    .filter(([look]) => looks[look] > 0)
    .map(([look, tone]) => html`<i class="tone-${tone}" style="flex:${looks[look]}"></i>`)}</span>
<span class="muted">${looks.material} of ${total}</span>`;
}

function row(summary: VersionSummary): Html {
  const { version, lastRun } = summary;
  const worst = summary.worst.map(
    (verdict) =>
      html`<span><a href="${featurePath(version, verdict.feature, verdict.window)}">${nameTag(verdict.feature, 30)}</a> <span class="muted">${verdict.detector} ${amountWords(verdict.detector, verdict.effect?.value)}</span></span>`,
  );
  return html`<tr><td>${stateBadge(summary.state)}</td>
<td class="name"><a href="${versionPath(version)}"><b>${nameTag(version.model, 50)}</b> ${nameTag(version.modelVersion, 30)}</a></td>
<td class="nowrap">${lookBar(summary.looks)}</td><td><div class="tags">${worst.length === 0 ? html`<span class="muted">${NOTHING}</span>` : worst}</div></td>
<td class="num">${summary.openEpisodes.length}</td>
<td class="nowrap">${lastRun === null ? html`<span class="muted">none yet</span>` : html`${formatWindow(lastRun.window)}${lastRun.status === 'no_data' ? html` <span class="muted">no data</span>` : ''}`}</td>
<td class="nowrap">${summary.watermarkMs === null ? NOTHING : formatTime(summary.watermarkMs)}</td><td class="num">${formatCount(summary.rows)}</td></tr>`;
}

/** All models: what state each is in, and what is open. */
export function renderOverviewPage(
  data: OverviewData,
  shown: ReadonlyMap<string, ShownEpisode> = new Map(),
): string {
  const { totals } = data;
  const models =
    data.versions.length === 0
      ? html`<p class="empty">Register one with <code>plumbline model register</code>, then send predictions to <code>POST /v1/ingest</code>.</p>`
      : html`<div class="scroll"><table><thead><tr><th>State</th><th>Model and version</th><th>Columns drifted</th><th>Worst now</th><th class="num">Open episodes</th><th>Last window</th><th>Newest event</th><th class="num">Predictions</th></tr></thead>
<tbody>${[...data.versions].sort(byUrgency).map(row)}</tbody></table></div>`;
  return layout({
    title: 'Models · Plumbline',
    crumbs: [{ label: 'Models' }],
    generatedAtMs: data.generatedAtMs,
    links: true,
    body: html`<h1>Models</h1><p class="lede">${sentence(data)}</p>
${facts([
  ['Predictions stored', formatCount(totals.predictions)],
  ['Labels stored', formatCount(totals.labels)],
  ['Labels matched', formatCount(totals.labelsMatched)],
  ['Rejected rows', formatCount(totals.rejected)],
  ['Open episodes', formatCount(data.openEpisodes.length)],
])}
${section('State', '', models)}
${section('Open episodes', '', data.openEpisodes.length === 0 ? html`<p class="empty">None is open.</p>` : episodesTable(data.openEpisodes, { links: true, showModel: true, shown }))}`,
  });
}

const URGENCY = { drifting: 0, no_data: 1, undecided: 2, ok: 3 } as const;

function byUrgency(a: VersionSummary, b: VersionSummary): number {
  return (
    URGENCY[a.state] - URGENCY[b.state] ||
    a.version.model.localeCompare(b.version.model, 'en') ||
    a.version.modelVersion.localeCompare(b.version.modelVersion, 'en', { numeric: true })
  );
}
