import type { SchemaChanges } from '../domain/schema-changes.js';
import { formatCount, formatPercent, formatTime, formatWindow } from './format.js';
import { type Html, html, nameTag } from './html.js';
import { section } from './parts.js';

/** Shown of each kind of change. */
const SHOWN = 20;

/** New, missing and retyped features; nothing where production sends what is declared. */
export function schemaSection(changes: SchemaChanges | null): Html | string {
  if (changes === null) return '';
  const { added, removed, retyped, rows, window } = changes;
  if (added.length + removed.length + retyped.length === 0) return '';
  const share = (count: number) => (rows === 0 ? '' : formatPercent(Math.min(1, count / rows)));
  const line = (feature: string, what: string, count: number, when: string) =>
    html`<tr><td class="name">${nameTag(feature, 60)}</td><td>${what}</td><td class="num">${formatCount(count)}</td><td class="num">${share(count)}</td><td class="nowrap muted">${when}</td></tr>`;
  const lines = [
    ...added
      .slice(0, SHOWN)
      .map(({ feature, numbers, texts, firstHourMs }) =>
        line(
          feature,
          `new: not declared, ${numbers >= texts ? 'numbers' : 'text'}`,
          numbers + texts,
          `since ${formatTime(firstHourMs)}`,
        ),
      ),
    ...removed.slice(0, SHOWN).map((feature) => line(feature, 'gone: declared, in no row', 0, '')),
    ...retyped
      .slice(0, SHOWN)
      .map(({ feature, rows: mistyped }) => line(feature, 'retyped: numeric, came as text', mistyped, '')),
  ];
  const hidden = [added, removed, retyped].reduce((sum, list) => sum + Math.max(0, list.length - SHOWN), 0);
  return section(
    'Schema changes',
    `what production sent in ${formatWindow(window)} beside what the version declares`,
    html`<div class="scroll"><table><thead><tr><th>Feature</th><th>Change</th><th class="num">Rows</th><th class="num">Share</th><th></th></tr></thead><tbody>${lines}</tbody></table></div>${hidden === 0 ? '' : html`<p class="hint">and ${formatCount(hidden)} more</p>`}`,
  );
}
