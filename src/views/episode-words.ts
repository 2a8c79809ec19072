import type { PendingEpisode } from '../domain/episode.js';
import type { EpisodeDesk, ModelSilence, ShownEpisode } from '../domain/episode-desk.js';
import type { EpisodeStatus, HistoryEntry } from '../domain/episode-history.js';
import { EPISODE_CATEGORIES } from '../domain/verdict.js';
import { formatTime, plural } from './format.js';
import { type Html, html, nameTag, shorten, sitePath } from './html.js';
import { CATEGORY_WORDS } from './retrainings.js';

/** What pages of a version show of how people stand to its episodes. */
export interface KnownEpisodes {
  readonly shown: ReadonlyMap<string, ShownEpisode>;
  readonly pending: readonly PendingEpisode[];
  readonly silence: ModelSilence;
}

/** Newest episodes whose standing is read for a page. */
const MAX_EPISODES = 1_000;

export async function loadEpisodes(desk: EpisodeDesk, model: string): Promise<KnownEpisodes> {
  const [episodes, pending, silence] = await Promise.all([
    desk.list({ model, limit: MAX_EPISODES }),
    desk.pendingOf(model),
    desk.silenceOf(model),
  ]);
  return { shown: new Map(episodes.map((episode) => [episode.id, episode])), pending, silence };
}

export const HISTORY_WORDS: Readonly<Record<HistoryEntry['kind'], string>> = {
  pending: 'first drifted window judged',
  opened: 'opened',
  severity_raised: 'got worse',
  acknowledged: 'acknowledged',
  unacknowledged: 'no longer acknowledged',
  snoozed: 'snoozed',
  unsnoozed: 'no longer snoozed',
  held: 'nobody told for now',
  released: 'told after all',
  resolved: 'resolved',
};

const BADGE: Readonly<Record<EpisodeStatus, string>> = {
  pending: 'undecided',
  open: 'open',
  acknowledged: 'open',
  resolved: 'closed',
};

/** Status and silence of an episode; `known` is null where only its own state is known. */
export function statusBadge(
  episode: Pick<ShownEpisode, 'state' | 'severity'>,
  known: Pick<ShownEpisode, 'status' | 'silence' | 'acknowledgement'> | null,
): Html {
  const status = known?.status ?? episode.state;
  const look = known === null ? episode.state : BADGE[known.status];
  const silence = known?.silence ?? null;
  return html`<span class="badge ${look} ${episode.severity}">${status}</span>${
    known?.acknowledgement == null
      ? ''
      : html` <span class="muted">by ${nameTag(known.acknowledgement.by, 20)}</span>`
  }${
    silence === null
      ? ''
      : html`<br><span class="muted">${silence.reason === 'snoozed' ? 'snoozed' : 'maintenance'} until ${formatTime(silence.untilMs)}</span>`
  }`;
}

/** What keeps alarms silent, and what may come, in sentences. */
export function standingNotes({ silence, pending }: KnownEpisodes, modelVersion: string): Html {
  const { maintenance, snoozes } = silence;
  const wide = snoozes.filter(({ episodeId }) => episodeId === null);
  const notes = [
    ...(maintenance === null
      ? []
      : [
          html`Maintenance (${shorten(maintenance.name, 60)}) until ${formatTime(maintenance.untilMs)}: nobody is told of episodes.`,
        ]),
    ...wide.map(
      ({ category, untilMs, by, note }) =>
        html`Snoozed until ${formatTime(untilMs ?? 0)} by ${nameTag(by, 40)}: ${category === null ? 'everything' : CATEGORY_WORDS[category]}${note === '' ? '' : html` (${shorten(note, 200)})`}.`,
    ),
    ...pending
      .filter((one) => one.modelVersion === modelVersion)
      .map(
        ({ category, drifted, needed }) =>
          html`Pending: ${plural(drifted, 'drifted window')} of the ${needed} that open a ${CATEGORY_WORDS[category]} episode.`,
      ),
  ];
  return html`${notes.map((note) => html`<p class="hint">${note}</p>`)}`;
}

const LENGTHS = [
  ['1h', '1 hour'],
  ['8h', '8 hours'],
  ['1d', '1 day'],
  ['7d', '7 days'],
] as const;

const who = html`<label>who <input name="by" maxlength="120" size="12"></label> <label>why <input name="note" maxlength="2000" size="28"></label>`;
const length = html`<label>for <select name="for">${LENGTHS.map(([value, words]) => html`<option value="${value}">${words}</option>`)}</select></label>`;

/** Forms to look after an open episode, and to be told nothing of it for a while. */
export function episodeForms(episode: ShownEpisode): Html {
  const action = sitePath('models', episode.model, 'versions', episode.modelVersion, 'episodes', episode.id);
  const { acknowledgement, silence } = episode;
  const own = silence?.reason === 'snoozed' && silence.scope === 'episode';
  return html`<form class="act" method="post" action="${action}">${
    acknowledgement === null
      ? html`${who} <button name="action" value="acknowledge">acknowledge</button>`
      : html`<button name="action" value="unacknowledge">take the acknowledgement back</button>`
  }</form>
<form class="act" method="post" action="${action}">${length} ${who} <button name="action" value="snooze">snooze</button></form>
${own ? html`<form class="act" method="post" action="${action}"><button name="action" value="unsnooze">end its snooze</button></form>` : ''}`;
}

/** Forms to be told nothing of a model, or of one kind of its episodes, for a while. */
export function modelSnoozeForms(
  key: { readonly model: string; readonly modelVersion: string },
  { snoozes }: ModelSilence,
): Html {
  const action = sitePath('models', key.model, 'versions', key.modelVersion, 'snooze');
  const kinds = html`<select name="category"><option value="">everything</option>${EPISODE_CATEGORIES.map((category) => html`<option value="${category}">${CATEGORY_WORDS[category]}</option>`)}</select>`;
  const ends = snoozes
    .filter(({ episodeId }) => episodeId === null)
    .map(
      ({ category }) =>
        html`<form class="act" method="post" action="${action}"><input type="hidden" name="category" value="${category ?? ''}"><button name="action" value="unsnooze">end the snooze of ${category === null ? 'everything' : CATEGORY_WORDS[category]}</button></form>`,
    );
  return html`<details><summary>Snooze this model</summary><form class="act" method="post" action="${action}">${kinds} ${length} ${who} <button name="action" value="snooze">snooze</button></form></details>${ends}`;
}
