import type { WindowExplanation } from '../domain/explanation.js';
import { type DetectorRecord, detectorRecords } from '../domain/feedback.js';
import type { JudgedRetraining } from '../domain/retraining.js';
import type { SchemaChanges } from '../domain/schema-changes.js';
import type { LatencyAnswer } from '../domain/version-comparison.js';
import type { Window } from '../domain/window.js';
import { heatmapChart, heatmapLegend } from './charts/heatmap.js';
import { timeSeriesChart } from './charts/time-series.js';
import type { ModelData } from './data.js';
import { type KnownEpisodes, modelSnoozeForms, standingNotes } from './episode-words.js';
import {
  formatCount,
  formatPercent,
  formatTime,
  formatWindow,
  NOTHING,
  plural,
  windowParameter,
} from './format.js';
import { type Html, html, nameTag, shorten } from './html.js';
import { layout } from './layout.js';
import type { KnownPerformance } from './load-performance.js';
import {
  episodesTable,
  facts,
  featurePath,
  outliersTable,
  rankedTable,
  referenceFacts,
  section,
  versionPath,
} from './parts.js';
import { performanceSection } from './performance.js';
import { referenceHistory } from './reference-history.js';
import { retrainingSection, retrainingsShown } from './retrainings.js';
import { schemaSection } from './schema-section.js';
import { segmentSection } from './segments.js';
import { modelSentence, unitOf } from './sentences.js';
import { togetherSection } from './together.js';
import { versionsSection } from './versions.js';
import { whySection } from './why.js';

/** Links to the time before and after, and to all of it. */
function pager(data: ModelData): Html | string {
  const { judged, range } = data;
  if (judged === null) return '';
  const span = range.endMs - range.startMs;
  const link = (window: Window, label: string) =>
    html`<a href="${versionPath(data.version)}?range=${windowParameter(window)}">${label}</a>`;
  const earlier = { startMs: range.startMs - span, endMs: range.startMs };
  const later = { startMs: range.endMs, endMs: range.endMs + span };
  const whole = judged.startMs >= range.startMs && judged.endMs <= range.endMs;
  return html`<span class="pager">${judged.startMs < range.startMs ? link(earlier, '← earlier') : ''}${
    judged.endMs > range.endMs ? link(later, 'later →') : ''
  }${whole ? '' : link(judged, 'everything')}</span>`;
}

/** The heatmap with its key; shared with the report. */
export function heatmapSection(data: ModelData, links: boolean): Html {
  const key = data.version;
  return section(
    'Drift by feature and time',
    html`${formatWindow(data.range)} ${links ? pager(data) : ''}`,
    html`${heatmapChart(data.heatmap, {
      title: 'Drift by feature and time',
      episodes: data.episodes,
      ...(links
        ? {
            links: {
              feature: (feature: string) => featurePath(key, feature),
              window: (feature: string, window: Window) => featurePath(key, feature, window),
            },
          }
        : {}),
    })}${heatmapLegend()}
${data.truncated ? html`<p class="hint">This period holds more verdicts than one page reads; the newest are left out. Choose a shorter one.</p>` : ''}`,
  );
}

export function outlierSection(data: ModelData, links: boolean): Html {
  const chart =
    data.outlierShare === null
      ? html`<p class="empty">Rows have not been scored in this period.</p>`
      : timeSeriesChart(data.outlierShare, {
          title: 'Share of outlier rows over time',
          range: data.range,
          unit: unitOf(data.outlierShare),
        });
  const table = outliersTable(links ? data.outliers : data.outliers.slice(0, 10));
  return section(
    'Outliers',
    'rows unlike the reference (isolation forest), as a share of each window',
    html`${chart}
${data.outliers.length === 0 ? table : html`<h3>Highest scores</h3>${table}`}`,
  );
}

/** How often each detector's alarms were true, once anybody said so. */
function detectorRecordsTable({ episodes, marks }: ModelData): Html {
  if (!episodes.some(({ id }) => marks.has(id))) return html``;
  const row = ({ detector, trueEpisodes, falseEpisodes, unmarked }: DetectorRecord) => {
    const marked = trueEpisodes + falseEpisodes;
    return html`<tr><td>${detector}</td><td class="num">${formatCount(trueEpisodes)}</td><td class="num">${formatCount(falseEpisodes)}</td><td class="num">${formatCount(unmarked)}</td><td class="num">${marked === 0 ? NOTHING : formatPercent(trueEpisodes / marked)}</td></tr>`;
  };
  return html`<h3>What the detectors' alarms were worth</h3><div class="scroll"><table><thead><tr><th>Detector</th><th class="num">True</th><th class="num">False</th><th class="num">Not marked</th><th class="num">Precision</th></tr></thead><tbody>${detectorRecords(episodes, [...marks.values()]).map(row)}</tbody></table></div>`;
}

/** One model version: where and when it drifts, and why it did in the last judged window (null: not known). */
export function renderModelPage(
  data: ModelData,
  explanation: WindowExplanation | null = null,
  performance: KnownPerformance | null = null,
  latencies: LatencyAnswer | null = null,
  changes: SchemaChanges | null = null,
  judged: readonly JudgedRetraining[] = [],
  known: KnownEpisodes | null = null,
): string {
  const { version, lastRun } = data;
  const retrainings = retrainingsShown(judged, version, data.episodes);
  const name = html`${nameTag(version.model, 60)} <span class="muted">version ${nameTag(version.modelVersion, 40)}</span>`;
  return layout({
    title: `${shorten(version.model, 60)} ${shorten(version.modelVersion, 30)} · Plumbline`,
    crumbs: [{ label: 'Models', href: '/' }, { label: name }],
    generatedAtMs: data.generatedAtMs,
    links: true,
    body: html`<h1>${name}</h1><p class="lede">${modelSentence(data)}</p>
${facts([
  ['Task', version.schema.task],
  ['Predictions', formatCount(data.rows)],
  ['Newest event', data.watermarkMs === null ? NOTHING : formatTime(data.watermarkMs)],
  ['Last window', lastRun === null ? NOTHING : formatWindow(lastRun.window)],
  ['Windows shown', `${plural(data.windows.judged, 'judged window')}, ${data.windows.noData} without data`],
])}
${heatmapSection(data, true)}
${whySection(explanation, { key: version, window: lastJudged(data) })}
${section('Episodes', 'open first, the most urgent on top', html`<div id="episodes"></div>${known === null ? '' : standingNotes(known, version.modelVersion)}${episodesTable(data.episodes, { links: true, showModel: false, marks: data.marks, retrainings, ...(known === null ? {} : { shown: known.shown }) })}${known === null ? '' : modelSnoozeForms(version, known.silence)}${detectorRecordsTable(data)}`)}
${retrainingSection(retrainings)}
${performanceSection(performance, data.range)}
${versionsSection(version, latencies)}
${section('Features', 'by effect in the last judged window', rankedTable(data.ranked, { key: version, window: lastJudged(data), links: true }))}
${togetherSection(data)}
${schemaSection(changes)}
${segmentSection(data.segments)}
${outlierSection(data, true)}
${section('Reference', 'what the model is compared with', html`${referenceFacts(data.reference)}${referenceHistory(data.references, data.referenceChanges)}`)}`,
  });
}

/** The window whose features are shown. */
export function lastJudged(data: ModelData): Window | null {
  if (data.lastRun?.status === 'judged') return data.lastRun.window;
  return data.ranked.find((item) => item.verdict !== null)?.verdict?.window ?? null;
}
