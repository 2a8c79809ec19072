import type { Episode } from '../domain/episode.js';
import type { ShownEpisode } from '../domain/episode-desk.js';
import type { EpisodeMark } from '../domain/feedback.js';
import type { OutlierRecord } from '../domain/outlier-ports.js';
import type { VersionKey } from '../domain/ports.js';
import { movingColumns, type Reference } from '../domain/reference.js';
import type { JudgedRetraining } from '../domain/retraining.js';
import { segmentName } from '../domain/segment.js';
import type { Window } from '../domain/window.js';
import { sparkline } from './charts/sparkline.js';
import type { ModelState, RankedFeature } from './data.js';
import { statusBadge } from './episode-words.js';
import {
  formatCount,
  formatDuration,
  formatPercent,
  formatRatio,
  formatTime,
  formatWindow,
  NOTHING,
  plural,
  windowParameter,
} from './format.js';
import { type Html, html, nameTag, shorten, sitePath } from './html.js';
import { CATEGORY_WORDS, CURE_WORDS } from './retrainings.js';
import { amountWords, moveWords } from './sentences.js';
import { LOOK_WORDS, toneOf } from './severity.js';

export const STATE_WORDS: Readonly<Record<ModelState, string>> = {
  ok: 'ok',
  drifting: 'drifting',
  undecided: 'undecided',
  no_data: 'no data',
};

export function versionPath(key: VersionKey): string {
  return sitePath('models', key.model, 'versions', key.modelVersion);
}

export function featurePath(key: VersionKey, feature: string, window?: Window): string {
  const path = sitePath('models', key.model, 'versions', key.modelVersion, 'features', feature);
  return window === undefined ? path : `${path}?window=${windowParameter(window)}`;
}

export function episodePath(episode: Pick<Episode, 'model' | 'modelVersion' | 'id'>): string {
  return sitePath('models', episode.model, 'versions', episode.modelVersion, 'episodes', episode.id);
}

export function stateBadge(state: ModelState): Html {
  return html`<span class="badge ${state}">${STATE_WORDS[state]}</span>`;
}

