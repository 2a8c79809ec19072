import type { PerformancePeriod } from '../domain/performance-figures.js';
import type { VersionKey } from '../domain/ports.js';
import type {
  FigureDifference,
  LatencyAnswer,
  LatencySummary,
  VersionComparison,
  VersionFigure,
} from '../domain/version-comparison.js';
import type { Window } from '../domain/window.js';
import { distributionChart } from './charts/distribution.js';
import { performanceChart } from './charts/performance-line.js';
import {
  formatCount,
  formatNumber,
  formatPercent,
  formatWindow,
  NOTHING,
  windowParameter,
} from './format.js';
import { type Html, html, nameTag, shorten, sitePath } from './html.js';
import { layout } from './layout.js';
import { facts, section, versionPath } from './parts.js';
import { CANARY_REASONS, FIGURE_WORDS, roughly } from './version-words.js';

const VERDICT_WORDS: Readonly<Record<FigureDifference['verdict'], string>> = {
  better: 'better',
  worse: 'worse',
  equivalent: 'as good',
  undecided: 'cannot tell yet',
};
/** Pairs of classes that a page shows. */
const PAIRS = 9;

export function comparePath(
  { model, champion, challenger }: { model: string; champion: string; challenger: string },
  range: Window | null = null,
): string {
  const path = sitePath('models', model, 'compare', champion, challenger);
  return range === null ? path : `${path}?range=${windowParameter(range)}`;
}

const interval = (low: number | null | undefined, high: number | null | undefined) =>
  low == null || high == null ? NOTHING : `${formatNumber(low)} to ${formatNumber(high)}`;

function figureTable({ figures, figure }: VersionComparison): Html {
  const row = (name: VersionFigure, one: FigureDifference) => {
    const words = FIGURE_WORDS[name];
    const needed =
      one.labelsNeeded === null
        ? ''
        : `about ${roughly(one.labelsNeeded.expected)} more labels${one.labelsNeeded.atMost === null ? '' : `, ${roughly(one.labelsNeeded.atMost)} at most`}`;
    const why = one.reason === null ? '' : CANARY_REASONS[one.reason];
    return html`<tr><td class="name">${name === figure ? html`<b>${words}</b>` : words}</td>
<td class="num">${formatNumber(one.champion, 4)}</td><td class="num">${formatNumber(one.challenger, 4)}</td><td class="num">${formatNumber(one.difference.value)}</td>
<td class="num">${interval(one.difference.low, one.difference.high)}</td><td class="num">${interval(one.sequence?.low, one.sequence?.high)}</td>
<td class="apart">${VERDICT_WORDS[one.verdict]}</td><td class="muted">${[why, needed].filter((text) => text !== '').join('; ')}</td></tr>`;
  };
  return html`<div class="scroll"><table><thead><tr><th>Figure</th><th class="num">Champion</th><th class="num">Challenger</th><th class="num">Difference</th><th class="num">95 % of one look</th><th class="num">At every look</th><th class="apart">Challenger is</th><th></th></tr></thead>
<tbody>${(Object.entries(figures) as [VersionFigure, FigureDifference][]).map(([name, one]) => row(name, one))}</tbody></table></div>`;
}

/** The deciding figure's difference over time; the dashed line is none. */
function differenceChart({ periods, figure, period }: VersionComparison): Html | string {
  if (figure === null || periods.length < 2) return '';
  const points = periods.map(
    ({ window, difference }): PerformancePeriod => ({
      window,
      predictions: difference.rows,
      labelled: difference.rows,
      maturity: 1,
      usualMaturity: null,
      status: 'decided',
      reason: null,
      figures: { difference },
      confusion: [],
      classes: [],
    }),
  );
  const words = FIGURE_WORDS[figure];
  return html`<figure><figcaption><b>${words}, challenger − champion</b> <span class="muted">each with the 95 % interval of one look; dashed: no difference</span></figcaption>
${performanceChart(points, { figure: 'difference', title: `Difference of ${words} over time`, range: period, reference: 0 })}</figure>`;
}

/** What labels say of both versions; in a report, which has no lede about it, with the sentence. */
export function differenceSection(comparison: VersionComparison, lede: boolean): Html {
  const { figures, paired, summary, requests } = comparison;
  return section(
    'Which is better',
    paired
      ? html`${formatCount(requests.labelled)} requests that both answered, with labels, row by row`
      : 'all labelled rows of each version: their requests are not the same ones',
    html`${lede ? html`<p>${summary}</p>` : ''}${Object.keys(figures).length === 0 ? '' : figureTable(comparison)}${differenceChart(comparison)}`,
  );
}

