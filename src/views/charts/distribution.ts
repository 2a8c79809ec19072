import * as Plot from '@observablehq/plot';
import type { Bar, Distribution } from '../../domain/distribution.js';
import { formatCount, formatNumber, formatPercent } from '../format.js';
import { type Html, html, shorten } from '../html.js';
import { emptyChart, renderChart } from './render.js';

const WIDTH = 520;
const HEIGHT = 240;
const MAX_VALUE_TICKS = 6;

type Side = 'reference' | 'current';
type SideWords = Readonly<Record<Side, string>>;
const SIDE_WORDS: SideWords = { reference: 'Reference', current: 'Current window' };

function valueText(bar: Bar): string {
  if (bar.label !== '') return shorten(bar.label, 120);
  return bar.low === bar.high
    ? formatNumber(bar.low, 5)
    : `${formatNumber(bar.low, 4)} to ${formatNumber(bar.high, 4)}`;
}

function tooltip(bar: Bar, words: SideWords): string {
  const name = (side: Side) => (words === SIDE_WORDS ? side : words[side]);
  return `${valueText(bar)}\n${name('reference')} ${formatPercent(bar.reference)}\n${name('current')} ${formatPercent(bar.current)}`;
}

function description(distribution: Distribution, side: Side): string {
  const top = [...distribution.bars]
    .sort((a, b) => (b[side] ?? 0) - (a[side] ?? 0))
    .slice(0, 3)
    .map((bar) => `${valueText(bar)} (${formatPercent(bar[side])})`);
  return `Largest shares: ${top.join(', ')}.`;
}

/** The values themselves where they are few, round numbers otherwise. */
function axisTicks(bars: readonly Bar[]) {
  const points = bars.filter((bar) => bar.low === bar.high).map((bar) => bar.low);
  return points.length === bars.length && points.length <= MAX_VALUE_TICKS
    ? { ticks: points, tickFormat: (value: number) => formatNumber(value, 5) }
    : { tickSpacing: 80 };
}

interface Drawn {
  readonly bar: Bar;
  readonly x1: number;
  readonly x2: number;
}

/** Drawn edges: single values get a width, so that they can be seen; the axis stays true. */
function drawnBars(bars: readonly Bar[]): Drawn[] {
  const points = bars.filter((bar) => bar.low === bar.high).map((bar) => bar.low);
  if (points.length !== bars.length) return bars.map((bar) => ({ bar, x1: bar.low, x2: bar.high }));
  let gap = Number.POSITIVE_INFINITY;
  for (const [index, at] of points.entries())
    gap = Math.min(gap, (points[index + 1] ?? Number.POSITIVE_INFINITY) - at);
  const span = (points.at(-1) ?? 0) - (points[0] ?? 0);
  const fallback = span > 0 ? span / 40 : Math.max(Math.abs(points[0] ?? 0), 1) / 20;
  const half = 0.4 * (Number.isFinite(gap) ? Math.max(gap, span / 60) : fallback);
  return bars.map((bar) => ({ bar, x1: bar.low - half, x2: bar.high + half }));
}

function numericSide(distribution: Distribution, side: Side, top: number, words: SideWords): Html {
  const bars = drawnBars(distribution.bars);
  const rows = side === 'reference' ? distribution.referenceRows : distribution.currentRows;
  const touching = bars.every(({ x1 }, index) => index === 0 || x1 === bars[index - 1]?.x2);
  // one contour over touching bars; boxes of their own around single values
  const outline = bars.flatMap(({ bar, x1, x2 }, index) => [
    ...(touching && index > 0 ? [] : [{ x: x1, y: 0 }]),
    { x: x1, y: bar.reference ?? 0 },
    { x: x2, y: bar.reference ?? 0 },
    ...(touching && index < bars.length - 1 ? [] : [{ x: x2, y: 0 }]),
  ]);
  return renderChart(
    {
      width: WIDTH,
      height: HEIGHT,
      marginLeft: 48,
      marginRight: 12,
      marginTop: 10,
      marginBottom: 28,
      x: { label: null, domain: [bars[0]?.x1 ?? 0, bars.at(-1)?.x2 ?? 1] },
      y: { label: null, domain: [0, top], nice: true },
      color: { type: 'identity' },
      marks: [
        Plot.gridY({ ticks: 4, stroke: 'var(--line)', strokeOpacity: 1 }),
        Plot.axisY({ ticks: 4, tickSize: 0, fontSize: 12, color: 'var(--muted)', tickFormat: formatPercent }),
        Plot.axisX({ tickSize: 4, ...axisTicks(distribution.bars), fontSize: 12, color: 'var(--muted)' }),
        Plot.rect(bars, {
          x1: 'x1',
          x2: 'x2',
          y1: 0,
          y2: (each: Drawn) => (each.bar[side] ?? 0) - (each.bar.beyond?.[side] ?? 0),
          fill: `var(--${side})`,
          insetLeft: 0.5,
          insetRight: 0.5,
        }),
        Plot.rect(
          bars.filter((each) => (each.bar.beyond?.[side] ?? 0) > 0),
          {
            x1: 'x1',
            x2: 'x2',
            y1: (each: Drawn) => (each.bar[side] ?? 0) - (each.bar.beyond?.[side] ?? 0),
            y2: (each: Drawn) => each.bar[side] ?? 0,
            fill: `url(#beyond-${side})`,
          },
        ),
        ...(side === 'current' && distribution.referenceRows > 0
          ? [Plot.line(outline, { x: 'x', y: 'y', stroke: 'var(--outline)', strokeWidth: 1.25 })]
          : []),
        Plot.ruleY([0], { stroke: 'var(--muted)' }),
        // a full-height target per bar: tooltips work over small bars, too
        Plot.rect(bars, {
          x1: 'x1',
          x2: 'x2',
          y1: 0,
          y2: top,
          fill: 'transparent',
          title: (each: Drawn) => tooltip(each.bar, words),
        }),
      ],
    },
    {
      title: `${words[side]}, ${formatCount(rows)} rows`,
      description: description(distribution, side),
    },
  );
}

