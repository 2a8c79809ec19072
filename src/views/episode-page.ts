import type { EpisodeDetail } from '../domain/episode-desk.js';
import type { JudgedRetraining } from '../domain/retraining.js';
import { segmentName } from '../domain/segment.js';
import { episodeForms, HISTORY_WORDS, statusBadge } from './episode-words.js';
import { formatDuration, formatTime, formatWindow, NOTHING } from './format.js';
import { type Html, html, nameTag, shorten } from './html.js';
import { layout } from './layout.js';
import { facts, featurePath, section, versionPath } from './parts.js';
import { CATEGORY_WORDS, CURE_WORDS } from './retrainings.js';
import { amountWords } from './sentences.js';

function evidenceTable(episode: EpisodeDetail): Html {
  if (episode.evidence.length === 0)
    return html`<p class="empty">The windows of this episode are not kept any more.</p>`;
  return html`<div class="scroll"><table><thead><tr><th>Feature</th><th>Test</th><th class="num">Windows drifted</th><th>Largest effect</th><th>In window</th><th class="num">Counts from</th></tr></thead>
<tbody>${episode.evidence.map(({ feature, segment, detector, windows, peak, minimumEffect }) => {
    const name = html`${nameTag(feature === '' ? 'whole rows' : feature, 40)}${segment === undefined ? '' : html` <span class="muted">in ${nameTag(segmentName(segment), 40)}</span>`}`;
    return html`<tr><td class="name">${feature === '' ? name : html`<a href="${featurePath(episode, feature, peak.window)}">${name}</a>`}</td><td>${detector}</td><td class="num">${windows}</td>
<td class="nowrap">${amountWords(detector, peak.effect)}</td><td class="nowrap">${formatWindow(peak.window)}</td><td class="num">${amountWords(detector, minimumEffect)}</td></tr>`;
  })}</tbody></table></div>`;
}

function historyTable({ history }: EpisodeDetail): Html {
  return html`<div class="scroll"><table><thead><tr><th>When</th><th>What</th><th>Of</th><th>By</th><th>Until</th><th>Note</th></tr></thead>
<tbody>${history.map(
    ({ atMs, kind, scope, by, untilMs, note }) =>
      html`<tr><td class="nowrap">${formatTime(atMs)}</td><td class="nowrap">${HISTORY_WORDS[kind]}</td><td>${scope === 'episode' ? NOTHING : `its ${scope}`}</td><td>${nameTag(by, 40)}</td><td class="nowrap">${untilMs === null ? NOTHING : formatTime(untilMs)}</td><td class="name">${note === '' ? NOTHING : shorten(note, 300)}</td></tr>`,
  )}</tbody></table></div>`;
}

/** One episode: what it is about, who looks after it, and all that happened to it. */
export function renderEpisodePage(
  episode: EpisodeDetail,
  retrainings: readonly JudgedRetraining[],
  nowMs: number,
): string {
  const { model, modelVersion, category, firstWindow, closedBy, lastWindow } = episode;
  const name = html`${nameTag(model, 60)} <span class="muted">version ${nameTag(modelVersion, 40)}</span>`;
  const kind = CATEGORY_WORDS[category];
  const answers = retrainings.filter(({ episodeId }) => episodeId === episode.id);
  return layout({
    title: `${kind} episode of ${shorten(model, 60)} · Plumbline`,
    crumbs: [
      { label: 'Models', href: '/' },
      { label: name, href: versionPath(episode) },
      { label: `${kind} episode` },
    ],
    generatedAtMs: nowMs,
    links: true,
    body: html`<h1>${kind} episode <span class="muted">${formatTime(firstWindow.startMs)}</span></h1><p class="lede">${episode.sentence}</p>
${facts([
  ['State', statusBadge(episode, episode)],
  ['Severity', episode.severity],
  ['Lasted', formatDuration((closedBy ?? lastWindow).endMs - firstWindow.startMs)],
  ['Last window', formatWindow(lastWindow)],
  ['Reports', html`<a href="/reports">all reports</a>`],
  ...(answers.length === 0
    ? []
    : [
        [
          'Retrained as',
          html`${answers.map(({ modelVersion: version, cure }, i) => html`${i > 0 ? ', ' : ''}${nameTag(version, 30)} (${CURE_WORDS[cure.verdict]})`)}`,
        ] satisfies [string, Html],
      ]),
  ['Id', html`<span title="${episode.id}">${shorten(episode.id, 40)}</span>`],
])}
${episode.state === 'open' ? section('Look after it', 'snoozed, it is recorded and nobody is told', episodeForms(episode)) : ''}
${section(
  'What drove it',
  'tests that drifted in its windows, first what drifted most and longest',
  html`${(episode.why ?? []).map((reason) => html`<p>${reason}</p>`)}${evidenceTable(episode)}`,
)}
${section('History', '', historyTable(episode))}`,
  });
}
