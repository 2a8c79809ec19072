import type { ComparedColumn, ComparedPart } from '../domain/comparison.js';
import { heatmapChart, heatmapLegend } from './charts/heatmap.js';
import { shownVerdict } from './comparison-words.js';
import type { HeatCell } from './data.js';
import { type Html, html } from './html.js';
import { alarmRatio, type Look } from './severity.js';

export function lookOfColumn(column: ComparedColumn): Look {
  if (column.status !== 'drifted') return column.status;
  return column.material ? 'material' : 'minor';
}

/** Columns × time, the column with most material windows on top; null for parts that are no windows of time. */
export function windowsPicture(parts: readonly ComparedPart[]): Html | null {
  const windows = parts.flatMap(({ window, columns }) => (window === null ? [] : [{ window, columns }]));
  const [first] = windows;
  if (first === undefined || windows.length < parts.length) return null;
  const counts = new Map<string, { material: number; drifted: number }>();
  for (const column of windows.flatMap(({ columns }) => columns)) {
    const count = counts.get(column.column) ?? { material: 0, drifted: 0 };
    if (column.status === 'drifted') count.drifted += 1;
    if (lookOfColumn(column) === 'material') count.material += 1;
    counts.set(column.column, count);
  }
  const features = [...counts]
    .sort(([, a], [, b]) => b.material - a.material || b.drifted - a.drifted)
    .map(([name]) => name);
  const rowOf = new Map(features.map((name, row) => [name, row]));
  const cells = windows.flatMap(({ window, columns }) =>
    columns.map((column): HeatCell => {
      const worst = shownVerdict(column);
      return {
        row: rowOf.get(column.column) ?? 0,
        column: window,
        look: lookOfColumn(column),
        ratio: worst === null ? null : alarmRatio(worst),
        worst,
        windows: 1,
        window,
      };
    }),
  );
  const heatmap = {
    range: {
      startMs: Math.min(...windows.map(({ window }) => window.startMs)),
      endMs: Math.max(...windows.map(({ window }) => window.endMs)),
    },
    columnMs: first.window.endMs - first.window.startMs,
    features,
    cells,
  };
  return html`${heatmapChart(heatmap, { title: 'Verdicts of each column, window by window' })}${heatmapLegend()}`;
}
