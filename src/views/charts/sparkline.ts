import type { Distribution } from '../../domain/distribution.js';
import { formatPercent } from '../format.js';
import { escapeHtml, type Html, html, raw } from '../html.js';

const WIDTH = 120;
const HEIGHT = 26;

/** A thumbnail: current as bars, the reference as an outline. Only numbers enter the path, so it is built by hand. */
export function sparkline(distribution: Distribution | null): Html {
  if (distribution === null || distribution.bars.length === 0) return html`<span class="muted">–</span>`;
  const bars = distribution.bars;
  const tallest = Math.max(...bars.flatMap((bar) => [bar.reference ?? 0, bar.current ?? 0]));
  const step = WIDTH / bars.length;
  const y = (share: number | null) =>
    (HEIGHT - 1 - (tallest > 0 ? ((share ?? 0) / tallest) * (HEIGHT - 3) : 0)).toFixed(1);
  const edge = (index: number) => (index * step).toFixed(1);
  const blocks = bars
    .map((bar, index) => `M${edge(index)},${HEIGHT - 1}V${y(bar.current)}H${edge(index + 1)}V${HEIGHT - 1}Z`)
    .join('');
  const outline = bars.map((bar, index) => `V${y(bar.reference)}H${edge(index + 1)}`).join('');
  const title = `current (filled) and reference (line); missing ${formatPercent(distribution.missing.reference)} → ${formatPercent(distribution.missing.current)}`;
  return raw(
    `<svg class="spark" role="img" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}"><title>${escapeHtml(title)}</title>` +
      `<path class="spark-current" d="${blocks}"/><path class="spark-reference" d="M0,${HEIGHT - 1}${outline}V${HEIGHT - 1}"/></svg>`,
  );
}
