import type { ReferenceChange, ReferenceChangeKind, ReferenceSummary } from '../domain/reference.js';
import { formatCount, formatTime, formatWindow, NOTHING } from './format.js';
import { type Html, html, nameTag } from './html.js';

const KIND_WORDS: Readonly<Record<ReferenceChangeKind, string>> = {
  registered: 'registered',
  rebaselined: 'rebaselined',
  restored: 'went back',
};

const hashTag = (hash: string) => html`<span title="${hash}">${hash.slice(0, 12)}</span>`;

/** Which references a version has had, and who changed them; nothing while there is only the first. */
export function referenceHistory(
  references: readonly ReferenceSummary[],
  changes: readonly ReferenceChange[],
): Html | string {
  if (references.length < 2 && changes.length < 2) return '';
  const known = new Map(references.map((reference) => [reference.hash, reference]));
  const row = (change: ReferenceChange) => {
    const reference = known.get(change.hash);
    const period = reference?.period ?? null;
    return html`<tr><td class="nowrap">${formatTime(change.atMs)}</td><td class="nowrap">${KIND_WORDS[change.kind]}</td>
<td class="nowrap">${hashTag(change.hash)}</td><td class="num">${reference === undefined ? NOTHING : formatCount(reference.rows)}</td>
<td class="nowrap">${period === null ? 'no timestamps' : formatWindow(period)}</td><td class="name">${nameTag(change.by, 40)}</td>
<td class="apart">${change.reason === '' ? NOTHING : nameTag(change.reason, 120)}</td></tr>`;
  };
  return html`<h3>Changes</h3><p class="hint">Windows judged before a change keep their verdicts and the reference they were made with.</p>
<div class="scroll"><table><thead><tr><th>When</th><th>What</th><th>Reference</th><th class="num">Rows</th><th>Period</th><th>By</th><th class="apart">Why</th></tr></thead>
<tbody>${changes.map(row)}</tbody></table></div>`;
}
