import * as Plot from '@observablehq/plot';
import type { StreamDetection } from '../../domain/error-stream.js';
import type { ComparedEstimate } from '../../domain/estimate.js';
import type { PerformancePeriod } from '../../domain/performance-figures.js';
import type { Window } from '../../domain/window.js';
import { formatNumber, formatTime, formatWindow, plural } from '../format.js';
import type { Html } from '../html.js';
import { besideEachOther, type PeriodPair } from '../performance-periods.js';
import { emptyChart, renderChart } from './render.js';
import { middleOf, spanOf, timeAxes, timeFrame } from './time-frame.js';

const HEIGHT = 190;
/** Marks of changes stand apart by so much of the picture's time at least: nearer ones are one mark. */
const NEAREST = 1 / 150;

/**
 * One figure over time with its interval, beside the reference's own as a dashed line; hatched where too few labels have come to
 * say anything. Where estimates are given, bands behind it are what the labels were expected to show; triangles at the top are
 * where the errors changed.
 */
export function performanceChart(
  periods: readonly PerformancePeriod[],
  options: {
    readonly figure: string;
    readonly title: string;
    readonly range: Window;
    /** The figure on the reference, where it is known. */
    readonly reference: number | null;
    readonly estimates?: readonly ComparedEstimate[];
    readonly detections?: readonly StreamDetection[];
  },
): Html {
  const { figure: name, reference, range, estimates = [], detections = [] } = options;
  const pairs = besideEachOther(periods, estimates);
  const points = periods.flatMap(({ window, figures, status }) => {
    const figure = figures[name];
    if (figure === undefined) return [];
    return [
      {
        middle: middleOf(window),
        value: figure.value,
        low: figure.low ?? figure.value,
        high: figure.high ?? figure.value,
        decided: status === 'decided',
      },
    ];
  });
  const bands = estimates.flatMap(({ window, figures }) => {
    const figure = figures[name];
    return figure === undefined ? [] : [{ ...spanOf(window), ...figure }];
  });
  const decided = points.filter((point) => point.decided);
  const undecided = periods.filter(({ status }) => status === 'undecided');
  if (points.length === 0 && bands.length === 0)
    return emptyChart('No label has come for the predictions of this period.');
  const heights = [
    ...[...decided, ...bands].flatMap(({ low, high }) => [low, high]),
    ...(decided.length === 0 ? points.map(({ value }) => value) : []),
    ...(reference === null ? [] : [reference]),
  ];
  const least = Math.min(...heights);
  const room = (Math.max(...heights) - least || Math.abs(least) || 1) * 0.08;
  return renderChart(
    {
      ...timeFrame(range, HEIGHT),
      y: { domain: [least - room, Math.max(...heights) + room], label: null, clamp: true },
      marks: [
        Plot.rectX(
          undecided.map(({ window }) => spanOf(window)),
          { x1: 'start', x2: 'end', fill: 'url(#hatch)' },
        ),
        ...timeAxes(formatNumber),
        ...(reference === null
          ? []
          : [Plot.ruleY([reference], { stroke: 'var(--outline)', strokeDasharray: '5 3' })]),
        Plot.rect(bands, {
          ...{ x1: 'start', x2: 'end', y1: 'low', y2: 'high' },
          ...{ fill: 'var(--special)', fillOpacity: 0.28 },
        }),
        Plot.ruleY(bands, { x1: 'start', x2: 'end', y: 'value', stroke: 'var(--special)', strokeWidth: 1.5 }),
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
        Plot.rectX(
          pairs.map((pair) => ({ ...spanOf(pair.window), title: titleOf(pair, name) })),
          { x1: 'start', x2: 'end', fill: 'transparent', title: 'title' },
        ),
        Plot.dot(changesOf(detections, range), {
          ...{ x: 'at', frameAnchor: 'top', symbol: 'triangle', rotate: 180, r: 3.5, dy: 1 },
          ...{ fill: 'var(--alarm)', title: 'title' },
        }),
      ],
    },
    {
      title: options.title,
      description: `${plural(decided.length, 'period')} with enough labels, ${undecided.length} without; latest ${formatNumber(decided.at(-1)?.value ?? null)}${reference === null ? '' : `, reference ${formatNumber(reference)}`}${bands.length === 0 ? '' : `; ${plural(bands.length, 'period')} estimated, latest ${formatNumber(bands.at(-1)?.value ?? null)}`}${detections.length === 0 ? '' : `; ${plural(detections.length, 'change')} of the errors`}.`,
    },
  );
}

function titleOf({ window, realised, estimate }: PeriodPair, name: string): string {
  const figure = realised?.figures[name];
  const expected = estimate?.figures[name];
  return [
    formatWindow(window),
    ...(figure === undefined
      ? []
      : [`${formatNumber(figure.value)}${realised?.status === 'decided' ? '' : ' · undecided'}`]),
    ...(expected === undefined
      ? []
      : [
          `estimated ${formatNumber(expected.value)} (${formatNumber(expected.low)} to ${formatNumber(expected.high)})`,
        ]),
    ...(realised === null ? [] : [`${realised.labelled} of ${realised.predictions} labelled`]),
  ].join('\n');
}

/** A mark for detections that stand too near to each other to be told apart, at the first of them. */
function changesOf(detections: readonly StreamDetection[], { startMs, endMs }: Window) {
  const groups: StreamDetection[][] = [];
  const shown = detections.filter(({ labelMs }) => labelMs >= startMs && labelMs < endMs);
  for (const one of shown.sort((a, b) => a.labelMs - b.labelMs)) {
    const group = groups.at(-1);
    const first = group?.[0];
    if (first !== undefined && one.labelMs - first.labelMs < NEAREST * (endMs - startMs)) group?.push(one);
    else groups.push([one]);
  }
  return groups.map((group) => ({
    at: new Date(group[0]?.labelMs ?? startMs),
    title: `Errors changed\n${group
      .slice(0, 6)
      .map(({ labelMs, detector }) => `${formatTime(labelMs)} · ${detector}`)
      .join('\n')}${group.length > 6 ? `\nand ${group.length - 6} more` : ''}`,
  }));
}
