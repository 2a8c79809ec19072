import type { WindowExplanation } from '../domain/explanation.js';
import type { ReportChange, ReportedVersion, ReportFacts } from '../domain/report.js';
import type { VersionComparison } from '../domain/version-comparison.js';
import { timeSeriesChart } from './charts/time-series.js';
import type { ReportData } from './data.js';
import { seriesLegend } from './feature-page.js';
import { formatPercent, NOTHING, plural } from './format.js';
import { type Html, html, nameTag } from './html.js';
import { layout } from './layout.js';
import type { KnownPerformance } from './load-performance.js';
import { heatmapSection } from './model-page.js';
import { episodesTable, rankedTable, referenceFacts, section } from './parts.js';
import { performanceSection } from './performance.js';
import { featureFigure, HOW_TO_READ, qualityTable } from './report.js';
import type { LoadedVersion } from './report-facts.js';
import {
  comparisonRows,
  isolationWords,
  madeWords,
  missedSentence,
  performanceNote,
  reportTitle,
  zonedWindow,
} from './report-words.js';
import { retrainingSection } from './retrainings.js';
import { unitOf } from './sentences.js';
import { togetherSection } from './together.js';
import { differenceSection } from './versions.js';
import { whySection } from './why.js';

/** What a version's part of a report is drawn from. */
export interface DrawnVersion extends LoadedVersion {
  readonly facts: ReportedVersion;
  readonly explanation: WindowExplanation;
  readonly known: KnownPerformance | null;
}

function changeList(changes: readonly ReportChange[], several: boolean): Html {
  if (changes.length === 0)
    return html`<p class="empty">Nothing to speak of: no episode began or ended, and no column, figure or share moved.</p>`;
  const item = ({ text, worse, modelVersion }: ReportChange) =>
    html`<li><span class="badge ${worse === true ? 'drifting' : worse === false ? 'ok' : ''}">${several ? html`<span class="muted">version ${nameTag(modelVersion, 20)}</span>` : ''}</span> ${text}</li>`;
  return html`<ul class="changes">${changes.map(item)}</ul>`;
}

function comparisonTable({ period, previous, timeZone }: ReportFacts, version: ReportedVersion): Html {
  return html`<div class="scroll"><table><thead><tr><th></th><th class="num">${zonedWindow(previous, timeZone)}</th><th class="num">${zonedWindow(period, timeZone)}</th></tr></thead>
<tbody>${comparisonRows(version).map((row) => html`<tr><td>${row.label}</td><td class="num">${row.previous}</td><td class="num"><b>${row.now}</b></td></tr>`)}</tbody></table></div>`;
}

/** Without rows: what leaves the house by mail holds no one's values. */
function outlierPart({ outlierShare, range }: ReportData, facts: ReportedVersion): Html {
  const { share, scored } = facts.outliers;
  const chart =
    outlierShare === null
      ? html`<p class="empty">Rows have not been scored in this period.</p>`
      : timeSeriesChart(outlierShare, {
          title: 'Share of outlier rows over time',
          range,
          unit: unitOf(outlierShare),
        });
  return section(
    'Outliers',
    'rows unlike the reference (isolation forest), as a share of each window',
    html`${chart}${scored.now === 0 ? '' : html`<p>${formatPercent(share.now)} of ${plural(scored.now, 'row')}, after ${share.previous === null ? NOTHING : formatPercent(share.previous)} in the period before. ${isolationWords(facts)}</p>`}`,
  );
}

function versionPart(report: ReportFacts, drawn: DrawnVersion): Html {
  const { now, facts, explanation, known, retrainings } = drawn;
  const note = performanceNote(facts);
  return html`<h2 class="apart">Version ${nameTag(facts.modelVersion, 40)}</h2>
${section('Compared with the period before', '', comparisonTable(report, facts))}
${section('Episodes', 'open first', episodesTable(now.episodes, { links: false, showModel: false, marks: now.marks, retrainings }))}
${retrainingSection(retrainings)}
${heatmapSection(now, false)}
${whySection(explanation, { key: now.version, window: null })}
${performanceSection(known, now.period)}
${note === '' || facts.performance === null ? '' : html`<p class="hint">${note}</p>`}
<h3 class="apart">Most drifted features</h3>
${now.top.length === 0 ? html`<p class="empty">No feature drifted materially.</p>` : now.top.map((item) => featureFigure(now, item))}
${now.top.length === 0 ? '' : seriesLegend()}
${section('All features', 'by effect in the last judged window', rankedTable(now.ranked, { key: now.version, window: null, links: false }))}
${section('Data quality', 'whole period, reference → period', qualityTable(now.quality))}
${togetherSection(now)}
${outlierPart(now, facts)}
${section('Reference', 'what the version is compared with', referenceFacts(now.reference))}`;
}

/** A report that was made by itself: one HTML file without scripts or requests, for all versions of a model. */
export function renderScheduledReport(
  facts: ReportFacts,
  versions: readonly DrawnVersion[],
  comparisons: readonly VersionComparison[],
): string {
  const title = reportTitle(facts);
  const missed = missedSentence(facts);
  const out = facts.versionsLeftOut;
  return layout({
    title,
    crumbs: [{ label: 'Report' }],
    generatedAtMs: facts.madeAtMs,
    links: false,
    body: html`<h1>${nameTag(facts.model, 60)}</h1><p class="muted">${facts.schedule === 'manual' ? 'Report' : html`${facts.schedule} report`}, ${zonedWindow(facts.period, facts.timeZone)}. ${madeWords(facts)}</p>
<p class="lede">${facts.summary}</p>${missed === '' ? '' : html`<p class="hint">${missed}</p>`}
${section('What changed', 'against the period before', changeList(facts.changes, versions.length > 1))}
${versions.map((version) => versionPart(facts, version))}
${out === 0 ? '' : html`<p class="hint">${plural(out, 'version')} with fewer predictions ${out === 1 ? 'is' : 'are'} left out.</p>`}
${comparisons.map(
  (comparison) =>
    html`<h2 class="apart">Version ${nameTag(comparison.challenger.modelVersion, 40)} beside version ${nameTag(comparison.champion.modelVersion, 40)}</h2>${differenceSection(comparison, true)}`,
)}
${section('How to read this', '', HOW_TO_READ)}`,
  });
}
