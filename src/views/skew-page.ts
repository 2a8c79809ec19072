import type { SkewedColumn, TrainingSkew } from '../domain/training-skew.js';
import { DAY_MS, type Window } from '../domain/window.js';
import { formatCount, formatPercent, formatPValue, formatWindow, NOTHING } from './format.js';
import { type Html, html, nameTag, shorten } from './html.js';
import { layout } from './layout.js';
import { facts, featurePath, section, versionPath } from './parts.js';
import { amountWords, statisticWords } from './sentences.js';
import { skewSentence } from './skew-words.js';

function row(skew: TrainingSkew, { feature, status, material, verdict, sentence }: SkewedColumn): Html {
  const decided = verdict !== null && verdict.statistic !== null ? verdict : null;
  const cell = (text: string) => html`<td class="num">${text}</td>`;
  return html`<tr><td class="name"><a href="${featurePath(skew, feature)}">${nameTag(feature, 40)}</a></td><td>${verdict?.detector ?? NOTHING}</td>
${cell(decided === null ? NOTHING : statisticWords(decided, decided.statistic))}${cell(decided === null ? NOTHING : amountWords(decided.detector, decided.effect?.value))}${cell(decided === null ? NOTHING : formatPValue(decided.adjustedPValue))}
<td class="apart">${status === 'drifted' && !material ? 'drifted, too little to matter' : status}</td><td class="muted">${status === 'stable' ? '' : sentence}</td></tr>`;
}

function yardstick({ pieceMs }: TrainingSkew): string {
  if (pieceMs === null) return 'independent rows: the reference has no times, or too few days';
  return pieceMs > DAY_MS
    ? "how much the reference's own weeks differ"
    : "how much the reference's own days differ";
}

/** Whether production is what a version was trained on. */
export function renderSkewPage(skew: TrainingSkew, generatedAtMs: number): string {
  const week: Window = skew.week;
  const name = html`${nameTag(skew.model, 60)} <span class="muted">version ${nameTag(skew.modelVersion, 40)}</span>`;
  return layout({
    title: `${shorten(skew.model, 60)} ${shorten(skew.modelVersion, 30)}: training and serving · Plumbline`,
    crumbs: [
      { label: 'Models', href: '/' },
      { label: name, href: versionPath(skew) },
      { label: 'Training and serving' },
    ],
    generatedAtMs,
    links: true,
    body: html`<h1>${name}</h1><p class="lede">${skewSentence(skew)}</p>
${facts([
  ['First week', formatWindow(week)],
  ['Rows in it', formatCount(skew.rows)],
  ['Rows of the reference', formatCount(skew.referenceRows)],
  ['Measured by', yardstick(skew)],
  ['Level of all columns', formatPercent(skew.level)],
])}
${section(
  'Columns',
  'the training reference against the first week of production, the worst first',
  html`<div class="scroll"><table><thead><tr><th>Column</th><th>Test</th><th class="num">Statistic</th><th class="num">Effect</th><th class="num">p adjusted</th><th class="apart">Verdict</th><th>What moved</th></tr></thead>
<tbody>${skew.columns.map((column) => row(skew, column))}</tbody></table></div>`,
)}`,
  });
}
