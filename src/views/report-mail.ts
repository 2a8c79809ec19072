import type { ReportFacts } from '../domain/report.js';
import { plural } from './format.js';
import { type Html, html, raw, shorten, visible } from './html.js';
import {
  comparisonRows,
  headline,
  madeWords,
  missedSentence,
  reportTitle,
  zonedWindow,
} from './report-words.js';

/** Told inline; the attachment has all. */
const MAX_CHANGES = 25;
const MAX_SUBJECT = 180;

/** A mail's own words, in both forms that mail programs show. */
export interface ReportMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Mail programs drop style sheets: what matters stands in the tags. */
const STYLE = {
  body: 'font-family:Segoe UI,Roboto,Helvetica,Arial,sans-serif;font-size:15px;line-height:1.5;color:#1c2430;max-width:720px',
  cell: 'padding:4px 14px 4px 0;border-bottom:1px solid #e3e7eb;text-align:left',
  number: 'padding:4px 14px 4px 0;border-bottom:1px solid #e3e7eb;text-align:right',
  muted: 'color:#5d6875;font-size:13px',
} as const;

const toneOf = (worse: boolean | null) =>
  worse === true ? '#b8430f' : worse === false ? '#2f7d5b' : '#5d6875';

function changesHtml(facts: ReportFacts, several: boolean): Html {
  const { changes } = facts;
  if (changes.length === 0) return html`<p>Nothing to speak of changed.</p>`;
  const more = changes.length - MAX_CHANGES;
  return html`<ul>${changes
    .slice(0, MAX_CHANGES)
    .map(
      ({ text, worse, modelVersion }) =>
        html`<li style="color:${toneOf(worse)}"><span style="color:#1c2430">${several ? `Version ${shorten(modelVersion, 20)}: ` : ''}${text}</span></li>`,
    )}${more > 0 ? html`<li>and ${more} more</li>` : ''}</ul>`;
}

function tablesHtml({ period, previous, timeZone, versions }: ReportFacts): Html {
  return html`${versions.map(
    (version) => html`<h3 style="margin:18px 0 4px">Version ${shorten(version.modelVersion, 40)}</h3>
<table style="border-collapse:collapse;font-size:14px"><tr><th style="${STYLE.cell}"></th><th style="${STYLE.number}">${zonedWindow(previous, timeZone)}</th><th style="${STYLE.number}">${zonedWindow(period, timeZone)}</th></tr>
${comparisonRows(version).map((row) => html`<tr><td style="${STYLE.cell}">${row.label}</td><td style="${STYLE.number}">${row.previous}</td><td style="${STYLE.number}"><b>${row.now}</b></td></tr>`)}</table>`,
  )}`;
}

function plainText(facts: ReportFacts, page: string | undefined): string {
  const { changes, versions, period, previous, timeZone } = facts;
  const several = versions.length > 1;
  const missed = missedSentence(facts);
  return visible(
    [
      reportTitle(facts),
      `${headline(facts)}.`,
      '',
      facts.summary,
      ...(missed === '' ? [] : ['', missed]),
      '',
      'What changed:',
      ...(changes.length === 0 ? ['- nothing to speak of'] : []),
      ...changes
        .slice(0, MAX_CHANGES)
        .map(({ text, modelVersion }) => `- ${several ? `version ${modelVersion}: ` : ''}${text}`),
      ...(changes.length > MAX_CHANGES ? [`- and ${changes.length - MAX_CHANGES} more`] : []),
      ...versions.flatMap((version) => [
        '',
        `Version ${version.modelVersion}, ${zonedWindow(previous, timeZone)} → ${zonedWindow(period, timeZone)}:`,
        ...comparisonRows(version).map(
          ({ label, now, previous: before }) => `- ${label}: ${before} → ${now}`,
        ),
      ]),
      '',
      ...(page === undefined ? [] : [`The whole report: ${page}`]),
      madeWords(facts),
    ].join('\n'),
  );
}

/**
 * The summary of a report as a mail.
 *
 * @param page where the report is, if the service knows how people reach it
 * @param attached how many files come along
 */
export function reportMail(facts: ReportFacts, page: string | undefined, attached: number): ReportMail {
  const missed = missedSentence(facts);
  const several = facts.versions.length > 1;
  const rest = attached === 0 ? '' : ` The whole report is attached (${plural(attached, 'file')}).`;
  const document = html`${raw('<!doctype html>')}<html lang="en"><head><meta charset="utf-8"><title>${reportTitle(facts)}</title></head><body style="${STYLE.body}">
<h2 style="margin:0 0 4px">${reportTitle(facts)}</h2><p style="margin:0 0 10px"><b>${headline(facts)}.</b></p>
<p>${facts.summary}</p>${missed === '' ? '' : html`<p>${missed}</p>`}
<h3 style="margin:18px 0 4px">What changed</h3>${changesHtml(facts, several)}
${tablesHtml(facts)}
<p style="${STYLE.muted}">${page === undefined ? '' : html`<a href="${page}">The report on its page</a>. `}${madeWords(facts)}${rest}</p></body></html>`;
  return {
    subject: shorten(`[Plumbline] ${reportTitle(facts)}: ${headline(facts)}`, MAX_SUBJECT),
    text: `${plainText(facts, page)}${rest}\n`,
    html: document.text,
  };
}
