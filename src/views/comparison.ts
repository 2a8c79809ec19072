import type { ComparedColumn, ComparedPart, Comparison } from '../domain/comparison.js';
import { distributionChart } from './charts/distribution.js';
import { sparkline } from './charts/sparkline.js';
import { lookOfColumn, windowsPicture } from './comparison-windows.js';
import { shownVerdict, summarySentence, verdictWords } from './comparison-words.js';
import { formatCount, formatPercent, formatPValue, NOTHING, plural } from './format.js';
import { type Html, html, nameTag } from './html.js';
import { layout } from './layout.js';
import { facts, section } from './parts.js';
import { rebin } from './rebin.js';
import { amountWords, detectorWords, statisticWords } from './sentences.js';
import { alarmRatio, type Look, toneOf } from './severity.js';

/** Pictures are for the columns that drifted most; more of them would not be looked at. */
const MAX_FIGURES = 40;
const MAX_PARTS = 400;

function toneOfColumn(column: ComparedColumn): string {
  const shown = shownVerdict(column);
  return toneOf(lookOfColumn(column), shown === null ? null : alarmRatio(shown));
}

function distributionOf({ counts }: ComparedColumn) {
  return counts === null ? null : rebin(counts.grid, counts.reference, counts.current);
}

const RANK: Readonly<Record<Look, number>> = { material: 0, minor: 1, undecided: 2, no_data: 2, stable: 3 };

/** Worst first, then as in the files. */
function ranked(columns: readonly ComparedColumn[]): ComparedColumn[] {
  const ratio = (column: ComparedColumn) => {
    const shown = shownVerdict(column);
    return shown === null ? 0 : (alarmRatio(shown) ?? 0);
  };
  return columns.toSorted((a, b) => RANK[lookOfColumn(a)] - RANK[lookOfColumn(b)] || ratio(b) - ratio(a));
}

function columnRow(column: ComparedColumn): Html {
  const shown = shownVerdict(column);
  const { reference, current } = column.missing;
  return html`<tr><td class="name">${nameTag(column.column, 40)}</td><td class="nowrap muted">${column.kind}</td><td>${sparkline(distributionOf(column))}</td>
<td class="nowrap"><i class="swatch tone-${toneOfColumn(column)}"></i>${verdictWords(column)}</td>
<td class="nowrap">${shown === null ? NOTHING : html`<span title="${detectorWords(shown.detector)}">${shown.detector}</span>`}</td>
<td class="num">${shown === null ? NOTHING : statisticWords(shown, shown.statistic)}</td>
<td class="num">${shown === null ? NOTHING : amountWords(shown.detector, shown.effect?.value)}</td>
<td class="num">${formatPValue(shown?.adjustedPValue ?? null)}</td>
<td class="num">${reference === null ? NOTHING : html`${formatPercent(reference)} → ${formatPercent(current)}`}</td></tr>`;
}

function columnsTable(columns: readonly ComparedColumn[]): Html {
  return html`<div class="scroll"><table><thead><tr><th>Column</th><th>Kind</th><th>Current over reference</th><th>Verdict</th><th>Test</th><th class="num">Statistic</th><th class="num">Effect</th><th class="num">p, adjusted</th><th class="num">Missing</th></tr></thead>
<tbody>${columns.map(columnRow)}</tbody></table></div>`;
}

function figure(column: ComparedColumn): Html {
  return html`<section class="keep"><div class="head"><h3>${nameTag(column.column, 60)}</h3><span class="hint">${verdictWords(column)}</span></div>
<p>${column.explanation}</p>
${distributionChart(distributionOf(column), 'Current')}</section>`;
}

function undecidedList(columns: readonly ComparedColumn[]): Html {
  return html`<ul>${columns.map((column) => html`<li>${column.explanation}</li>`)}</ul>`;
}

