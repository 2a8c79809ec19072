import type { WindowExplanation } from '../domain/explanation.js';
import type { JudgedRetraining } from '../domain/retraining.js';
import type { VersionComparison } from '../domain/version-comparison.js';
import { distributionChart } from './charts/distribution.js';
import { timeSeriesChart } from './charts/time-series.js';
import type { MonthSummary, QualityRow, ReportData, ReportFeature } from './data.js';
import { seriesLegend } from './feature-page.js';
import {
  formatCount,
  formatMonth,
  formatNumber,
  formatPercent,
  formatRatio,
  formatTime,
  formatWindow,
  NOTHING,
  plural,
} from './format.js';
import { type Html, html, nameTag, shorten } from './html.js';
import { layout } from './layout.js';
import type { KnownPerformance } from './load-performance.js';
import { heatmapSection, outlierSection } from './model-page.js';
import { episodesTable, facts, rankedTable, referenceFacts, section } from './parts.js';
import { performanceSection } from './performance.js';
import { retrainingSection, retrainingSentence } from './retrainings.js';
import { amountWords, detectorWords, moveWords, unitOf } from './sentences.js';
import { togetherSection } from './together.js';
import { differenceSection } from './versions.js';
import { whySection } from './why.js';

const MONTH_FEATURES = 6;

/** Retrainings that the opening tells of, newest first; the section has all. */
const OPENING_RETRAININGS = 2;

/** The report in a few sentences. */
export function reportSentence(data: ReportData, retrainings: readonly JudgedRetraining[] = []): string {
  return [windowSentence(data), ...retrainings.slice(0, OPENING_RETRAININGS).map(retrainingSentence)].join(
    ' ',
  );
}

/** What drifted in the period, and its episodes. */
export function windowSentence(data: ReportData): string {
  const { windows } = data;
  const when = formatWindow(data.period);
  if (windows.judged === 0)
    return windows.noData > 0
      ? `No rows arrived: ${plural(windows.noData, 'window')} without data (${when}).`
      : `No window was judged (${when}).`;
  const drifted = data.months.reduce((sum, month) => sum + month.windowsDrifted, 0);
  const judged = data.months.reduce((sum, month) => sum + month.windowsJudged, 0);
  const totals = new Map<string, number>();
  for (const month of data.months)
    for (const item of month.features)
      if (item.windowsMaterial > 0)
        totals.set(item.feature, (totals.get(item.feature) ?? 0) + item.windowsMaterial);
  const top = [...totals].sort((a, b) => b[1] - a[1]).slice(0, 3);
  const names = top.map(([feature, count]) => `${shorten(feature, 40)} (${count})`).join(', ');
  const open = data.episodes.filter((episode) => episode.state === 'open').length;
  const head =
    drifted === 0
      ? `None of ${plural(judged, 'judged window')} drifted materially.`
      : `${formatCount(drifted)} of ${plural(judged, 'judged window')} drifted materially, most often in ${names}.`;
  const gaps = windows.noData > 0 ? ` ${plural(windows.noData, 'window')} had no data.` : '';
  const episodes =
    data.episodes.length === 0
      ? 'No episode.'
      : `${plural(data.episodes.length, 'episode')}, ${open === 0 ? 'none' : open} still open.`;
  return `${head}${gaps} ${episodes}`;
}

function monthRow(month: MonthSummary): Html {
  const items = month.features.slice(0, MONTH_FEATURES).map((item) => {
    const tone = item.windowsMaterial > 0 ? 'material-2' : 'minor';
    return html`<tr><td class="name"><i class="swatch tone-${tone}"></i>${nameTag(item.feature, 40)} <span class="muted">${item.detector}</span></td>
<td class="num">${amountWords(item.detector, item.medianEffect)}</td><td class="num">${amountWords(item.detector, item.maxEffect)}</td><td class="num">${formatRatio(item.maxRatio)}</td>
<td class="num">${item.windowsMaterial} of ${item.windowsDecided}</td><td class="apart">${item.windowsMaterial > 0 ? 'material' : 'significant only'}</td></tr>`;
  });
  const more = month.features.length - items.length;
  const note = `${plural(month.windowsJudged, 'window')} judged, ${month.windowsDrifted} with material drift${
    month.windowsNoData > 0 ? `, ${month.windowsNoData} without data` : ''
  }${month.windowsUndecided > 0 ? `, ${month.windowsUndecided} undecided` : ''}${more > 0 ? `; ${plural(more, 'more test')} significant` : ''}`;
  return html`<tbody class="keep"><tr><th colspan="6" scope="rowgroup" class="month"><b>${formatMonth(month.window.startMs)}</b> <span class="muted">${note}</span></th></tr>
${items.length === 0 ? html`<tr><td colspan="6" class="muted">${month.windowsJudged === 0 ? 'nothing was judged' : 'nothing drifted'}</td></tr>` : items}</tbody>`;
}

function monthTable(months: readonly MonthSummary[]): Html {
  if (months.length === 0) return html`<p class="empty">Nothing was judged.</p>`;
  return html`<div class="scroll"><table><thead><tr><th>Feature and test</th><th class="num">Median effect</th><th class="num">Largest</th><th class="num">Times its alarm</th><th class="num">Windows material</th><th class="apart">Matters?</th></tr></thead>
${months.map(monthRow)}</table></div>`;
}

