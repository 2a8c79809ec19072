import * as Plot from '@observablehq/plot';
import type { Episode } from '../../domain/episode.js';
import { DAY_MS, type Window } from '../../domain/window.js';
import type { HeatCell, Heatmap } from '../data.js';
import { formatNumber, formatRatio, formatWindow, plural } from '../format.js';
import { escapeHtml, type Html, html, shorten } from '../html.js';
import { LOOK_WORDS, paintOf, toneOf } from '../severity.js';
import { emptyChart, renderChart } from './render.js';

const WIDTH = 1000;
const ROW_HEIGHT = 21;
const TOP = 8;
const BOTTOM = 36;
const MARGIN_RIGHT = 8;

export interface HeatmapLinks {
  readonly feature: (feature: string) => string;
  readonly window: (feature: string, window: Window) => string;
}

function tooltip(heatmap: Heatmap, cell: HeatCell): string {
  const name = shorten(heatmap.features[cell.row] ?? '', 60);
  const lines = [`${name} · ${formatWindow(cell.windows > 1 ? cell.column : cell.window)}`];
  const verdict = cell.worst;
  if (cell.windows > 1)
    lines.push(`worst of ${plural(cell.windows, 'window')}: ${formatWindow(cell.window)}`);
  const ratio = cell.ratio === null || cell.look === 'undecided' ? '' : ` · ${formatRatio(cell.ratio)} alarm`;
  lines.push(`${LOOK_WORDS[cell.look]}${ratio}`);
  if (verdict !== null && verdict.reason !== null) lines.push(verdict.reason.replaceAll('_', ' '));
  else if (verdict !== null)
    lines.push(
      `${shorten(verdict.detector, 30)} ${formatNumber(verdict.statistic)} (significant from ${formatNumber(verdict.threshold)})`,
    );
  return lines.join('\n');
}

/**
 * Feature × time, worst feature on top; a strip above shows when episodes were open.
 * Rows are drawn by number, never by name, so equal or strange names cannot collide.
 */
export function heatmapChart(
  heatmap: Heatmap,
  options: { readonly episodes?: readonly Episode[]; readonly links?: HeatmapLinks; readonly title: string },
): Html {
  if (heatmap.features.length === 0 || heatmap.cells.length === 0)
    return emptyChart('No window has been judged in this period yet.');
  const { range, columnMs, features } = heatmap;
  const links = options.links;
  const labels = features.map((name, row) => ({ row, name, label: shorten(name, 20) }));
  const longest = Math.max(8, ...labels.map((label) => Array.from(label.label).length));
  const marginLeft = Math.min(180, 16 + longest * 8);
  const columns = (range.endMs - range.startMs) / columnMs;
  const inset = (WIDTH - marginLeft) / Math.max(1, columns) > 5 ? 0.75 : 0;
  const episodes = (options.episodes ?? []).filter(
    (episode) =>
      episode.firstWindow.startMs < range.endMs &&
      (episode.closedBy?.endMs ?? Number.POSITIVE_INFINITY) > range.startMs,
  );
  const rows = [...(episodes.length > 0 ? [-1] : []), ...labels.map((label) => label.row)];
  const bars = episodes.map((episode) => ({
    row: -1,
    x1: new Date(Math.max(episode.firstWindow.startMs, range.startMs)),
    x2: new Date(Math.min(episode.closedBy?.endMs ?? range.endMs, range.endMs)),
    fill: `var(--episode-${episode.severity})`,
    title: `${episode.category} episode, ${episode.severity}, ${episode.state}\nfrom ${formatWindow(episode.firstWindow)}${
      episode.closedBy === null ? '' : `\nto ${formatWindow(episode.closedBy)}`
    }`,
  }));
  const rowLinks =
    links === undefined ? {} : { href: (label: (typeof labels)[number]) => links.feature(label.name) };
  const cells = drawCells(heatmap, {
    left: marginLeft,
    top: TOP + (rows.length - labels.length) * ROW_HEIGHT,
    inset,
    links,
  });
  return renderChart(
    {
      width: WIDTH,
      height: TOP + BOTTOM + rows.length * ROW_HEIGHT,
      marginLeft,
      marginRight: MARGIN_RIGHT,
      marginTop: TOP,
      marginBottom: BOTTOM,
      x: { type: 'utc', domain: [new Date(range.startMs), new Date(range.endMs)], label: null },
      y: { type: 'band', domain: rows, axis: null, padding: 0 },
      color: { type: 'identity' },
      marks: [
        Plot.axisX({ tickSize: 5, tickSpacing: 90, fontSize: 12, color: 'var(--muted)' }),
        Plot.text(labels, {
          y: 'row',
          text: 'label',
          title: (label: (typeof labels)[number]) => shorten(label.name, 300),
          frameAnchor: 'left',
          textAnchor: 'end',
          dx: -8,
          fontSize: 12,
          fill: 'var(--ink)',
          ...rowLinks,
        }),
        Plot.rect(bars, {
          x1: 'x1',
          x2: 'x2',
          y: 'row',
          fill: 'fill',
          title: 'title',
          insetTop: 6,
          insetBottom: 7,
          rx: 3,
        }),
        ...(episodes.length === 0
          ? []
          : [
              Plot.text([{ row: -1, label: 'episodes' }], {
                y: 'row',
                text: 'label',
                frameAnchor: 'left',
                textAnchor: 'end',
                dx: -8,
                fontSize: 12,
                fill: 'var(--muted)',
              }),
            ]),
      ],
    },
    {
      title: options.title,
      description: describe(heatmap),
    },
    cells,
  );
}

