import * as Plot from '@observablehq/plot';
import type { Window } from '../../domain/window.js';
import type { PlotOptions } from './render.js';

const WIDTH = 1000;

/** Size, margins and scale of a picture over time: all of them stand below each other on a page, so that one time is in one place. */
export function timeFrame(range: Window, height: number): PlotOptions {
  return {
    width: WIDTH,
    height,
    marginLeft: 56,
    marginRight: 12,
    marginTop: 10,
    marginBottom: 36,
    x: { type: 'utc', domain: [new Date(range.startMs), new Date(range.endMs)], label: null },
  };
}

/** Grid and axes of such a picture: above what shades it, below its lines. */
export function timeAxes(format: (y: number) => string): NonNullable<PlotOptions['marks']> {
  const axis = { color: 'var(--muted)', fontSize: 12 };
  return [
    Plot.gridY({ ticks: 4, stroke: 'var(--line)', strokeOpacity: 1 }),
    Plot.axisY({ ...axis, ticks: 4, tickSize: 0, tickFormat: (y: number) => format(y) }),
    Plot.axisX({ ...axis, tickSize: 5, tickSpacing: 90 }),
  ];
}

/** Ends of a stretch as a mark has them. */
export function spanOf({ startMs, endMs }: Window): { readonly start: Date; readonly end: Date } {
  return { start: new Date(startMs), end: new Date(endMs) };
}

export const middleOf = ({ startMs, endMs }: Window) => new Date((startMs + endMs) / 2);