export function facts(entries: readonly (readonly [string, Html | string])[]): Html {
  return html`<dl class="facts">${entries.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export function section(title: string, hint: Html | string, body: Html): Html {
  return html`<section><div class="head"><h2>${title}</h2>${hint === '' ? '' : html`<span class="hint">${hint}</span>`}</div>
${body}</section>`;
}

/** Open ones first; `features` links drivers to their pages. */
export function episodesTable(
  episodes: readonly Episode[],
  options: {
    readonly links: boolean;
    readonly showModel: boolean;
    /** By episode; with them comes the column to set them in. */
    readonly marks?: ReadonlyMap<string, EpisodeMark>;
    /** How people stand to them, by id. */
    readonly shown?: ReadonlyMap<string, ShownEpisode>;
    /** Versions that were trained for them; with some comes a column that says so. */
    readonly retrainings?: readonly JudgedRetraining[];
  },
): Html {
  const { marks, retrainings = [] } = options;
  if (episodes.length === 0) return html`<p class="empty">No episode so far.</p>`;
  const row = (episode: Episode) => {
    const lasted = (episode.closedBy ?? episode.lastWindow).endMs - episode.firstWindow.startMs;
    const drivers = episode.drivers.slice(0, 4).map((driver) => {
      const text = html`${nameTag(driver.feature === '' ? 'whole rows' : driver.feature, 30)} <span class="muted">${driver.segment === undefined ? '' : html`in ${nameTag(segmentName(driver.segment), 40)} `}${driver.detector} ${amountWords(driver.detector, driver.effect)}</span>`;
      return options.links && driver.feature !== ''
        ? html`<span><a href="${featurePath(episode, driver.feature, episode.openedBy)}">${text}</a></span>`
        : html`<span>${text}</span>`;
    });
    const model = html`<td class="name">${
      options.links
        ? html`<a href="${versionPath(episode)}">${nameTag(episode.model, 40)} ${nameTag(episode.modelVersion, 20)}</a>`
        : html`${nameTag(episode.model, 40)} ${nameTag(episode.modelVersion, 20)}`
    }</td>`;
    const known = options.shown?.get(episode.id) ?? null;
    const badge = statusBadge(episode, known);
    return html`<tr><td class="nowrap">${known === null || !options.links ? badge : html`<a href="${episodePath(episode)}">${badge}</a>`}</td>
${options.showModel ? model : ''}<td class="nowrap">${CATEGORY_WORDS[episode.category]}</td>
<td class="nowrap">${formatWindow(episode.firstWindow)}</td>
<td class="nowrap">${episode.closedBy === null ? html`<span class="muted">still open</span>` : formatWindow(episode.closedBy)}</td>
<td class="num">${formatDuration(lasted)}</td><td class="apart"><div class="tags">${drivers}</div></td>${marks === undefined ? '' : html`<td class="nowrap">${markCell(episode, marks.get(episode.id), options.links)}</td>`}${retrainings.length === 0 ? '' : html`<td class="nowrap">${retrainedCell(episode, retrainings, options.links)}</td>`}</tr>`;
  };
  return html`<div class="scroll"><table><thead><tr><th>State</th>${options.showModel ? html`<th>Model</th>` : ''}<th>Kind</th><th>First window</th><th>Closed by</th><th class="num">Lasted</th><th class="apart">Driven by</th>${marks === undefined ? '' : html`<th>Was it true?</th>`}${retrainings.length === 0 ? '' : html`<th>Retrained as</th>`}</tr></thead>
<tbody>${episodes.map(row)}</tbody></table></div>`;
}

/** The versions that were trained for an episode, and whether they cured it. */
function retrainedCell(episode: Episode, retrainings: readonly JudgedRetraining[], links: boolean): Html {
  const own = retrainings.filter(({ episodeId }) => episodeId === episode.id);
  if (own.length === 0) return html`${NOTHING}`;
  return html`${own.map((retraining, index) => {
    const name = nameTag(retraining.modelVersion, 20);
    return html`${index > 0 ? ', ' : ''}${links ? html`<a href="${versionPath(retraining)}">${name}</a>` : name} <span class="muted">${CURE_WORDS[retraining.cure.verdict]}</span>`;
  })}`;
}

/** What was said of an episode, with buttons to say it where the page is live. */
function markCell(episode: Episode, said: EpisodeMark | undefined, live: boolean): Html {
  const words = said === undefined ? '' : said.mark === 'true' ? 'true' : 'false alarm';
  if (!live) return html`${words === '' ? NOTHING : words}`;
  const action = `${versionPath(episode)}/episodes/${encodeURIComponent(episode.id)}/mark`;
  const button = (mark: string, label: string) => html`<button name="mark" value="${mark}">${label}</button>`;
  return html`<form method="post" action="${action}">${
    said === undefined
      ? html`${button('true', 'true')} ${button('false', 'false alarm')}`
      : html`<span title="${said.note}">${words}</span> ${button('', 'undo')}`
  }</form>`;
}

/** A bar for how near the alarm something is; full at four times the alarm. */
function meter(item: RankedFeature): Html {
  const share = item.ratio === null ? 0 : Math.min(1, item.ratio / 4);
  const tone = toneOf(item.look, item.ratio);
  if (item.look === 'undecided' || item.look === 'no_data')
    return html`<span class="muted">${NOTHING}</span>`;
  return html`<span class="meter"><i class="tone-${tone}" style="width:${(share * 100).toFixed(0)}%"></i></span>${formatRatio(item.ratio)}`;
}

/** Features by their effect in one window: worst first. */
export function rankedTable(
  ranked: readonly RankedFeature[],
  options: { readonly key: VersionKey; readonly window: Window | null; readonly links: boolean },
): Html {
  const row = (item: RankedFeature) => {
    const { verdict } = item;
    const name = nameTag(item.feature, 40);
    const label = options.links
      ? html`<a href="${featurePath(options.key, item.feature, options.window ?? undefined)}">${name}</a>`
      : name;
    return html`<tr><td class="name">${label}</td><td>${sparkline(item.distribution)}</td>
<td class="nowrap" title="${LOOK_WORDS[item.look]}"><i class="swatch tone-${toneOf(item.look, item.ratio)}"></i><span class="wide">${LOOK_WORDS[item.look]}</span></td>
<td class="nowrap">${meter(item)}</td>
<td class="nowrap">${verdict === null ? NOTHING : html`<span class="muted">${verdict.detector}</span> ${amountWords(verdict.detector, verdict.effect?.value)}`}</td>
<td class="moved">${moveWords(item) ?? NOTHING}</td>
<td class="num">${item.windowsDecided === 0 ? NOTHING : formatPercent(item.windowsMaterial / item.windowsDecided)}</td></tr>`;
  };
  return html`<div class="scroll"><table><thead><tr><th>Feature</th><th>Current over reference</th><th>Last window</th><th>Of its alarm</th><th>Effect</th><th>What moved</th><th class="num">Windows drifted</th></tr></thead>
<tbody>${ranked.map(row)}</tbody></table></div>`;
}

/** Shown of each outlier. */
const SHOWN_REASONS = 3;

/** The first reasons with their values and their share of what makes the row odd. */
function outlierReasons({ reasons, values }: OutlierRecord): Html | string {
  if (reasons.length === 0) return NOTHING;
  const total = reasons.reduce((sum, { contribution }) => sum + contribution, 0);
  return html`${reasons.slice(0, SHOWN_REASONS).map(({ feature, contribution }, index) => {
    const value = values === null ? undefined : (values[feature] ?? 'missing');
    return html`${index > 0 ? ', ' : ''}${nameTag(feature, 30)}${value === undefined ? '' : html` = ${shorten(String(value), 30)}`} <span class="muted">${formatPercent(contribution / total)}</span>`;
  })}`;
}

export function outliersTable(outliers: readonly OutlierRecord[]): Html {
  if (outliers.length === 0) return html`<p class="empty">No row has been flagged.</p>`;
  return html`<div class="scroll"><table><thead><tr><th>Prediction</th><th>Event time</th><th class="num">Score</th><th>What isolated it</th></tr></thead>
<tbody>${outliers.map(
    (row) =>
      html`<tr><td class="name">${nameTag(row.predictionId, 60)}${row.rowIndex > 0 ? html` <span class="muted">row ${row.rowIndex}</span>` : ''}</td><td class="nowrap">${formatTime(row.timestampMs)}</td><td class="num">${row.score.toFixed(3)}</td><td>${outlierReasons(row)}</td></tr>`,
  )}</tbody></table></div>`;
}

export function referenceFacts(reference: Reference | null): Html {
  if (reference === null)
    return html`<p class="empty">No reference is registered for this version: nothing can be compared.</p>`;
  const spreads = reference.nullModel.spreads.length;
  const moving = movingColumns(reference.nullModel);
  const { learned } = reference.nullModel;
  return facts([
    ['Rows', formatCount(reference.rows)],
    ['Period', reference.period === null ? 'no timestamps' : formatWindow(reference.period)],
    ['From', nameTag(reference.provenance === '' ? NOTHING : reference.provenance, 80)],
    ['SHA-256', html`<span title="${reference.hash}">${reference.hash.slice(0, 12)}</span>`],
    [
      'Null',
      reference.nullModel.kind === 'temporal'
        ? `temporal, pieces of ${formatDuration(reference.nullModel.pieceMs)}, ${plural(spreads, 'estimate')}${learned === undefined ? '' : `, learned from production ${formatWindow(learned)}`}`
        : 'independent rows; two weeks of production will tell how windows differ',
    ],
    ...(moving.length === 0
      ? []
      : [['Moves by itself', nameTag(moving.join(', '), 80)] satisfies [string, Html]]),
    ['Registered', formatTime(reference.createdAtMs)],
  ]);
}