/**
 * The cells as SVG text. Plot would make an element of a document for each, a hundred times the work: a page of three
 * months held the service up for a third of a second.
 */
function drawCells(
  heatmap: Heatmap,
  place: {
    readonly left: number;
    readonly top: number;
    readonly inset: number;
    readonly links: HeatmapLinks | undefined;
  },
): string {
  const { range, features } = heatmap;
  const { left, top, inset, links } = place;
  const scale = (WIDTH - MARGIN_RIGHT - left) / (range.endMs - range.startMs);
  const xOf = (ms: number) =>
    left + (Math.min(Math.max(ms, range.startMs), range.endMs) - range.startMs) * scale;
  const parts = heatmap.cells.map((cell) => {
    const x = xOf(cell.column.startMs) + inset;
    const width = Math.max(0, xOf(cell.column.endMs) - inset - x);
    const fill = paintOf(toneOf(cell.look, cell.ratio));
    const rect =
      `<rect x="${x.toFixed(2)}" width="${width.toFixed(2)}" y="${top + cell.row * ROW_HEIGHT + 1}" ` +
      `height="${ROW_HEIGHT - 2}" fill="${escapeHtml(fill)}"><title>${escapeHtml(tooltip(heatmap, cell))}</title></rect>`;
    if (links === undefined) return rect;
    const href = links.window(features[cell.row] ?? '', cell.window);
    return `<a tabindex="-1" href="${escapeHtml(href)}">${rect}</a>`;
  });
  return `<g aria-label="cells">${parts.join('')}</g>`;
}

function describe(heatmap: Heatmap): string {
  const drifted = new Map<number, number>();
  for (const cell of heatmap.cells)
    if (cell.look === 'material') drifted.set(cell.row, (drifted.get(cell.row) ?? 0) + 1);
  const worst = [...drifted]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 5)
    .map(([row, count]) => `${shorten(heatmap.features[row] ?? '', 40)} (${count})`);
  const unit = heatmap.columnMs === DAY_MS ? 'day' : 'column';
  const head = `${plural(heatmap.features.length, 'feature')} over ${formatWindow(heatmap.range)}.`;
  return worst.length === 0
    ? `${head} No material drift.`
    : `${head} Most ${unit}s with material drift: ${worst.join(', ')}.`;
}

/** The key of the heatmap's colours. */
export function heatmapLegend(): Html {
  const item = (tone: string, text: string) => html`<li><i class="swatch tone-${tone}"></i>${text}</li>`;
  return html`<ul class="legend" aria-label="Colours">
${item('stable-1', 'stable')}${item('stable-2', 'stable, over half-way to its alarm')}${item('minor', 'drifted, too little to matter')}
<li><span class="ramp"><i class="swatch tone-material-1"></i><i class="swatch tone-material-2"></i><i class="swatch tone-material-3"></i><i class="swatch tone-material-4"></i></span>material: 1×, 1.5×, 2.5×, 4× its alarm line</li>
${item('undecided', 'undecided')}${item('none', 'no data')}</ul>`;
}