/** One row per window or segment, one square per column. */
function partsTable(kind: 'Window' | 'Segment', parts: readonly ComparedPart[]): Html {
  const shown = parts.slice(0, MAX_PARTS);
  const row = (part: ComparedPart) => {
    const drifted = part.columns.filter((column) => column.status === 'drifted');
    return html`<tr><td class="name">${nameTag(part.name, 50)}</td><td class="num">${formatCount(part.rows)}</td>
<td class="nowrap">${part.columns.map((column) => html`<i class="swatch tone-${toneOfColumn(column)}" title="${column.column}: ${verdictWords(column)}"></i>`)}</td>
<td class="moved">${
      drifted.length === 0
        ? html`<span class="muted">none</span>`
        : drifted.slice(0, 6).map((column, i) => html`${i > 0 ? ', ' : ''}${nameTag(column.column, 30)}`)
    }${drifted.length > 6 ? html` <span class="muted">and ${drifted.length - 6} more</span>` : ''}</td></tr>`;
  };
  return html`<div class="scroll"><table><thead><tr><th>${kind}</th><th class="num">Rows</th><th>Columns, in the order of the files</th><th>Drifted</th></tr></thead>
<tbody>${shown.map(row)}</tbody></table></div>
${parts.length > shown.length ? html`<p class="hint">${parts.length - shown.length} more are in the JSON document.</p>` : ''}`;
}

/** More rows than these are looked up, not read. */
const OPEN_PARTS = 31;

function windowsBody(parts: readonly ComparedPart[]): Html {
  const table = partsTable('Window', parts);
  const picture = windowsPicture(parts);
  if (picture === null || parts.length <= OPEN_PARTS) return html`${picture ?? ''}${table}`;
  return html`${picture}<details><summary>${plural(parts.length, 'window')}, one by one</summary>${table}</details>`;
}

const HOW_TO_READ = html`<p><b>Drifted</b> means: more than chance explains, after correction for the number of columns. <b>Small</b> means: significant, yet below the least size that matters; with many rows the smallest difference is significant.</p>
<p><b>Undecided</b> is not “no drift”: nothing can be said about such a column, and the reason is given.</p>`;

/** A comparison as one HTML file without scripts or requests. */
export function renderComparison(comparison: Comparison, nowMs: number): string {
  const { reference, current, together, windows, segments, notes } = comparison;
  const columns = ranked(comparison.columns);
  const drifted = columns.filter((column) => column.status === 'drifted');
  const undecided = columns.filter((column) => column.status === 'undecided');
  const names = (files: readonly string[]) =>
    html`${nameTag(files[0] ?? '', 80)}${files.length > 1 ? ` and ${plural(files.length - 1, 'more file')}` : ''}`;
  return layout({
    title: 'Comparison of two data sets',
    crumbs: [{ label: 'Comparison' }],
    generatedAtMs: nowMs,
    links: false,
    body: html`<h1>Comparison of two data sets</h1><p class="lede">${summarySentence(comparison)}</p>
${facts([
  ['Reference', html`${names(reference.files)}, ${formatCount(reference.rows)} rows`],
  ['Current', html`${names(current.files)}, ${formatCount(current.rows)} rows`],
  ['Level', `${formatPercent(comparison.level)} for all columns together`],
  ['SHA-256 of the reference', html`<span title="${reference.hash}">${reference.hash.slice(0, 12)}</span>`],
])}
${notes.length === 0 ? '' : html`<p class="hint">${notes.join(' ')}</p>`}
${section('All columns', 'worst first', columnsTable(columns))}
${together === null ? '' : section('Columns together', 'in a sample of rows of each side', html`<p>${together.explanation}</p>`)}
${windows === null ? '' : section('Windows', `each judged at level ${formatPercent(comparison.level)}, ${windows.null === 'iid' ? 'rows taken as independent' : 'against how much the reference’s own windows differ'}`, windowsBody(windows.parts))}
${segments === null ? '' : section(`Segments of ${segments.column}`, 'each compared with the same segment of the reference', partsTable('Segment', segments.parts))}
${drifted.length === 0 ? '' : html`<h2 class="apart">What drifted</h2>${drifted.slice(0, MAX_FIGURES).map(figure)}`}
${undecided.length === 0 ? '' : section('Undecided', 'and why', undecidedList(undecided))}
${section('How to read this', '', HOW_TO_READ)}`,
  });
}
