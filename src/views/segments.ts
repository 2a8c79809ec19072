import { segmentId, segmentName } from '../domain/segment.js';
import type { Verdict } from '../domain/verdict.js';
import type { SegmentSummary } from './data.js';
import { formatCount, NOTHING } from './format.js';
import { type Html, html, nameTag } from './html.js';
import { section } from './parts.js';
import { amountWords } from './sentences.js';
import { alarmRatio, combine, LOOK_WORDS, type Look, lookOf, toneOf } from './severity.js';
import { groupBy } from './summarise.js';

const SHOWN_COLUMNS = 4;
const ORDER: readonly Look[] = ['material', 'minor', 'stable', 'undecided', 'no_data'];

/** One line per segment, those with drifted columns first. */
export function summariseSegments(verdicts: readonly Verdict[]): SegmentSummary[] {
  const bySegment = groupBy(
    verdicts.filter((verdict) => verdict.segment !== undefined),
    (verdict) => (verdict.segment === undefined ? '' : segmentId(verdict.segment)),
  );
  const summaries: SegmentSummary[] = [];
  for (const members of bySegment.values()) {
    const segment = members[0]?.segment;
    if (segment === undefined) continue;
    const looks: Record<Look, number> = { stable: 0, minor: 0, material: 0, undecided: 0, no_data: 0 };
    for (const column of groupBy(members, (verdict) => verdict.feature).values())
      looks[combine(column).look]++;
    summaries.push({
      segment,
      rows: Math.max(0, ...members.map((verdict) => verdict.currentRows)),
      looks,
      worst: members
        .filter((verdict) => verdict.role === 'primary' && lookOf(verdict) === 'material')
        .sort((a, b) => (alarmRatio(b) ?? 0) - (alarmRatio(a) ?? 0)),
    });
  }
  return summaries.sort((a, b) => b.looks.material - a.looks.material || b.rows - a.rows);
}

/** Parts of the traffic in the last judged window; nothing where none are set. */
export function segmentSection(segments: readonly SegmentSummary[]): Html | string {
  if (segments.length === 0) return '';
  const row = ({ segment, rows, looks, worst }: SegmentSummary) => {
    const look = ORDER.find((each) => looks[each] > 0) ?? 'no_data';
    const columns = worst
      .slice(0, SHOWN_COLUMNS)
      .map(
        (verdict) =>
          html`<span>${nameTag(verdict.feature === '' ? 'whole rows' : verdict.feature, 30)} <span class="muted">${verdict.detector} ${amountWords(verdict.detector, verdict.effect?.value)}</span></span>`,
      );
    return html`<tr><td class="name">${nameTag(segmentName(segment), 60)}</td><td class="num">${formatCount(rows)}</td>
<td class="nowrap" title="${LOOK_WORDS[look]}"><i class="swatch tone-${toneOf(look, worst[0] === undefined ? null : alarmRatio(worst[0]))}"></i><span class="wide">${LOOK_WORDS[look]}</span></td>
<td class="num">${looks.material === 0 ? NOTHING : String(looks.material)}</td>
<td class="apart"><div class="tags">${columns}</div></td></tr>`;
  };
  return section(
    'Segments',
    'parts of the traffic in the last judged window, each compared with its own part of the reference',
    html`<div class="scroll"><table><thead><tr><th>Segment</th><th class="num">Rows</th><th>Worst column</th><th class="num">Drifted columns</th><th class="apart">Which</th></tr></thead>
<tbody>${segments.map(row)}</tbody></table></div>`,
  );
}
