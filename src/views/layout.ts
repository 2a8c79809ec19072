import { formatTime } from './format.js';
import { type Html, html, raw, shorten } from './html.js';
import { STYLES } from './styles.js';

/** No script, no request to anywhere: a page is its own text. Links and style sheet are all it has. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'self'";

export interface Crumb {
  readonly label: Html | string;
  readonly href?: string;
}

const PLUMB = raw(
  '<svg viewBox="0 0 14 22" aria-hidden="true"><path d="M7 0V9" stroke="currentColor" stroke-width="1.5"/><path d="M3 9H11L7 21Z" fill="var(--current)"/></svg>',
);

/** Patterns that every picture refers to: undecided parts, and values beyond the grid. */
const HATCH = raw(
  '<svg class="offscreen" aria-hidden="true"><defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">' +
    '<rect width="5" height="5" fill="var(--hatch-bg)"/><rect width="1.2" height="5" fill="var(--hatch-fg)"/></pattern>' +
    ['reference', 'current']
      .map(
        (side) =>
          `<pattern id="beyond-${side}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="3" height="6" fill="var(--${side})"/></pattern>`,
      )
      .join('') +
    '</defs></svg>',
);

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 14 22'%3E%3Cpath d='M7 0V9' stroke='%23555' stroke-width='1.5'/%3E%3Cpath d='M3 9H11L7 21Z' fill='%232c6fa8'/%3E%3C/svg%3E";

/** A whole document. `links` is false for reports, which are read without a server. */
export function layout(page: {
  readonly title: string;
  readonly crumbs: readonly Crumb[];
  readonly body: Html;
  readonly generatedAtMs: number;
  readonly links: boolean;
}): string {
  const home = html`${PLUMB}Plumbline`;
  const crumbs = page.crumbs.map(
    (crumb, index) =>
      html`${index > 0 ? ' / ' : ''}${crumb.href === undefined ? crumb.label : html`<a href="${crumb.href}">${crumb.label}</a>`}`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_SECURITY_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Plumbline">
<title>${shorten(page.title, 120)}</title>
<link rel="icon" href="${raw(ICON)}">
<style>${raw(STYLES)}</style>
</head>
<body>
${HATCH}
<header class="top">${page.links ? html`<a class="brand" href="/">${home}</a>` : html`<span class="brand">${home}</span>`}
<nav class="crumbs" aria-label="Where">${crumbs}</nav>
${page.links ? html`<span class="right"><a href="/reports">Reports</a></span>` : ''}</header>
<main>
${page.body}
</main>
<footer>Generated ${formatTime(page.generatedAtMs)} UTC. All times are UTC and event time; days and months are UTC days and months.</footer>
</body>
</html>
`.text;
}

/** A page that says what could not be found and where to go on. */
export function renderNotice(notice: {
  readonly heading: string;
  readonly message: string;
  readonly nowMs: number;
}): string {
  return layout({
    title: `${notice.heading} · Plumbline`,
    crumbs: [],
    body: html`<h1>${notice.heading}</h1><p class="lede">${notice.message}</p><p><a href="/">All models</a></p>`,
    generatedAtMs: notice.nowMs,
    links: true,
  });
}