function agreementSection({ agreement, requests, champion, challenger }: VersionComparison): Html {
  if (agreement === null)
    return section(
      'Agreement',
      '',
      html`<p class="empty">No request was answered by both versions. Where both see the same requests, <code>performance.requestId</code> says how predictions name them.</p>`,
    );
  const pairs = agreement.classes.slice(0, PAIRS);
  const total = Math.max(1, agreement.classified);
  return section(
    'Agreement',
    'before any label',
    html`${facts([
      ['Requests that both answered', formatCount(requests.matched)],
      [
        'Same class',
        agreement.share === null
          ? NOTHING
          : html`<span title="${interval(agreement.share.low, agreement.share.high)}">${formatPercent(agreement.share.value)}</span>`,
      ],
      ['Cohen’s kappa', agreement.kappa === null ? NOTHING : formatNumber(agreement.kappa)],
      ['Mean distance', agreement.distance === null ? NOTHING : formatNumber(agreement.distance.value)],
      ['Rows without a request', `${formatCount(champion.unnamed)} and ${formatCount(challenger.unnamed)}`],
      [
        'Rows of one request with others',
        `${formatCount(champion.ambiguous)} and ${formatCount(challenger.ambiguous)}`,
      ],
    ])}
${
  pairs.length === 0
    ? ''
    : html`<div class="scroll"><table><thead><tr><th>Champion</th><th>Challenger</th><th class="num">Requests</th><th class="num">Share</th></tr></thead>
<tbody>${pairs.map((pair) => html`<tr><td>${nameTag(pair.champion, 40)}</td><td>${nameTag(pair.challenger, 40)}</td><td class="num">${formatCount(pair.rows)}</td><td class="num">${formatPercent(pair.rows / total)}</td></tr>`)}</tbody></table></div>`
}`,
  );
}

const ms = (value: number | undefined) => (value === undefined ? NOTHING : `${formatNumber(value)} ms`);

/** How long the answers of some versions took. */
export function latencyTable(
  rows: readonly { readonly name: Html | string; readonly latency: LatencySummary | null }[],
): Html {
  if (rows.every(({ latency }) => latency === null))
    return html`<p class="empty">No event said how long its answer took (<code>latency_ms</code>).</p>`;
  return html`<div class="scroll"><table><thead><tr><th>Version</th><th class="num">Answers</th><th class="num">p50</th><th class="num">p95</th><th class="num">p99</th></tr></thead>
<tbody>${rows.map(({ name, latency }) => html`<tr><td class="name">${name}</td><td class="num">${latency === null ? NOTHING : formatCount(latency.rows)}</td><td class="num">${ms(latency?.p50)}</td><td class="num">${ms(latency?.p95)}</td><td class="num">${ms(latency?.p99)}</td></tr>`)}</tbody></table></div>`;
}

/** On a model's page: latencies of all versions, and a link to this one beside each other; nothing where there is neither. */
export function versionsSection(key: VersionKey, answer: LatencyAnswer | null): Html | string {
  if (answer === null) return '';
  const { versions } = answer;
  if (versions.length < 2 && versions.every(({ latency }) => latency === null)) return '';
  return section(
    'Versions',
    html`how long they took; <a href="${versionPath(key)}/skew">training against the first week of production</a>`,
    latencyTable(
      versions.map(({ modelVersion, latency }) => ({
        name:
          modelVersion === key.modelVersion
            ? html`${nameTag(modelVersion, 40)} <span class="muted">this one</span>`
            : html`${nameTag(modelVersion, 40)} <a href="${comparePath({ model: key.model, champion: key.modelVersion, challenger: modelVersion })}">beside this one</a>`,
        latency,
      })),
    ),
  );
}

/** Champion and challenger over the same time. */
export function renderComparePage(comparison: VersionComparison, generatedAtMs: number): string {
  const { model, champion, challenger, distributions, period } = comparison;
  const sides = [champion, challenger];
  const words = {
    reference: `Version ${shorten(champion.modelVersion, 40)}`,
    current: `Version ${shorten(challenger.modelVersion, 40)}`,
  };
  const name = html`${nameTag(model, 60)} <span class="muted">version ${nameTag(challenger.modelVersion, 40)} beside ${nameTag(champion.modelVersion, 40)}</span>`;
  return layout({
    title: `${shorten(model, 60)} ${words.current} beside ${words.reference} · Plumbline`,
    crumbs: [
      { label: 'Models', href: '/' },
      { label: nameTag(model, 60), href: versionPath({ model, modelVersion: champion.modelVersion }) },
      { label: `${words.current} beside ${words.reference}` },
    ],
    generatedAtMs,
    links: true,
    body: html`<h1>${name}</h1><p class="lede">${comparison.summary}</p>
${facts([
  ['Period', formatWindow(period)],
  ['Predictions', sides.map(({ predictions }) => formatCount(predictions)).join(' and ')],
  ['Labelled', sides.map(({ labelled }) => formatCount(labelled)).join(' and ')],
  ['Answered by both', formatCount(comparison.requests.matched)],
  [
    'Turn round',
    html`<a href="${comparePath({ model, champion: challenger.modelVersion, challenger: champion.modelVersion }, period)}">${words.reference} beside ${words.current}</a>`,
  ],
])}
${differenceSection(comparison, false)}
${section(
  'What they predict',
  'the same time on the same axes',
  html`${distributions.map(
    ({ feature, distance, distribution }) =>
      html`<h3>${nameTag(feature, 40)} <span class="muted">Jensen–Shannon distance ${distance === null ? NOTHING : formatNumber(distance)}</span></h3>${distributionChart(distribution, words.current, words)}`,
  )}${distributions.length === 0 ? html`<p class="empty">No prediction of both versions is counted in this period.</p>` : ''}`,
)}
${agreementSection(comparison)}
${section(
  'Latency',
  'from when a request came until it was answered, as sent with the predictions',
  latencyTable(
    sides.map(({ modelVersion, latency }) => ({
      name: html`<a href="${versionPath({ model, modelVersion })}">${nameTag(modelVersion, 40)}</a>`,
      latency,
    })),
  ),
)}`,
  });
}
