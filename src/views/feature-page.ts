import type { DriftReason } from '../domain/explanation.js';
import type { Verdict } from '../domain/verdict.js';
import type { Window } from '../domain/window.js';
import { distributionChart } from './charts/distribution.js';
import { timeSeriesChart } from './charts/time-series.js';
import type { FeatureData } from './data.js';
import { formatCount, formatNumber, formatPValue, formatWindow, NOTHING } from './format.js';
import { type Html, html, nameTag, shorten } from './html.js';
import { layout } from './layout.js';
import { featurePath, section, versionPath } from './parts.js';
import {
  amountWords,
  detectorWords,
  effectiveWords,
  featureSentence,
  REASON_WORDS,
  statisticWords,
  unitOf,
} from './sentences.js';
import { alarmRatio, LOOK_WORDS, lookOf, toneOf } from './severity.js';
import { reasonWords } from './why.js';

function windowPager(data: FeatureData): Html {
  const link = (window: Window | null, label: string) =>
    window === null ? '' : html`<a href="${featurePath(data.version, data.feature, window)}">${label}</a>`;
  const isWorst = data.worstWindow !== null && data.worstWindow.endMs === data.window.endMs;
  return html`<span class="pager">${link(data.previousWindow, '← window before')}${link(data.nextWindow, 'window after →')}${
    isWorst ? '' : link(data.worstWindow, 'worst window')
  }</span>`;
}

function verdictRow(verdict: Verdict): Html {
  const { effect } = verdict;
  const interval =
    effect === null
      ? NOTHING
      : html`${amountWords(verdict.detector, effect.value)} <span class="muted">${amountWords(verdict.detector, effect.low)} to ${amountWords(verdict.detector, effect.high)}</span>`;
  return html`<tr><td class="nowrap"><b>${verdict.detector}</b>${verdict.role === 'primary' ? '' : html` <span class="muted">descriptive</span>`}</td>
<td class="verdict"><i class="swatch tone-${toneOf(lookOf(verdict), alarmRatio(verdict))}"></i>${verdict.reason === null ? LOOK_WORDS[lookOf(verdict)] : html`undecided: ${REASON_WORDS[verdict.reason]}`}</td>
<td class="num">${statisticWords(verdict, verdict.statistic)}</td><td class="num">${statisticWords(verdict, verdict.threshold)}</td>
<td class="nowrap">${interval}</td><td class="num">${amountWords(verdict.detector, verdict.minimumEffect)}</td>
<td class="num">${formatPValue(verdict.pValue)}</td><td class="num">${formatPValue(verdict.adjustedPValue)}</td>
<td class="num">${amountWords(verdict.detector, verdict.smallestVisibleEffect)}</td></tr>`;
}

function verdictTable(data: FeatureData): Html {
  const lead = data.verdicts[0];
  if (lead === undefined)
    return html`<p class="empty">No verdict is stored for exactly this window (${formatWindow(data.window)}).</p>`;
  const sizes = html`Reference ${formatCount(lead.referenceRows)} rows, current ${formatCount(lead.currentRows)}; worth ${formatCount(lead.effectiveReferenceRows)} and ${formatCount(lead.effectiveCurrentRows)} independent ones for ${lead.detector} (${lead.null} null, design effect ${formatNumber(lead.designEffect)}).${
    lead.resolution === null || lead.resolution === 0
      ? ''
      : html` The grid can hide at most ${formatNumber(lead.resolution, 2)} of the statistic.`
  }`;
  return html`<div class="scroll"><table><thead><tr><th>Detector</th><th>Verdict</th><th class="num">Statistic</th><th class="num">Significant from</th><th>Effect, 95 % interval</th><th class="num">Material from</th><th class="num">p</th><th class="num">p, adjusted</th><th class="num">Smallest visible</th></tr></thead>
<tbody>${data.verdicts.map(verdictRow)}</tbody></table></div><p class="hint">${sizes}</p>`;
}

function seriesSection(data: FeatureData): Html {
  if (data.series.length === 0)
    return section(
      'Over time',
      formatWindow(data.range),
      html`<p class="empty">Nothing has been judged yet.</p>`,
    );
  const figures = data.series.map(
    (
      series,
    ) => html`<figure class="keep"><figcaption><b>${series.detector}</b> <span class="muted">${detectorWords(series.detector)}</span></figcaption>
${timeSeriesChart(series, {
  title: `${shorten(series.detector, 40)} of ${shorten(data.feature, 60)} over time`,
  range: data.range,
  unit: unitOf(series),
  selected: data.window,
  link: (window) => featurePath(data.version, data.feature, window),
})}</figure>`,
  );
  return section('Over time', formatWindow(data.range), html`${figures}${seriesLegend()}`);
}

export function seriesLegend(): Html {
  return html`<ul class="legend" aria-label="Lines"><li><i class="line-key"></i>significant from here</li><li><i class="line-key dotted"></i>material from here</li>
<li><i class="swatch tone-shade"></i>drifted and material</li><li><i class="swatch tone-undecided"></i>undecided or no data</li></ul>`;
}

/** One feature in one window: what it looks like against the reference, and how it got there. */
export function renderFeaturePage(data: FeatureData, reason: DriftReason | null = null): string {
  const { version } = data;
  const effective = data.verdicts[0] === undefined ? null : effectiveWords(data.verdicts[0]);
  return layout({
    title: `${shorten(data.feature, 60)} · ${shorten(version.model, 40)} · Plumbline`,
    crumbs: [
      { label: 'Models', href: '/' },
      {
        label: html`${nameTag(version.model, 40)} version ${nameTag(version.modelVersion, 30)}`,
        href: versionPath(version),
      },
      { label: nameTag(data.feature, 40) },
    ],
    generatedAtMs: data.generatedAtMs,
    links: true,
    body: html`<h1>${nameTag(data.feature, 80)} <span class="muted">${data.distribution?.unit === undefined ? data.kind : 'time, by its age'}</span></h1>
<p class="lede">${featureSentence(data)}</p>
${reason === null ? '' : html`<p><b>Why:</b> ${reasonWords(reason)}</p>`}
${section('Distribution', html`${formatWindow(data.window)} ${windowPager(data)}`, distributionChart(data.distribution, formatWindow(data.window)))}
${section('Verdicts', effective ?? '', verdictTable(data))}
${seriesSection(data)}`,
  });
}
