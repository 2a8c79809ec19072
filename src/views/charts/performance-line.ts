import * as Plot from '@observablehq/plot';
import type { PerformancePeriod } from '../../domain/performance-figures.js';
import type { Window } from '../../domain/window.js';
import { formatNumber, formatWindow, plural } from '../format.js';
import type { Html } from '../html.js';
import { emptyChart, renderChart } from './render.js';

const WIDTH = 1000;
const HEIGHT = 190;

/**
 * One figure over time with its interval, beside the reference's own as a dashed line; hatched where too few labels have come to
 * say anything.
 */
export function performanceChart(
  periods: readonly PerformancePeriod[],
  options: {
    readonly figure: string;
    readonly title: string;
    readonly range: Window;
    /** The figure on the reference, where it is known. */
    readonly reference: number | null;
  },
): Html {
  const { figure: name, reference } = options;
  const points = periods.flatMap(({ window, figures, status, labelled, predictions }) => {
    const figure = figures[name];
    if (figure === undefined) return [];
    return [
      {
        start: new Date(window.startMs),
        end: new Date(window.endMs),
        middle: new Date((window.startMs + window.endMs) / 2),
        value: figure.value,
        low: figure.low ?? figure.value,
        high: figure.high ?? figure.value,
        decided: status === 'decided',
        title: `${formatWindow(window)}\n${formatNumber(figure.value)}${status === 'decided' ? '' : ' · undecided'}\n${labelled} of ${predictions} labelled`,
      },
    ];
  });
  const decided = points.filter((point) => point.decided);
  const undecided = periods.filter(({ status }) => status === 'undecided');
  if (points.length === 0) return emptyChart('No label has come for the predictions of this period.');
  const heights = [
    ...decided.flatMap(({ low, high }) => [low, high]),
    ...(decided.length === 0 ? points.map(({ value }) => value) : []),
    ...(reference === null ? [] : [reference]),
  ];
  const least = Math.min(...heights);
  const room = (Math.max(...heights) - least || Math.abs(least) || 1) * 0.08;
  const axis = { color: 'var(--muted)', fontSize: 12 };
  return renderChart(
    {
      width: WIDTH,
      height: HEIGHT,
      marginLeft: 56,
      marginRight: 12,
      marginTop: 10,
      marginBottom: 36,
      x: {
        type: 'utc',
        domain: [new Date(options.range.startMs), new Date(options.range.endMs)],
        label: null,
      },
      y: { domain: [least - room, Math.max(...heights) + room], label: null, clamp: true },
      marks: [
        Plot.rectX(
          undecided.map(({ window }) => ({ start: new Date(window.startMs), end: new Date(window.endMs) })),
          { x1: 'start', x2: 'end', fill: 'url(#hatch)' },
        ),
        Plot.gridY({ ticks: 4, stroke: 'var(--line)', strokeOpacity: 1 }),
        Plot.axisY({ ...axis, ticks: 4, tickSize: 0, tickFormat: (y: number) => formatNumber(y) }),
        Plot.axisX({ ...axis, tickSize: 5, tickSpacing: 90 }),
        ...(reference === null
          ? []
          : [Plot.ruleY([reference], { stroke: 'var(--outline)', strokeDasharray: '5 3' })]),
        Plot.ruleX(decided, {
          x: 'middle',
          y1: 'low',
          y2: 'high',
          stroke: 'var(--current)',
          strokeOpacity: 0.45,
        }),
        Plot.line(
          points.map((point) => ({ ...point, value: point.decided ? point.value : Number.NaN })),
          { x: 'middle', y: 'value', stroke: 'var(--current)', strokeWidth: 1.5 },
        ),
        Plot.dot(decided, { x: 'middle', y: 'value', r: 2.5, fill: 'var(--current)' }),
        Plot.rectX(points, { x1: 'start', x2: 'end', fill: 'transparent', title: 'title' }),
      ],
    },
    {
      title: options.title,
      description: `${plural(decided.length, 'period')} with enough labels, ${undecided.length} without; latest ${formatNumber(decided.at(-1)?.value ?? null)}${reference === null ? '' : `, reference ${formatNumber(reference)}`}.`,
    },
  );
}
