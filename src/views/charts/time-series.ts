import * as Plot from '@observablehq/plot';
import type { Window } from '../../domain/window.js';
import type { Series, SeriesPoint } from '../data.js';
import { formatNumber, formatPercent, formatWindow, plural } from '../format.js';
import type { Html } from '../html.js';
import { LOOK_WORDS, paintOf, toneOf } from '../severity.js';
import { emptyChart, renderChart } from './render.js';
import { middleOf, spanOf, timeAxes, timeFrame } from './time-frame.js';

const HEIGHT = 170;

export interface TimeSeriesOptions {
  readonly title: string;
  readonly range: Window;
  readonly unit: 'number' | 'share';
  /** Marked by a rule. */
  readonly selected?: Window;
  readonly link?: (window: Window) => string;
}

/** A finite number, or NaN: what a mark leaves out. */
function finite(value: number | null): number {
  return value !== null && Number.isFinite(value) ? value : Number.NaN;
}

/** The threshold as steps, broken where windows are missing. */
function steps(points: readonly SeriesPoint[]): { at: Date; y: number }[] {
  return points.flatMap((point) => [
    { at: new Date(point.window.startMs), y: finite(point.threshold) },
    { at: new Date(point.window.endMs), y: finite(point.threshold) },
  ]);
}

/** Joins windows that touch or overlap, so that no seams show between them. */
function spans(windows: readonly Window[]) {
  const joined: { startMs: number; endMs: number }[] = [];
  for (const { startMs, endMs } of windows) {
    const last = joined.at(-1);
    if (last !== undefined && startMs <= last.endMs) last.endMs = Math.max(last.endMs, endMs);
    else joined.push({ startMs, endMs });
  }
  return joined.map(spanOf);
}

/** Times between the first and the last window that no window covers. */
function gaps(points: readonly SeriesPoint[]): Window[] {
  const found: Window[] = [];
  let coveredMs = points[0]?.window.endMs ?? 0;
  for (const { window } of points) {
    if (window.startMs > coveredMs) found.push({ startMs: coveredMs, endMs: window.startMs });
    coveredMs = Math.max(coveredMs, window.endMs);
  }
  return found;
}

/**
 * A statistic over time: line and dots, dashed where it becomes significant, dotted where it becomes material,
 * shaded where it was both, hatched where nothing was decided.
 */
export function timeSeriesChart(series: Series | null, options: TimeSeriesOptions): Html {
  if (series === null || series.points.length === 0)
    return emptyChart('Nothing has been judged in this period.');
  const { points, minimumEffect } = series;
  const format = options.unit === 'share' ? formatPercent : (value: number | null) => formatNumber(value);
  const drawn = points.map((point) => ({
    ...point,
    ...spanOf(point.window),
    middle: middleOf(point.window),
    y: finite(point.value),
    tone: toneOf(point.look, point.look === 'material' ? 1.5 : null),
  }));
  const decided = drawn.filter((point) => !Number.isNaN(point.y));
  const heights = [
    ...decided.map((point) => point.y),
    ...drawn.map((point) => finite(point.threshold)).filter((value) => !Number.isNaN(value)),
    minimumEffect ?? 0,
  ];
  const top = Math.max(...heights) * 1.08 || 1;
  const shaded = points.filter((point) => point.look === 'material');
  const hatched = points.filter((point) => point.look === 'undecided' || point.look === 'no_data');
  const holes = gaps(points);
  const unknown = [...hatched.map((point) => point.window), ...holes].sort((a, b) => a.startMs - b.startMs);
  // a point without a value in each hole breaks the line
  const line = [...drawn, ...holes.map((hole) => ({ middle: middleOf(hole), y: Number.NaN }))].sort(
    (a, b) => a.middle.getTime() - b.middle.getTime(),
  );
  type Each = (typeof drawn)[number];
  const title = (point: Each) =>
    [
      formatWindow(point.window),
      `${format(point.value)} · ${LOOK_WORDS[point.look]}`,
      ...(point.threshold === null ? [] : [`significant from ${format(point.threshold)}`]),
      ...(minimumEffect === null ? [] : [`material from ${format(minimumEffect)}`]),
    ].join('\n');
  const link = options.link;
  const href = link === undefined ? {} : { href: (point: Each) => link(point.window) };
  const small = points.length > 150;
  return renderChart(
    {
      ...timeFrame(options.range, HEIGHT),
      y: { domain: [0, top], label: null },
      color: { type: 'identity' },
      marks: [
        Plot.rectX(spans(shaded.map((point) => point.window)), {
          x1: 'start',
          x2: 'end',
          fill: 'var(--shade)',
        }),
        Plot.rectX(spans(unknown), { x1: 'start', x2: 'end', fill: 'url(#hatch)' }),
        ...timeAxes(format),
        Plot.line(steps(points), {
          x: 'at',
          y: 'y',
          stroke: 'var(--alarm)',
          strokeDasharray: '5 3',
          strokeWidth: 1.25,
        }),
        ...(minimumEffect === null
          ? []
          : [
              Plot.ruleY([minimumEffect], {
                stroke: 'var(--alarm)',
                strokeDasharray: '1.5 3',
                strokeWidth: 1.25,
              }),
            ]),
        ...(options.selected === undefined
          ? []
          : [
              Plot.ruleX([middleOf(options.selected)], {
                stroke: 'var(--ink)',
                strokeWidth: 1,
              }),
            ]),
        Plot.line(line, { x: 'middle', y: 'y', stroke: 'var(--current)', strokeWidth: 1.5 }),
        Plot.dot(decided, {
          x: 'middle',
          y: 'y',
          r: small ? 1.5 : 2.75,
          fill: (point: Each) =>
            point.look === 'material' || point.look === 'minor' ? paintOf(point.tone) : 'var(--current)',
          stroke: 'var(--paper)',
          strokeWidth: small ? 0 : 0.75,
        }),
        Plot.rectX(drawn, { x1: 'start', x2: 'end', fill: 'transparent', title, ...href }),
      ],
    },
    {
      title: options.title,
      description: `${plural(points.length, 'window')}, ${shaded.length} with material drift, ${hatched.length} undecided or without data; latest ${format(points.at(-1)?.value ?? null)}.`,
    },
  );
}