function categoricalSide(distribution: Distribution, side: Side, top: number, words: SideWords): Html {
  const bars = distribution.bars.map((bar, row) => ({ bar, row }));
  const rows = side === 'reference' ? distribution.referenceRows : distribution.currentRows;
  const special = (bar: Bar) => bar.role === 'unseen' || bar.role === 'missing';
  type Each = (typeof bars)[number];
  return renderChart(
    {
      width: WIDTH,
      height: 30 + bars.length * 20,
      marginLeft: 140,
      marginRight: 58,
      marginTop: 4,
      marginBottom: 26,
      x: { label: null, domain: [0, top], nice: true },
      y: { type: 'band', domain: bars.map((each) => each.row), axis: null, padding: 0.15 },
      color: { type: 'identity' },
      marks: [
        Plot.gridX({ ticks: 4, stroke: 'var(--line)', strokeOpacity: 1 }),
        Plot.axisX({ ticks: 4, tickSize: 0, fontSize: 12, color: 'var(--muted)', tickFormat: formatPercent }),
        Plot.barX(bars, {
          y: 'row',
          x: (each: Each) => each.bar[side] ?? 0,
          fill: (each: Each) =>
            special(each.bar) && side === 'current' ? 'var(--special)' : `var(--${side})`,
        }),
        ...(side === 'current' && distribution.referenceRows > 0
          ? [
              Plot.tickX(bars, {
                y: 'row',
                x: (each: Each) => each.bar.reference ?? 0,
                stroke: 'var(--outline)',
                strokeWidth: 2,
              }),
            ]
          : []),
        Plot.text(bars, {
          y: 'row',
          text: (each: Each) => shorten(each.bar.label, 16) || '(empty)',
          frameAnchor: 'left',
          textAnchor: 'end',
          dx: -8,
          fontSize: 12,
          fill: (each: Each) => (each.bar.role === 'value' ? 'var(--ink)' : 'var(--muted)'),
        }),
        Plot.text(bars, {
          y: 'row',
          x: (each: Each) =>
            Math.max(each.bar[side] ?? 0, side === 'current' ? (each.bar.reference ?? 0) : 0),
          text: (each: Each) => formatPercent(each.bar[side]),
          textAnchor: 'start',
          dx: 5,
          fontSize: 11,
          fill: 'var(--muted)',
        }),
        Plot.rect(bars, {
          y: 'row',
          x1: 0,
          x2: top,
          fill: 'transparent',
          title: (each: Each) => tooltip(each.bar, words),
        }),
      ],
    },
    {
      title: `${words[side]}, ${formatCount(rows)} rows`,
      description: description(distribution, side),
    },
  );
}

/**
 * Reference and current beside each other on the same axes; the reference shows through as an outline on the right. `words`: what the
 * sides are where they are not a reference and a window.
 */
export function distributionChart(
  distribution: Distribution | null,
  currentLabel: string,
  words: SideWords = SIDE_WORDS,
): Html {
  if (distribution === null || distribution.bars.length === 0)
    return emptyChart('No values of this feature are stored for this window.');
  const tallest = Math.max(
    ...distribution.bars.flatMap((bar) => [bar.reference ?? 0, bar.current ?? 0]),
    Number.MIN_VALUE,
  );
  const draw = distribution.kind === 'numeric' ? numericSide : categoricalSide;
  const panel = (side: Side, label: string, rows: number) => html`<figure>
<figcaption><i class="swatch tone-${side}"></i><b>${label}</b> <span class="muted">${formatCount(rows)} rows${
    distribution.kind === 'numeric' ? html` · ${formatPercent(distribution.missing[side])} missing` : ''
  }</span></figcaption>
${rows === 0 ? emptyChart(side === 'reference' ? 'No reference is registered.' : 'No rows in this window.') : draw(distribution, side, tallest, words)}</figure>`;
  return html`<div class="sides">
${panel('reference', words.reference, distribution.referenceRows)}
${panel('current', currentLabel, distribution.currentRows)}</div>
<p class="hint">${hint(distribution, words)}</p>`;
}

function hint(distribution: Distribution, words: SideWords): string {
  const said = ['Bars are shares of all rows'];
  if (distribution.kind === 'numeric') said.push('values between grid points are spread evenly');
  if (distribution.clipped) said.push('the outermost bars hold what lies beyond them');
  if (distribution.bars.some((bar) => bar.beyond !== undefined))
    said.push(
      'striped: outside the reference’s range, where only the number of rows and their extremes are known',
    );
  const outline =
    distribution.referenceRows > 0
      ? ` The outline on the right is ${words === SIDE_WORDS ? 'the reference' : words.reference}.`
      : '';
  return `${said.join('; ')}.${distribution.unit === undefined ? '' : ` Times are shown in ${distribution.unit} at the event.`}${outline}`;
}