/** One of the most drifted features, with its pictures. */
export function featureFigure(data: ReportData, item: ReportFeature): Html {
  const { ranked, series } = item;
  const move = moveWords(ranked);
  return html`<section class="keep"><div class="head"><h3>${nameTag(ranked.feature, 60)}</h3><span class="hint">${plural(ranked.windowsMaterial, 'window')} with material drift of ${ranked.windowsDecided} decided${move === null ? '' : html` · whole period: ${move}`}</span></div>
${distributionChart(ranked.distribution, formatWindow(data.period))}
${
  series === null
    ? ''
    : html`<figure><figcaption><b>${series.detector}</b> <span class="muted">${detectorWords(series.detector)}</span></figcaption>
${timeSeriesChart(series, { title: `${shorten(series.detector, 40)} of ${shorten(ranked.feature, 60)} over time`, range: data.range, unit: unitOf(series) })}</figure>`
}</section>`;
}

export function qualityTable(rows: readonly QualityRow[]): Html {
  const pair = (share: { reference: number | null; current: number | null } | null) =>
    share === null ? NOTHING : `${formatPercent(share.reference)} → ${formatPercent(share.current)}`;
  const range = (min: number | null, max: number | null) =>
    min === null || max === null ? NOTHING : `${formatNumber(min)} to ${formatNumber(max)}`;
  return html`<div class="scroll"><table><thead><tr><th>Column</th><th class="num">Missing</th><th class="num">Unseen values</th><th class="num">Wrong type</th><th class="num">Not finite</th><th class="num">Range in reference</th><th class="num">Range in period</th><th class="num">Windows material</th></tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr><td class="name">${nameTag(row.feature, 40)}</td><td class="num">${pair(row.missing)}</td><td class="num">${pair(row.unseen)}</td><td class="num">${formatCount(row.mistyped)}</td><td class="num">${formatCount(row.nonFinite)}</td><td class="num">${range(row.referenceMin, row.referenceMax)}</td><td class="num">${range(row.min, row.max)}</td><td class="num">${formatCount(row.windowsMaterial)}</td></tr>`,
  )}</tbody></table></div>`;
}

export const HOW_TO_READ = html`<p><b>Significant</b> means: more than windows of this length usually differ from the reference, after correction for the number of columns. <b>Material</b> means: the effect also reaches the least size that matters. Only what is both opens an episode.</p>
<p><b>Undecided</b> is not “no drift”: there were no rows, too few rows, or no window of this length could tell. <b>Of its alarm</b> is how far the weaker of the two conditions has come; at 1× both hold.</p>
<p>Traffic is correlated, so a window of many rows may be worth few independent ones. Where the reference has timestamps, its own windows show how much is usual (temporal null), and sample sizes are divided by that.</p>`;

/** A report: one HTML file without scripts or requests, for reading and for printing. */
export function renderReport(
  data: ReportData,
  explanation: WindowExplanation | null = null,
  performance: KnownPerformance | null = null,
  comparisons: readonly VersionComparison[] = [],
  retrainings: readonly JudgedRetraining[] = [],
): string {
  const { version } = data;
  const name = html`${nameTag(version.model, 60)} <span class="muted">version ${nameTag(version.modelVersion, 40)}</span>`;
  return layout({
    title: `Drift report: ${shorten(version.model, 60)} ${shorten(version.modelVersion, 30)}, ${formatWindow(data.period)}`,
    crumbs: [{ label: 'Drift report' }],
    generatedAtMs: data.generatedAtMs,
    links: false,
    body: html`<h1>${name}</h1><p class="muted">${formatWindow(data.period)}</p><p class="lede">${reportSentence(data, retrainings)}</p>
${facts([
  ['Predictions in the period', formatCount(data.rowsInPeriod)],
  ['Windows', `${plural(data.windows.judged, 'judged window')}, ${data.windows.noData} without data`],
  ['Task', version.schema.task],
  ['Newest event', data.watermarkMs === null ? NOTHING : formatTime(data.watermarkMs)],
  [
    'Reference',
    data.reference === null
      ? NOTHING
      : html`<span title="${data.reference.hash}">${data.reference.hash.slice(0, 12)}</span>`,
  ],
])}
${heatmapSection(data, false)}
${section('Month by month', 'what drifted, by how much, and whether it matters', monthTable(data.months))}
${section('Episodes', 'open first', episodesTable(data.episodes, { links: false, showModel: false, retrainings }))}
${retrainingSection(retrainings)}
${whySection(explanation, { key: version, window: null })}
${performanceSection(performance, data.period)}
${comparisons.map(
  (comparison) =>
    html`<h2 class="apart">Version ${nameTag(comparison.challenger.modelVersion, 40)} beside version ${nameTag(comparison.champion.modelVersion, 40)}</h2>${differenceSection(comparison, true)}`,
)}
<h2 class="apart">Most drifted features</h2>
${data.top.length === 0 ? html`<p class="empty">No feature drifted materially.</p>` : data.top.map((item) => featureFigure(data, item))}
${data.top.length === 0 ? '' : seriesLegend()}
${section('All features', 'by effect in the last judged window', rankedTable(data.ranked, { key: version, window: null, links: false }))}
${section('Data quality', 'whole period, reference → period', qualityTable(data.quality))}
${togetherSection(data)}
${outlierSection(data, false)}
${section('How to read this', '', HOW_TO_READ)}
${section('Reference', 'what the model is compared with', referenceFacts(data.reference))}`,
  });
}
