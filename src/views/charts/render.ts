import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escapeHtml, type Html, raw } from '../html.js';

const { document } = parseHTML('<!doctype html><html><body></body></html>');

export type PlotOptions = NonNullable<Parameters<typeof Plot.plot>[0]>;

/** What a picture is called, and what it says in a sentence for those who do not see it. */
export interface Caption {
  readonly title: string;
  readonly description: string;
}

/**
 * Draws a plot as an SVG string without styles of its own (the page's style sheet has them), named by <title> and <desc>.
 * Links inside pictures repeat links of the page, so they are out of the tab order.
 *
 * @param cells SVG that goes below the plot's own marks, escaped by the caller
 */
export function renderChart(options: PlotOptions, caption: Caption, cells = ''): Html {
  const plot = Plot.plot({
    style: { fontFamily: 'inherit' },
    ...options,
    document: document as unknown as NonNullable<PlotOptions['document']>,
    className: 'plot',
  });
  const svg = String(plot.outerHTML)
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replaceAll('<a href=', '<a tabindex="-1" href=');
  const open = svg.indexOf('>');
  const head = svg.slice(0, open).replace('<svg', '<svg role="img"');
  return raw(
    `${head}><title>${escapeHtml(caption.title)}</title><desc>${escapeHtml(caption.description)}</desc>${cells}${svg.slice(open + 1)}`,
  );
}

/** Stands where a picture has nothing to draw. */
export function emptyChart(reason: string): Html {
  return raw(`<p class="empty" role="note">${escapeHtml(reason)}</p>`);
}
